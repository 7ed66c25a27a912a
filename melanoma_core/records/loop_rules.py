"""The rules of the closed loop: reads, decisions, specimens, histology, recalls."""

from collections.abc import Iterator, Sequence
from datetime import date

from melanoma_core.records.dates import write_day
from melanoma_core.records.decisions import needs_reason
from melanoma_core.records.diagnoses import Meaning, interpret, title_diagnosis
from melanoma_core.records.entity_rules import find_first_day
from melanoma_core.records.isic_fields import describe_histology, find_isic_errors, may_be_melanoma
from melanoma_core.records.loop import (
    AbcdRule,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    Recall,
    Specimen,
)
from melanoma_core.records.staging import PrimaryTumour
from melanoma_core.records.surroundings import FieldError, Surroundings
from melanoma_core.taxonomy import RiskTier

LONGEST_READ_SECONDS = 24 * 3600
LATEST_RECALL_YEARS = 20

_ABCD_RANGES = {"asymmetry": (0, 2), "border": (0, 8), "colours": (1, 6), "structures": (1, 5)}


def check_first_read(read: FirstRead, _: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a first read."""
    probability = read.melanoma_probability
    if probability is not None and not 0 <= probability <= 1:
        yield FieldError(
            "melanoma_probability", f"Found {probability:g}; needed is a number from 0 to 1."
        )
    if not 0 <= read.seconds <= LONGEST_READ_SECONDS:
        yield FieldError("seconds", f"Found {read.seconds:g} s; needed is 0 s to one day.")
    if read.abcd is not None:
        yield from _check_abcd(read.abcd)


def _check_abcd(rule: AbcdRule) -> Iterator[FieldError]:
    for name, (least, most) in _ABCD_RANGES.items():
        count = getattr(rule, name)
        if not least <= count <= most:
            yield FieldError("abcd", f"{name} is {count}; needed is {least} to {most}.")


def check_ai_reading(reading: AiReading, _: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with an AI reading."""
    names = reading.class_names
    if not names or len(set(names)) < len(names):
        yield FieldError("class_names", "Needed is each diagnosis of the model, once.")
    for name, shares in (("probabilities", reading.probabilities), ("adapted", reading.adapted)):
        if shares:
            yield from _check_distribution(name, shares, len(names))
    for photograph in reading.photographs:
        if photograph.probabilities:
            yield from _check_distribution("photographs", photograph.probabilities, len(names))
        elif not photograph.refusal:
            yield FieldError("photographs", "A photograph was neither read nor refused.")
    thresholds = {
        "melanoma_threshold": reading.melanoma_threshold,
        "skin_cancer_threshold": reading.skin_cancer_threshold,
    }
    for name, threshold in thresholds.items():
        if threshold is not None and not 0 <= threshold <= 1:
            yield FieldError(name, f"Found {threshold:g}; needed is a number from 0 to 1.")
    if reading.prevalence and not all(0 < share < 1 for share in reading.prevalence):
        yield FieldError("prevalence", "Needed are two shares between 0 and 1.")


def _check_distribution(
    name: str, shares: Sequence[float], num_classes: int
) -> Iterator[FieldError]:
    """Yield what is wrong with probabilities; they are stored as float32, so their sum is not 1."""
    if len(shares) != num_classes:
        yield FieldError(name, f"Found {len(shares)} probabilities of {num_classes} diagnoses.")
    elif min(shares) < 0 or abs(sum(shares) - 1) > 1e-3:
        yield FieldError(name, f"The probabilities add up to {sum(shares):.4f}; needed is 1.")


def check_decision(decision: Decision, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a decision."""
    if needs_reason(decision.management, around.ai_reading) and not decision.reason:
        yield FieldError("reason", "The decision differs from the alert: say why.")


def check_specimen(specimen: Specimen, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a specimen."""
    if not specimen.method.removes_tissue:
        yield FieldError("method", f"Found {specimen.method}; needed is a biopsy or an excision.")
    error = around.check_past("taken_on", specimen.taken_on)
    if error is None and around.lesion:
        error = _check_not_before(
            "taken_on", specimen.taken_on, _find_noticed(around), "the lesion was noticed"
        )
    if error is None and around.decided_at:
        decided_on = around.decided_at.on
        error = _check_not_before(
            "taken_on", specimen.taken_on, decided_on, "the visit of its decision"
        )
    if error:
        yield error


def _find_noticed(around: Surroundings) -> date | None:
    """Return the first day on which the lesion may have been noticed; None if not known."""
    try:
        return find_first_day(around.lesion.noticed) if around.lesion else None
    except ValueError:
        return None  # the lesion's own rule says what is wrong


def _check_not_before(name: str, day: date, first: date | None, event: str) -> FieldError | None:
    if first is None or day >= first:
        return None
    return FieldError(name, f"{write_day(day)} is before {event}, {write_day(first)}.")


def check_histology(histology: Histology, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a histology report."""
    error = around.check_past("reported_on", histology.reported_on)
    if error is None and around.specimen:
        taken_on = around.specimen.taken_on
        error = _check_not_before(
            "reported_on", histology.reported_on, taken_on, "the specimen was taken"
        )
    if error:
        yield error
    try:
        meaning = interpret(histology.diagnosis)
    except ValueError:
        text = f"{histology.diagnosis} is no diagnosis of the list: choose one."
        yield FieldError("diagnosis", text)
        return
    yield from find_isic_errors(describe_histology(histology))
    yield from _check_measures(histology)
    yield from _check_in_situ(histology, meaning)
    yield from _check_pt(histology)


def _check_measures(histology: Histology) -> Iterator[FieldError]:
    breslow, mitoses = histology.breslow_mm, histology.mitoses_per_mm2
    if breslow is not None and not 0 < breslow <= 100:
        yield FieldError(
            "breslow_mm",
            f"Found {breslow:g} mm; needed is more than 0 and at most 100 mm. "
            "A melanoma in situ has none.",
        )
    if mitoses is not None and not 0 <= mitoses <= 200:
        yield FieldError(
            "mitoses_per_mm2", f"Found {mitoses:g} per mm²; needed is 0 to 200 per mm²."
        )


def _check_in_situ(histology: Histology, meaning: Meaning) -> Iterator[FieldError]:
    """Yield contradictions between the diagnosis, the thickness and whether it is in situ."""
    title = title_diagnosis(histology.diagnosis)
    words = histology.diagnosis.casefold()
    is_in_situ = "in situ" in words
    if histology.in_situ and meaning.tier is RiskTier.BENIGN:
        yield FieldError("in_situ", f"{title} is benign: it is not in situ.")
    elif histology.in_situ and ("invasive" in words or "metastasis" in words):
        yield FieldError("in_situ", f"{title} is not in situ.")
    elif histology.in_situ is False and is_in_situ:
        yield FieldError("in_situ", f"{title} is in situ.")
    if histology.breslow_mm is not None and (histology.in_situ or is_in_situ):
        yield FieldError("breslow_mm", "What is in situ has no Breslow thickness.")


def _check_pt(histology: Histology) -> Iterator[FieldError]:
    if not histology.pt:
        return
    if histology.pt not in set(PrimaryTumour):
        yield FieldError("pt", f"Found {histology.pt}; needed is {', '.join(PrimaryTumour)}.")
    elif not may_be_melanoma(histology.diagnosis):
        yield FieldError("pt", "The category is that of a melanoma; the diagnosis is another.")


def check_information(information: Information, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with the note that a patient was informed."""
    error = around.check_past("on", information.on)
    if error is None and around.histology:
        reported_on = around.histology.reported_on
        error = _check_not_before("on", information.on, reported_on, "the report")
    if error:
        yield error


def check_recall(recall: Recall, around: Surroundings) -> Iterator[FieldError]:
    """Yield what is wrong with a recall."""
    last = around.today.year + LATEST_RECALL_YEARS
    if recall.due_on.year > last:
        yield FieldError(
            "due_on", f"{write_day(recall.due_on)} is after {last}, which is too far away."
        )
    if around.visit and recall.due_on < around.visit.on:
        text = f"{write_day(recall.due_on)} is before the visit on {write_day(around.visit.on)}."
        yield FieldError("due_on", text)

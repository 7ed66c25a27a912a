"""What the report of a lesion says, on one page, from what the record holds.

Every value is plain text. The caller escapes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.origins import find_origins
from melanoma_core.models.registry import list_models
from melanoma_core.records.case import LesionCase
from melanoma_core.records.current_visit import find_current_visit
from melanoma_core.records.dates import write_moment
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.entry import Entry
from melanoma_core.records.kept_readings import find_skin_cancer_probability, list_probabilities
from melanoma_core.records.loop import AiReading, Decision, FirstRead, Histology
from melanoma_core.records.texts import tidy
from melanoma_core.records.wording import (
    describe_lesion,
    describe_person,
    say,
    summarise,
    title_kind,
)
from melanoma_core.settings import Settings
from melanoma_core.software import NOT_CONFIRMED
from melanoma_core.taxonomy import Diagnosis

MAX_NOTES = 600  # characters, so that the report stays one page
_MAX_TEXT = 340  # characters of what a step says, or a line of facts
_MAX_LINE = 120  # characters of a title
_MAX_STEPS = 2  # specimens, reports … each
_MAX_DIAGNOSES = 4
_DRAWN = "Demonstration: a program has drawn the photographs, and invented everything else."
_HIDDEN = (
    "The AI reading is not on this page: the doctor reads first, and has not yet read this visit."
)


@dataclass(frozen=True)
class Step:
    """One step of the loop: what it is, what it says, and who wrote it when."""

    name: str
    text: str
    signed: str


@dataclass(frozen=True, kw_only=True)
class LesionReport:
    """The text of a report.

    Attributes:
        title: Lesion and patient.
        facts: Who the patient is, and where the lesion is, a line each.
        made: When and for whom it was written.
        warnings: What limits this report: drawn, without the AI reading, entries left out.
        headline: The result: the histology, else the decision.
        steps: The loop, in its order: the newest entry of each kind.
        alerts: Both alerts of the AI reading: name, probability, result, threshold.
        diagnoses: The most probable diagnoses of the AI reading, each with its probability.
        reading: With what the AI reading was made; "" without one.
        limits: Limitations of the model that read.
        notes: What the person typed; "" if nothing.
    """

    title: str
    facts: tuple[str, ...]
    made: str
    warnings: tuple[str, ...]
    headline: str
    steps: tuple[Step, ...]
    alerts: tuple[tuple[str, str, str, str], ...] = ()
    diagnoses: tuple[tuple[str, str], ...] = ()
    reading: str = ""
    limits: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """How a report is written.

    Attributes:
        by: For whom.
        at: When, in the zone in which its times are written.
        notes: What the person typed.
        hides_ai: Whether nothing of an AI reading may be shown: the doctor reads first.
        card: Card of the model that read; None if it is not here.
    """

    by: str
    at: datetime
    notes: str = ""
    hides_ai: bool = False
    card: ModelCard | None = None


def find_card(settings: Settings, case: LesionCase) -> ModelCard | None:
    """Return the card of the model of the last AI reading; None if there is none, or not here."""
    if not case.ai_readings:
        return None
    model_id = case.ai_readings[-1].value.model_id
    cards = (card for _, card in list_models(settings))
    return next((card for card in cards if card.model_id == model_id), None)


def write_lesion_report(case: LesionCase, request: ReportRequest) -> LesionReport:
    """Return the report of a lesion of a record.

    Args:
        case: Everything of the lesion.
        request: For whom it is, and when.
    """
    patient, lesion = case.patient.value, case.lesion.value
    reading = None if request.hides_ai or not case.ai_readings else case.ai_readings[-1]
    person = ", ".join(describe_person(patient, request.at.date()))
    place = "; ".join(describe_lesion(lesion))
    signed = f"{write_moment(request.at)} {request.at:%Z}".strip()
    return LesionReport(
        title=_cut(f"Lesion {lesion.label} of patient {patient.pseudonym}", _MAX_LINE),
        facts=tuple(_cut(each) for each in (person, place) if each),
        made=_cut(f"Written on {signed} for {request.by}, from the record as it was then."),
        warnings=tuple(_list_warnings(case, request)),
        headline=_cut(_find_headline(case), _MAX_LINE),
        steps=tuple(_list_steps(case, reading, request.at.tzinfo)),
        alerts=_list_alerts(reading.value, request.card) if reading else (),
        diagnoses=_list_diagnoses(reading.value) if reading else (),
        reading=_cut(_describe_reading(case, reading), 2 * _MAX_TEXT) if reading else "",
        limits=_list_limits(reading.value, request.card) if reading else (),
        notes=tidy(request.notes, has_paragraphs=True)[:MAX_NOTES],
    )


def _list_warnings(case: LesionCase, request: ReportRequest) -> Iterator[str]:
    if is_drawn(case.patient.value):
        yield _DRAWN
    if request.hides_ai and case.ai_readings:
        yield _HIDDEN
    visit = find_current_visit(case)
    readings = case.ai_readings
    if visit and readings and not request.hides_ai and readings[-1].value.visit_id != visit.id:
        yield "The AI reading is from an earlier visit than the newest photographs."


def _find_headline(case: LesionCase) -> str:
    if case.histologies:
        return f"Histology: {summarise(case.histologies[-1].value)}"
    if case.decisions:
        return f"Decision: {case.decisions[-1].value.management}"
    return "No decision yet"


def _list_steps(
    case: LesionCase, reading: Entry[AiReading] | None, zone: tzinfo | None
) -> Iterator[Step]:
    """Yield the newest entries of the loop, and how many earlier ones the record holds."""
    kinds: tuple[tuple[tuple[Entry[Any], ...], int], ...] = (
        (case.first_reads, 1),
        (case.ai_readings if reading else (), 1),
        (case.decisions, 1),
        (case.specimens, _MAX_STEPS),
        (case.histologies, _MAX_STEPS),
        (case.acknowledgements, _MAX_STEPS),
        (case.informations, _MAX_STEPS),
        (case.recalls, 1),
    )
    for entries, most in kinds:
        earlier = len(entries) - most
        for entry in entries[-most:]:
            text = _cut(_describe_step(entry.value))
            if earlier > 0 and entry is entries[-1]:
                text += f" ({earlier:,} earlier in the record.)"
            yield Step(title_kind(type(entry.value)), text, _sign(entry, zone))


def _describe_step(value: object) -> str:
    """Return what an entry says, with what a report needs besides its summary."""
    text = summarise(value)
    more: tuple[str, ...] = ()
    if isinstance(value, FirstRead):
        scores = (("seven-point checklist", value.seven_points), ("ABCD rule", value.abcd))
        more = (str(value.order), *(f"{name} {say(each)}" for name, each in scores if each))
    elif isinstance(value, Decision):
        more = ("made with the AI reading" if value.ai_reading_id else "made without AI reading",)
    elif isinstance(value, Histology):
        facts = (
            ("" if value.ulcerated is None else f"ulceration {say(value.ulcerated)}"),
            ("" if value.mitoses_per_mm2 is None else f"{say(value.mitoses_per_mm2)} mitoses/mm²"),
            f"reported {say(value.reported_on)}",
            value.text,
        )
        more = tuple(each for each in facts if each)
    return "; ".join((text, *more))


def _sign(entry: Entry[Any], zone: tzinfo | None) -> str:
    version = f", version {entry.version}" if entry.version > 1 else ""
    return f"{_cut(entry.by, 60)}, {write_moment(entry.at.astimezone(zone))}{version}"


def _list_alerts(
    reading: AiReading, card: ModelCard | None
) -> tuple[tuple[str, str, str, str], ...]:
    origins = find_origins(card) if card and card.model_id == reading.model_id else {}
    found = (
        (
            "Melanoma",
            reading.find_probability(Diagnosis.MEL),
            reading.melanoma_alert,
            reading.melanoma_threshold,
            origins.get("melanoma"),
        ),
        (
            "Any skin cancer",
            find_skin_cancer_probability(reading),
            reading.skin_cancer_alert,
            reading.skin_cancer_threshold,
            origins.get("skin_cancer"),
        ),
    )
    rows = []
    for name, probability, alert, threshold, origin in found:
        if probability is not None and threshold is not None:
            shown, point = format_beside_threshold(probability, threshold)
            is_known = origin is not None and origin.threshold == threshold
            words = f", {origin.describe()}" if origin and is_known else ""
            text = f"threshold {point}{words}"
            rows.append((name, shown, "alert" if alert else "no alert", text))
    return tuple(rows)


def _list_diagnoses(reading: AiReading) -> tuple[tuple[str, str], ...]:
    shares = reading.adapted or reading.probabilities
    ranked = list_probabilities(reading.class_names, shares) if shares else []
    return tuple((each.title, format_percent(share)) for each, share in ranked[:_MAX_DIAGNOSES])


def _describe_reading(case: LesionCase, entry: Entry[AiReading]) -> str:
    """Return with what an AI reading was made, of how many photographs, and who confirmed it."""
    reading = entry.value
    read = [each for each in reading.photographs if each.probabilities]
    refused = [each for each in reading.photographs if each.refusal]
    parts = [
        f"Model {reading.model_id}, software {reading.app_version}; "
        f"{len(read):,} of {len(reading.photographs):,} photographs read"
    ]
    if any(each.read_anyway for each in read):
        parts.append("out of distribution, and read because a person asked for it")
    parts += [f"not read: {each.refusal}" for each in refused[:2]]
    if reading.prevalence:
        melanoma, cancer = map(format_percent, reading.prevalence)
        parts.append(f"diagnoses at a prevalence of melanoma {melanoma}, skin cancer {cancer}")
    else:
        parts.append("no prevalence was set")
    is_known = any(each.value.ai_reading_id == entry.id for each in case.decisions)
    decided = " A decision that knew it is signed." if is_known else ""
    return f"{'; '.join(parts)}. Kept as it was read. {NOT_CONFIRMED}{decided}"


def _list_limits(reading: AiReading, card: ModelCard | None) -> tuple[str, ...]:
    if card is None or card.model_id != reading.model_id:
        return (
            f"The card of the model {_cut(reading.model_id)} is not on this machine, so that its "
            "limitations are not listed here.",
        )
    return tuple(map(tidy, card.limitations))


def _cut(text: str, longest: int = _MAX_TEXT) -> str:
    """Return a text on one line, cut where it is too long for the page."""
    line = tidy(text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"

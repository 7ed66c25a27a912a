"""What the report of a photograph or of a lesion says, on one page, for paper and for the screen.

Every value is plain text on one line. The caller escapes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.prevalence import describe_assumption
from melanoma_core.models.card_text.wording import describe_results
from melanoma_core.models.origins import PointOrigin, find_origins
from melanoma_core.names import neutralise
from melanoma_core.reading.crop_text import describe_crops
from melanoma_core.reading.differential import list_differential
from melanoma_core.reading.ranking import rank_diagnoses
from melanoma_core.reading.statement import (
    READ_ANYWAY,
    describe_disagreement,
    describe_finding,
    describe_set_aside,
)
from melanoma_core.reading.verdict import Verdict
from melanoma_core.software import NOT_CONFIRMED, VERSION
from melanoma_core.taxonomy import TIER_STYLES

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.reading.entry import Entry
    from melanoma_core.reading.grouping import Lesion

MAX_NOTES = 600  # characters, so that the report stays one page
MAX_OTHERS = 5  # photographs of a lesion beside the main one, so that the report stays one page
_MAX_CAPTION = 40
_MAX_NAME = 120
NO_OPERATING_POINT = "This model has no operating point for it."


@dataclass(frozen=True)
class AlertRow:
    """One of the two alerts with its operating point.

    Attributes:
        name: What it looks for.
        result: Whether it is raised.
        probability: Of the model, unadapted.
        point: Its operating point.
    """

    name: str
    result: str
    probability: str
    point: str


@dataclass(frozen=True)
class Report:
    """The text of a report.

    Attributes:
        title: With the name of the photograph.
        date: When it was made, with the time zone.
        headline: The level of the finding.
        sentence: The finding and its reasons.
        warnings: What limits this reading: read against a refusal, image quality.
        alerts: Both alerts.
        diagnoses: All diagnoses, the most probable first: symbol and name of the tier, diagnosis,
            probability, and whether it is in the differential diagnosis.
        assumption: Which prevalence the probabilities assume.
        model: Its id and date, and the results of its melanoma alert.
        limits: Limitations of the model.
        notes: What the person typed; "" if nothing.
        overlay: What the second image shows.
        photograph: What the first image shows.
        others: What each small image shows: name and own answer of a photograph of the lesion.
    """

    title: str
    date: str
    headline: str
    sentence: str
    warnings: tuple[str, ...]
    alerts: tuple[AlertRow, ...]
    diagnoses: tuple[tuple[str, str, str, str], ...]
    assumption: str
    model: str
    limits: tuple[str, ...]
    notes: str
    overlay: str
    photograph: str = "Photograph"
    others: tuple[str, ...] = ()


def write_report(
    entry: "Entry",
    overlay: str,
    made_at: datetime,
    notes: str = "",
    adapted: AdaptedReading | None = None,
) -> Report:
    """Return the report of a photograph.

    Args:
        entry: The photograph that was read.
        overlay: What the second image shows.
        made_at: Local time, with its zone.
        notes: What the person typed. Control characters and all beyond 600 characters are left
            out, so that the report stays one page.
        adapted: Probabilities in the clinic; None without a prevalence.
    """
    reading = entry.reading
    report = _write(reading, entry.card, made_at, adapted)
    return replace(
        report,
        title=f"Reading of {_clean(entry.name, _MAX_NAME)}",
        warnings=(*report.warnings, *(_clean(finding.text) for finding in reading.quality)),
        notes=_clean(notes, MAX_NOTES),
        overlay=overlay,
    )


def write_lesion_report(
    lesion: "Lesion",
    overlay: str,
    made_at: datetime,
    notes: str = "",
    adapted: Callable[[Verdict], AdaptedReading | None] | None = None,
) -> Report:
    """Return the report of a lesion: what all its photographs say together, and each alone.

    Args:
        lesion: The lesion.
        overlay: What the second image shows, of the photograph that `order_photographs` puts first.
        made_at: Local time, with its zone.
        notes: As for `write_report`.
        adapted: Returns the probabilities of a reading in the clinic; None without a prevalence.
    """
    reading, card, count = lesion.reading, lesion.entries[0].card, len(lesion.entries)
    adapt = adapted or (lambda _: None)
    first, *others = order_photographs(lesion)
    in_clinic = [found for each in reading.counted if (found := adapt(each))]
    disagreement = describe_disagreement(reading, in_clinic)
    if reading.is_combined and not disagreement:
        disagreement = "The photographs agree."
    unseen = len(others) - MAX_OTHERS
    surplus = f"{unseen:,} more of its photographs are not shown." if unseen > 0 else ""
    report = _write(reading, card, made_at, adapt(reading))
    texts = (disagreement, describe_set_aside(reading), *report.warnings, surplus)
    return replace(
        report,
        title=f"Reading of {_clean(lesion.name, _MAX_NAME)}, {count:,} photographs",
        warnings=tuple(filter(None, texts)),
        notes=_clean(notes, MAX_NOTES),
        overlay=overlay,
        photograph=_describe_own(first, adapt(first.reading)),
        others=tuple(_describe_own(each, adapt(each.reading)) for each in others[:MAX_OTHERS]),
    )


def order_photographs(lesion: "Lesion") -> "list[Entry]":
    """Return the photographs of a lesion, those that count first, the most suspicious first."""
    counted = {id(reading) for reading in lesion.reading.counted}
    return sorted(lesion.entries, key=lambda entry: id(entry.reading) not in counted)


def _write(
    verdict: Verdict, card: ModelCard, made_at: datetime, adapted: AdaptedReading | None
) -> Report:
    """Return what the report of a photograph and that of a lesion have in common."""
    statement = describe_finding(verdict, adapted)
    listed = {each.diagnosis for each in list_differential(verdict, adapted)}
    origins = find_origins(card)
    by_lesion = getattr(verdict, "is_combined", False)
    results = describe_results(card, by_lesion=by_lesion)
    marks = (READ_ANYWAY if verdict.read_anyway else "", describe_crops(verdict))
    return Report(
        title="",
        date=made_at.strftime("%d %B %Y, %H:%M %Z").strip(),
        headline=statement.headline,
        sentence=statement.sentence,
        warnings=tuple(filter(None, marks)),
        alerts=(
            _describe_alert(
                "Melanoma", verdict.melanoma_probability, verdict.alert, origins.get("melanoma")
            ),
            _describe_alert(
                "Any skin cancer",
                verdict.skin_cancer_probability,
                verdict.skin_cancer_alert,
                origins.get("skin_cancer"),
            ),
        ),
        diagnoses=tuple(
            (
                f"{TIER_STYLES[diagnosis.tier].symbol} {diagnosis.tier}",
                diagnosis.title,
                format_percent(probability),
                "yes" if diagnosis in listed else "",
            )
            for diagnosis, probability in rank_diagnoses(adapted or verdict)
        ),
        assumption=describe_assumption(card, adapted.prevalence if adapted else None),
        model=_clean(
            f"Model {card.model_id}, {card.created_at[:10]}: {results} Read with version "
            f"{VERSION} of this software. {NOT_CONFIRMED}"
        ),
        limits=tuple(_clean(limit) for limit in card.limitations),
        notes="",
        overlay="",
    )


def _describe_own(entry: "Entry", adapted: AdaptedReading | None) -> str:
    """Return the name and the answer of one photograph, in a few words."""
    shown = adapted or entry.reading
    top = shown.top_diagnosis
    answer = describe_finding(entry.reading, adapted).headline
    return (
        f"{_clean(entry.name, _MAX_CAPTION)}: {answer}, {top.title} "
        f"{format_percent(shown.find_probability(top))}"
    )


def _describe_alert(
    name: str, probability: float, alert: bool | None, origin: PointOrigin | None
) -> AlertRow:
    if origin is None:
        return AlertRow(name, "", format_percent(probability), NO_OPERATING_POINT)
    shown, threshold = format_beside_threshold(probability, origin.threshold)
    return AlertRow(
        name,
        "alert" if alert else "no alert",
        shown,
        f"threshold {threshold}, {origin.describe()}",
    )


def _clean(text: str, longest: int | None = None) -> str:
    """Return text as one line without control characters, cut where it is too long."""
    line = " ".join(neutralise(text).split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"

"""What the report of a reading says, on one page: as text, for paper and for the screen.

Every value is plain text on one line. The caller escapes it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.models.card import OperatingPoint
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.prevalence import describe_assumption
from melanoma_core.models.card_text.wording import describe_results
from melanoma_core.names import neutralise
from melanoma_core.reading.differential import list_differential
from melanoma_core.reading.ranking import rank_diagnoses
from melanoma_core.reading.statement import READ_ANYWAY, describe_finding
from melanoma_core.taxonomy import TIER_STYLES

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.reading.entry import Entry

MAX_NOTES = 600  # characters, so that the report stays one page
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
    reading, card = entry.reading, entry.card
    statement = describe_finding(reading, adapted)
    listed = {each.diagnosis for each in list_differential(reading, adapted)}
    marks = [READ_ANYWAY] if reading.read_anyway else []
    return Report(
        title=f"Reading of {_clean(entry.name, _MAX_NAME)}",
        date=made_at.strftime("%d %B %Y, %H:%M %Z").strip(),
        headline=statement.headline,
        sentence=statement.sentence,
        warnings=(*marks, *(_clean(finding.text) for finding in reading.quality)),
        alerts=(
            _describe_alert(
                "Melanoma", reading.melanoma_probability, reading.alert, card.operating_point
            ),
            _describe_alert(
                "Any skin cancer",
                reading.skin_cancer_probability,
                reading.skin_cancer_alert,
                card.skin_cancer_operating_point,
            ),
        ),
        diagnoses=tuple(
            (
                f"{TIER_STYLES[diagnosis.tier].symbol} {diagnosis.tier}",
                diagnosis.title,
                format_percent(probability),
                "yes" if diagnosis in listed else "",
            )
            for diagnosis, probability in rank_diagnoses(adapted or reading)
        ),
        assumption=describe_assumption(card, adapted.prevalence if adapted else None),
        model=_clean(f"Model {card.model_id}, {card.created_at[:10]}: {describe_results(card)}"),
        limits=tuple(_clean(limit) for limit in card.limitations),
        notes=_clean(notes, MAX_NOTES),
        overlay=overlay,
    )


def _describe_alert(
    name: str, probability: float, alert: bool | None, point: OperatingPoint | None
) -> AlertRow:
    if point is None:
        return AlertRow(name, "", format_percent(probability), NO_OPERATING_POINT)
    shown, threshold = format_beside_threshold(probability, point.threshold)
    return AlertRow(
        name,
        "alert" if alert else "no alert",
        shown,
        f"threshold {threshold}, chosen on {_clean(point.chosen_on)} for a sensitivity of "
        f"{format_percent(point.target_sensitivity)}",
    )


def _clean(text: str, longest: int | None = None) -> str:
    """Return text as one line without control characters, cut where it is too long."""
    line = " ".join(neutralise(text).split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"

"""HTML of what a reading says: its level, its sentence and its two alerts. Text is escaped."""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.markup import name_diagnosis
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.reading.statement import (
    READ_ANYWAY,
    Level,
    describe_disagreement,
    describe_finding,
)
from melanoma_core.taxonomy import TIER_STYLES, RiskTier

if TYPE_CHECKING:  # the page is painted before ONNX Runtime is imported
    from melanoma_core.reading.grouping import Lesion
    from melanoma_core.reading.lesion import LesionReading
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.verdict import Verdict

_MALIGNANT = TIER_STYLES[RiskTier.MALIGNANT]
# Not the symbol of a tier: a lesion without an alert may still be malignant.
_SYMBOLS = {
    Level.MELANOMA: _MALIGNANT.symbol,
    Level.SKIN_CANCER: _MALIGNANT.symbol,
    Level.NONE: "○",
}
_KINDS = {Level.MELANOMA: "alert", Level.SKIN_CANCER: "suspected", Level.NONE: "no-alert"}
_ALERT_STYLE = f"--tier:{_MALIGNANT.colour}"
_READ_ANYWAY = "⚠ out of distribution, read anyway"
_NO_OPERATING_POINT = "no operating point in this model"


def name_level(verdict: "Verdict") -> str:
    """Return the level of a reading as a symbol and its words."""
    statement = describe_finding(verdict)
    return f"{_SYMBOLS[statement.level]} {statement.headline}"


def render_banner(verdict: "Verdict") -> str:
    """Render the level as symbol, words and colour, and the sentence that says why."""
    statement = describe_finding(verdict)
    return (
        f'<section class="banner {_KINDS[statement.level]}" style="{_ALERT_STYLE}" role="status">'
        f'<span class="shape" aria-hidden="true">{_SYMBOLS[statement.level]}</span>'
        f'<div><p class="verdict">{escape(statement.headline)}</p>'
        f"<p>{escape(statement.sentence)}</p></div></section>"
    )


def render_probabilities(verdict: "Verdict") -> str:
    """Render the probabilities of melanoma and of any skin cancer beside their thresholds."""
    melanoma = _render_bar("melanoma", verdict.melanoma_probability, verdict.threshold)
    any_cancer = _render_bar(
        "any skin cancer", verdict.skin_cancer_probability, verdict.skin_cancer_threshold
    )
    return f'<section class="probabilities">{melanoma}{any_cancer}</section>'


def render_row(lesion: "Lesion") -> str:
    """Render a row of the list: name, leading diagnosis, both probabilities and marks."""
    reading, count = lesion.reading, len(lesion.entries)
    lines = [_describe_leading(reading), *_describe_alerts(reading)]
    if count > 1:
        lines.append(f"{count:,} photographs")
    if reading.read_anyway:
        lines.append(_READ_ANYWAY)
    facts = "".join(f'<p class="fact">{escape(line)}</p>' for line in lines)
    return f'<p class="name">{escape(lesion.name)}</p>{facts}'


def render_own(reading: "Reading", name: str) -> str:
    """Render what one photograph of a lesion says by itself."""
    lines = [
        name_level(reading),
        _describe_leading(reading),
        *_describe_alerts(reading),
        *(finding.text for finding in reading.quality),
    ]
    if reading.read_anyway:
        lines.append(_READ_ANYWAY)
    facts = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<section class="own"><p><strong>{escape(name)}</strong></p>{facts}</section>'


def render_mark(reading: "Reading | LesionReading") -> str:
    """Render the lasting mark of what was read against a refusal; "" where nothing was."""
    if not reading.read_anyway:
        return ""
    return f'<p class="warning" role="note">⚠ {escape(READ_ANYWAY)}</p>'


def render_disagreement(reading: "LesionReading") -> str:
    """Render in what the photographs of a lesion disagree, or that they agree."""
    disagreement = describe_disagreement(reading)
    if not disagreement:
        return '<p class="agreement">The photographs agree.</p>'
    return f'<p class="warning" role="note">{escape(disagreement)}</p>'


def _describe_leading(verdict: "Verdict") -> str:
    top = verdict.top_diagnosis
    return f"{name_diagnosis(top)} {format_percent(verdict.find_probability(top))}"


def _describe_alerts(verdict: "Verdict") -> tuple[str, str]:
    """Return both probabilities, each with its alert."""
    return (
        _describe_alert("Melanoma", verdict.alert, verdict.melanoma_probability),
        _describe_alert(
            "Any skin cancer", verdict.skin_cancer_alert, verdict.skin_cancer_probability
        ),
    )


def _describe_alert(name: str, alert: bool | None, probability: float) -> str:
    shown = format_percent(probability)
    if alert is None:
        return f"{name}: {shown}"
    return f"{name}: {'alert' if alert else 'no alert'} ({shown})"


def _render_bar(name: str, probability: float, threshold: float | None) -> str:
    if threshold is None:
        shown, beside, is_alert, mark = format_percent(probability), _NO_OPERATING_POINT, False, ""
    else:
        shown, limit = format_beside_threshold(probability, threshold)
        is_alert = probability >= threshold
        beside = f"{'alert' if is_alert else 'no alert'}, threshold {limit}"
        mark = f'<div class="mark" style="left:{threshold:.2%}"></div>'
    kind = "alert" if is_alert else "no-alert"
    return (
        f'<div class="probability {kind}" style="{_ALERT_STYLE}">'
        f"<p><strong>{escape(shown)}</strong> probability of {name}, "
        f'<span class="threshold">{escape(beside)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{probability:.2%}"></div>{mark}</div></div>'
    )

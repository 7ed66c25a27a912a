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
    describe_set_aside,
)
from melanoma_core.taxonomy import TIER_STYLES, RiskTier

if TYPE_CHECKING:  # the page is painted before ONNX Runtime is imported
    from collections.abc import Sequence

    from melanoma_core.models.adaptation import AdaptedReading
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
_ALERT_OF_MELANOMA = "alert because of melanoma, threshold {}"  # in a card of an older version
_NO_OPERATING_POINT = "no operating point in this model"


def name_level(verdict: "Verdict", adapted: "AdaptedReading | None" = None) -> str:
    """Return the level of a reading as a symbol and its words.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    statement = describe_finding(verdict, adapted)
    return f"{_SYMBOLS[statement.level]} {statement.headline}"


def render_banner(verdict: "Verdict", adapted: "AdaptedReading | None" = None) -> str:
    """Render the level as symbol, words and colour, and the sentence that says why.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    statement = describe_finding(verdict, adapted)
    return (
        f'<section class="banner {_KINDS[statement.level]}" style="{_ALERT_STYLE}" role="status">'
        f'<span class="shape" aria-hidden="true">{_SYMBOLS[statement.level]}</span>'
        f'<div><p class="verdict">{escape(statement.headline)}</p>'
        f"<p>{escape(statement.sentence)}</p></div></section>"
    )


def render_probabilities(verdict: "Verdict") -> str:
    """Render the probabilities of melanoma and of any skin cancer beside their thresholds."""
    melanoma = _render_bar(
        "melanoma", verdict.melanoma_probability, verdict.threshold, verdict.alert
    )
    any_cancer = _render_bar(
        "any skin cancer",
        verdict.skin_cancer_probability,
        verdict.skin_cancer_threshold,
        verdict.skin_cancer_alert,
    )
    return f'<section class="probabilities">{melanoma}{any_cancer}</section>'


def render_row(lesion: "Lesion", adapted: "AdaptedReading | None" = None) -> str:
    """Render a row of the list: name, leading diagnosis, both probabilities and marks.

    Args:
        lesion: Of the list.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    reading, count = lesion.reading, len(lesion.entries)
    lines = [_describe_leading(adapted or reading), *_describe_alerts(reading, adapted)]
    if count > 1:
        counted = len(reading.counted)
        left_out = "" if counted == count else f", of which {counted:,} counted"
        lines.append(f"{count:,} photographs{left_out}")
    if reading.read_anyway:
        lines.append(_READ_ANYWAY)
    facts = "".join(f'<p class="fact">{escape(line)}</p>' for line in lines)
    return f'<p class="name">{escape(lesion.name)}</p>{facts}'


def render_own(reading: "Reading", name: str, adapted: "AdaptedReading | None" = None) -> str:
    """Render what one photograph of a lesion says by itself.

    Args:
        reading: Of the photograph.
        name: Of the photograph.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    lines = [
        name_level(reading, adapted),
        _describe_leading(adapted or reading),
        *_describe_alerts(reading, adapted),
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


def render_disagreement(reading: "LesionReading", adapted: "Sequence[AdaptedReading]" = ()) -> str:
    """Render in what the photographs of a lesion disagree, or that they agree.

    Args:
        reading: Of the lesion.
        adapted: Of each photograph that counts, its probabilities in the clinic; empty without a
            prevalence.
    """
    if len(reading.counted) == 1:
        return ""
    disagreement = describe_disagreement(reading, adapted)
    if not disagreement:
        return '<p class="agreement">The photographs agree.</p>'
    return f'<p class="warning" role="note">{escape(disagreement)}</p>'


def render_set_aside(reading: "LesionReading") -> str:
    """Render which photographs of a lesion do not count; "" if all do."""
    text = describe_set_aside(reading)
    return f'<p class="warning" role="note">{escape(text)}</p>' if text else ""


def _describe_leading(verdict: "Verdict | AdaptedReading") -> str:
    top = verdict.top_diagnosis
    return f"{name_diagnosis(top)} {format_percent(verdict.find_probability(top))}"


def _describe_alerts(verdict: "Verdict", adapted: "AdaptedReading | None") -> tuple[str, str]:
    """Return both probabilities of the model, each with its alert."""
    after = " unadapted" if adapted else ""
    melanoma = f"{format_percent(verdict.melanoma_probability)}{after}"
    any_cancer = f"{format_percent(verdict.skin_cancer_probability)}{after}"
    return (
        _describe_alert("Melanoma", verdict.alert, melanoma),
        _describe_alert("Any skin cancer", verdict.skin_cancer_alert, any_cancer),
    )


def _describe_alert(name: str, alert: bool | None, shown: str) -> str:
    if alert is None:
        return f"{name}: {shown}"
    return f"{name}: {'alert' if alert else 'no alert'} ({shown})"


def _render_bar(name: str, probability: float, threshold: float | None, alert: bool | None) -> str:
    if threshold is None:
        shown, beside, mark = format_percent(probability), _NO_OPERATING_POINT, ""
    else:
        shown, limit = format_beside_threshold(probability, threshold)
        beside = f"{'alert' if alert else 'no alert'}, threshold {limit}"
        if alert and probability < threshold:
            beside = _ALERT_OF_MELANOMA.format(limit)
        mark = f'<div class="mark" style="left:{threshold:.2%}"></div>'
    kind = "alert" if alert else "no-alert"
    return (
        f'<div class="probability {kind}" style="{_ALERT_STYLE}">'
        f"<p><strong>{escape(shown)}</strong> probability of {name}, "
        f'<span class="threshold">{escape(beside)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{probability:.2%}"></div>{mark}</div></div>'
    )

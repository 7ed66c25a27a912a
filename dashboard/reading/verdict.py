"""HTML of what a reading says at a glance: its level, its two alerts and its differential.

Text is escaped.
"""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.markup import name_diagnosis
from melanoma_core.models.adaptation import find_trained_prevalence
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.prevalence import format_prevalence
from melanoma_core.reading.crop_text import describe_crops
from melanoma_core.reading.differential import Candidate, list_differential
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
    from melanoma_core.models.card import ModelCard
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
_CROPPED = "⚠ read from a crop"
_ALERT_OF_MELANOMA = "alert because of melanoma, threshold {}"  # in a card of an older version
_NO_OPERATING_POINT = "no operating point in this model"
_WHY_UNLIKELY = "Below 1%: malignant, not excluded."


def name_level(verdict: "Verdict", adapted: "AdaptedReading | None" = None) -> str:
    """Return the level of a reading as a symbol and its words.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    statement = describe_finding(verdict, adapted)
    return f"{_SYMBOLS[statement.level]} {statement.headline}"


def render_banner(verdict: "Verdict", adapted: "AdaptedReading | None" = None) -> str:
    """Render the level as symbol, words and colour, and a sentence of a few words.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    statement = describe_finding(verdict, adapted)
    return (
        f'<section class="banner {_KINDS[statement.level]}" style="{_ALERT_STYLE}" role="status">'
        f'<span class="shape" aria-hidden="true">{_SYMBOLS[statement.level]}</span>'
        f'<div><p class="verdict">{escape(statement.headline)}</p>'
        f"<p>{escape(statement.summary)}</p></div></section>"
    )


def render_glance(
    verdict: "Verdict", card: "ModelCard", adapted: "AdaptedReading | None" = None
) -> str:
    """Render both alerts, the differential diagnosis and the prevalence, in a few words.

    Args:
        verdict: Of a photograph or of a lesion.
        card: Of the model that read it.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    shown = adapted or verdict
    measures = (
        (
            "Melanoma",
            (verdict.melanoma_probability, shown.melanoma_probability),
            verdict.threshold,
            verdict.alert,
        ),
        (
            "Skin cancer",
            (verdict.skin_cancer_probability, shown.skin_cancer_probability),
            verdict.skin_cancer_threshold,
            verdict.skin_cancer_alert,
        ),
    )
    rows = "".join(
        _render_measure(*measure, is_adapted=adapted is not None) for measure in measures
    )
    listed = list_differential(verdict, adapted)
    chips = "".join(_render_chip(each, shown.top_diagnosis) for each in listed)
    unlikely = any(each.is_unlikely for each in listed)
    notes = [_WHY_UNLIKELY] if unlikely else []
    assumed = adapted.prevalence if adapted else find_trained_prevalence(card)
    if assumed is not None and not verdict.read_anyway:
        notes.append(
            f"Prevalence: melanoma {format_prevalence(assumed.melanoma)}, skin cancer "
            f"{format_prevalence(assumed.skin_cancer)}."
        )
    return (
        f'<section class="glance">{rows}<ul class="chips" aria-label="Differential diagnosis">'
        f"{chips}</ul>{''.join(f'<p>{escape(note)}</p>' for note in notes)}</section>"
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


def render_row(
    lesion: "Lesion", adapted: "AdaptedReading | None" = None, *, looked_at: bool = False
) -> str:
    """Render a row of the list: file, leading diagnosis, tier, both probabilities and marks.

    Args:
        lesion: Of the list.
        adapted: Its probabilities in the clinic; None without a prevalence.
        looked_at: Whether a person has looked at it.
    """
    reading, count = lesion.reading, len(lesion.entries)
    shown = adapted or reading
    leading = f"{_describe_leading(shown)}, {shown.top_diagnosis.tier}"
    lines = [leading, *_describe_alerts(reading, adapted)]
    if count > 1:
        counted = len(reading.counted)
        left_out = "" if counted == count else f", of which {counted:,} counted"
        lines.append(f"{count:,} photographs{left_out}")
    if reading.read_anyway:
        lines.append(_READ_ANYWAY)
    if any(each.crop for each in reading.readings):
        lines.append(_CROPPED)
    if looked_at:
        lines.append("✓ looked at")
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
    if reading.crop:
        lines.append(_CROPPED)
    facts = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<section class="own"><p><strong>{escape(name)}</strong></p>{facts}</section>'


def render_mark(reading: "Reading | LesionReading") -> str:
    """Render the lasting marks of what was read against a refusal, or of a crop; "" without.

    What a mark means is one click away.
    """
    marks = {_READ_ANYWAY: READ_ANYWAY if reading.read_anyway else ""}
    marks[_CROPPED] = describe_crops(reading)
    return "".join(
        f'<details class="warning"><summary>⚠ {escape(name[2:].capitalize())}</summary>'
        f"<p>{escape(text)}</p></details>"
        for name, text in marks.items()
        if text
    )


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


def _render_measure(
    name: str,
    probabilities: tuple[float, float],
    threshold: float | None,
    alert: bool | None,
    *,
    is_adapted: bool,
) -> str:
    """Render a probability, as the model and the clinic have it, with its alert and threshold."""
    own, shown = probabilities
    text, limit = format_percent(own), _NO_OPERATING_POINT
    if threshold is not None:
        text, limit = format_beside_threshold(own, threshold)
        limit = f"threshold {limit}"
    state = "" if alert is None else "alert" if alert else "no alert"
    beside = ", ".join(filter(None, (state, limit)))
    if is_adapted:
        beside = f"{state} (unadapted {text}, {limit})".strip()
        text = format_percent(shown)
    mark = ""
    if threshold is not None and not is_adapted:
        mark = f'<div class="mark" style="left:{threshold:.2%}"></div>'
    return (
        f'<div class="probability {"alert" if alert else "no-alert"}" style="{_ALERT_STYLE}">'
        f"<p>{escape(name)} <strong>{escape(text)}</strong> "
        f'<span class="threshold">{escape(beside)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{shown:.2%}"></div>{mark}</div></div>'
    )


def _render_chip(candidate: Candidate, leading: object) -> str:
    style = TIER_STYLES[candidate.diagnosis.tier]
    kind = ' class="leading"' if candidate.diagnosis is leading else ""
    return (
        f'<li{kind} style="--tier:{style.colour}"><span role="img" '
        f'aria-label="{candidate.diagnosis.tier}">{style.symbol}</span> '
        f"{escape(candidate.diagnosis.title)} "
        f"<strong>{escape(format_percent(candidate.probability))}</strong></li>"
    )


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

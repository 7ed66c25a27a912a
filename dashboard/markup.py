"""The answer as HTML: data in, text out, no st call. Every text from outside is escaped here."""

import string
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.reading.ranking import TierShare, group_by_tier, rank_diagnoses
from melanoma_core.reading.wording import (
    describe_caution,
    describe_frequencies,
    describe_model,
    describe_probability,
    describe_sensitivity,
    describe_specificity,
    format_beside_threshold,
    format_percent,
)
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis

if TYPE_CHECKING:  # for the names alone: a page is painted before ONNX Runtime is there
    from collections.abc import Iterable

    from melanoma_core.models.card import ModelCard
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.worklist import RefusedFile

ALERT_SYMBOL, NO_ALERT_SYMBOL = "▲", "○"
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return text.translate(_MARKDOWN)


def name_diagnosis(diagnosis: Diagnosis) -> str:
    """Return a diagnosis with its tier's shape, as "▲ melanoma"."""
    return f"{TIER_STYLES[diagnosis.tier].symbol} {diagnosis.title}"


def name_alert(reading: "Reading") -> str:
    """Return the alert in shape and word, with the probability it stands on."""
    probability = format_percent(reading.melanoma_probability)
    if reading.alert:
        return f"{ALERT_SYMBOL} Alert {probability}"
    return f"{NO_ALERT_SYMBOL} No alert {probability}"


def render_banner(reading: "Reading") -> str:
    """Render whether this is an alert, in shape, word and colour, and what is most probable."""
    symbol, verdict, kind = (
        (ALERT_SYMBOL, "Melanoma alert", "alert")
        if reading.alert
        else (NO_ALERT_SYMBOL, "No melanoma alert", "no-alert")
    )
    diagnosis, probability = rank_diagnoses(reading)[0]
    return (
        f'<section class="banner {kind}" role="status">'
        f'<span class="shape" aria-hidden="true">{symbol}</span>'
        f'<div><p class="verdict">{verdict}</p>'
        f"<p>Most probable: {name_diagnosis(diagnosis)} ({diagnosis.tier}), "
        f"{_percent(probability)}</p></div></section>"
    )


def render_probability(reading: "Reading") -> str:
    """Render the probability of melanoma beside the threshold, as numbers and as a bar."""
    probability, threshold = format_beside_threshold(
        reading.melanoma_probability, reading.threshold
    )
    kind = "alert" if reading.alert else "no-alert"
    return (
        f'<section class="probability {kind}">'
        f'<p><strong>{escape(probability)}</strong> probability of melanoma, '
        f'<span class="threshold">alert from {escape(threshold)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{reading.melanoma_probability:.2%}"></div>'
        f'<div class="mark" style="left:{reading.threshold:.2%}"></div></div></section>'
    )


def render_threshold(reading: "Reading", card: "ModelCard") -> str:
    """Render what the answer means: the caution, and what the threshold achieved."""
    return (
        f'<section class="meaning"><p class="caution">'
        f"{escape(describe_caution(card, reading.alert))}</p>"
        f"<p>{escape(describe_probability(reading.melanoma_probability))}</p>"
        f"<p>{escape(describe_frequencies(card))} {escape(describe_sensitivity(card))} "
        f"{escape(describe_specificity(card))}</p></section>"
    )


def render_diagnoses(reading: "Reading") -> str:
    """Render every diagnosis with its probability, grouped by risk tier."""
    groups = "".join(_render_tier(share) for share in group_by_tier(reading))
    return (
        '<table class="diagnoses"><caption>Every diagnosis, by risk</caption>'
        f"{groups}</table>"
    )


def render_model(card: "ModelCard") -> str:
    """Render the model in use: id, date and its figures in one line."""
    return (
        f'<section class="model"><p>Read by <strong>{escape(card.model_id)}</strong>, made on '
        f"{escape(card.created_at[:10])}. {escape(describe_model(card))}</p></section>"
    )


def render_limits(card: "ModelCard") -> str:
    """Render what a model cannot do, one sentence each."""
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limitations)
    return f'<ul class="limits">{limits}</ul>'


def render_refused(files: "Iterable[RefusedFile]") -> str:
    """Render the files that were not read, each with its reason."""
    rows = "".join(
        f"<li><strong>{escape(file.name)}</strong> was not read. {escape(file.reason)}</li>"
        for file in files
    )
    return f'<ul class="refused" role="alert">{rows}</ul>'


def _render_tier(share: TierShare) -> str:
    style = TIER_STYLES[share.tier]
    rows = "".join(
        f'<tr><th scope="row">{diagnosis.title}</th><td class="bar"><div style="width:'
        f'{probability:.2%}"></div></td><td>{_percent(probability)}</td></tr>'
        for diagnosis, probability in share.diagnoses
    )
    return (
        f'<tbody style="--tier:{style.colour}"><tr class="tier"><th scope="rowgroup" colspan="2">'
        f'<span aria-hidden="true">{style.symbol}</span> {share.tier.capitalize()}</th>'
        f"<td>{_percent(share.probability)}</td></tr>{rows}</tbody>"
    )


def _percent(share: float) -> str:
    return escape(format_percent(share))

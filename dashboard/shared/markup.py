"""The answer as HTML: data in, text out, no st call. Every text from outside is escaped here."""

import re
import string
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.heatmaps import describe_maps
from melanoma_core.models.card_text.wording import (
    describe_caution,
    describe_frequencies,
    describe_model,
    describe_novelty,
    describe_probability,
    describe_sensitivity,
    describe_set,
    describe_specificity,
)
from melanoma_core.reading.ranking import TierShare, group_by_tier, rank_diagnoses
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier

if TYPE_CHECKING:  # for the names alone: a page is painted before ONNX Runtime is there
    from collections.abc import Iterable

    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.methods import Method
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.worklist import RefusedFile

# Of the malignant tier; without an alert the ring says nothing of a tier, since a lesion that is no
# melanoma may still be malignant.
ALERT_SYMBOL, NO_ALERT_SYMBOL = TIER_STYLES[RiskTier.MALIGNANT].symbol, "○"
_ALERT_STYLE = f"--tier:{TIER_STYLES[RiskTier.MALIGNANT].colour}"
_OWN_SCALE = (
    "This map is drawn on the photograph's own scale: compare its places, not two photographs."
)
# They turn the direction of all that follows, so that a path could reverse the sentence around it.
# Names of photographs come without them (`worklist.clean_name`).
_OVERRIDES = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation}) | _OVERRIDES


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, but for Streamlit's own dashes and arrows."""
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
    kind, symbol, verdict = (
        ("alert", ALERT_SYMBOL, "Melanoma alert")
        if reading.alert
        else ("no-alert", NO_ALERT_SYMBOL, "No melanoma alert")
    )
    diagnosis, probability = rank_diagnoses(reading)[0]
    return (
        f'<section class="banner {kind}" style="{_ALERT_STYLE}" role="status">'
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
        f'<section class="probability {kind}" style="{_ALERT_STYLE}">'
        f"<p><strong>{escape(probability)}</strong> probability of melanoma, "
        f'<span class="threshold">alert from {escape(threshold)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{reading.melanoma_probability:.2%}"></div>'
        f'<div class="mark" style="left:{reading.threshold:.2%}"></div></div></section>'
    )


def render_meaning(reading: "Reading", card: "ModelCard") -> str:
    """Render what the answer means, in natural frequencies, and what it may be."""
    found = reading.prediction_set
    may_be = f"<p>{escape(describe_set(found, reading.alert))}</p>" if found else ""
    return (
        f'<section class="meaning"><p class="caution">'
        f"{escape(describe_caution(card, reading.alert))}</p>"
        f"<p>{escape(describe_probability(reading.melanoma_probability))}</p>{may_be}</section>"
    )


def render_warnings(reading: "Reading", card: "ModelCard") -> str:
    """Render how far the photograph itself can be trusted: what is wrong with it, how unusual.

    What is wrong comes first and looks like a warning; that all is as usual is told in one line.
    """
    found = "".join(f"<li>{escape(finding.text)}</li>" for finding in reading.quality)
    warnings = f'<ul class="warnings" role="alert">{found}</ul>' if found else ""
    return f'<section class="photograph">{warnings}<p>{_tell_novelty(reading, card)}</p></section>'


def _tell_novelty(reading: "Reading", card: "ModelCard") -> str:
    if reading.is_drawn:
        return (
            "A drawn demonstration lesion: whether it looks like a photograph of a lesion is not "
            "asked."
        )
    if reading.novelty is None or reading.novelty_limit is None:
        return f"{escape(describe_novelty(card))} Look whether this is one."
    return (
        "It looks like what the network learned from: distance "
        f"{reading.novelty:.1f}, refused beyond {reading.novelty_limit:.1f}."
    )


def render_diagnoses(reading: "Reading") -> str:
    """Render every diagnosis with its probability, grouped by risk tier."""
    groups = "".join(_render_tier(share) for share in group_by_tier(reading))
    return f'<table class="diagnoses"><caption>Every diagnosis, by risk</caption>{groups}</table>'


def render_name(name: str) -> str:
    """Render the name of a file."""
    return f'<p class="name">{escape(name)}</p>'


def render_trust(card: "ModelCard") -> str:
    """Render the model: id, date, its figures in one line, and what its threshold achieved."""
    return (
        f'<section class="trust"><p>Model <strong>{escape(card.model_id)}</strong>, made on '
        f"{escape(card.created_at[:10])}. {escape(describe_model(card))}</p>"
        f"<p>{escape(describe_sensitivity(card))} {escape(describe_specificity(card))}</p>"
        "</section>"
    )


def render_map_trust(card: "ModelCard", method: "Method") -> str:
    """Render how far the maps of a method can be trusted, and what their colours compare."""
    scale = "" if method.is_instant else f"{_OWN_SCALE} "
    return f'<p class="map-trust">{escape(scale + describe_maps(card, method))}</p>'


def render_limits(card: "ModelCard") -> str:
    """Render what a model cannot do, one sentence each."""
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limitations)
    return f'<ul class="limits">{limits}</ul>'


def render_facts(card: "ModelCard") -> str:
    """Render which model it is, what it is for, and on what terms."""
    facts = {
        "Model": card.model_id,
        "Made": card.created_at,
        "For": card.intended_use,
        "Licence": card.data.get("licence_of_the_model"),
        "Data licences": "; ".join(card.data.get("licences", ())),
        "Data SHA-256": card.data.get("sha256"),
    }
    rows = "".join(
        f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items() if value
    )
    return f'<dl class="facts">{rows}</dl>'


def render_operating_point(card: "ModelCard") -> str:
    """Render the threshold, where it comes from and what it achieved."""
    point = card.operating_point
    sentences = (
        f"It alerts from a probability of melanoma of {format_percent(point.threshold)}: the "
        f"threshold that was chosen on the {point.chosen_on} photographs for a sensitivity of "
        f"{format_percent(point.target_sensitivity)}.",
        describe_frequencies(card),
        describe_sensitivity(card),
        describe_specificity(card),
    )
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)


def render_notice(text: str) -> str:
    """Render what everybody should know before they go on."""
    return f'<section class="leak" role="alert"><strong>!</strong><p>{escape(text)}</p></section>'


def render_paragraphs(sentences: "Iterable[str]") -> str:
    """Render sentences, each a paragraph; a warning stands out."""
    return "".join(
        f'<p class="warning" role="note">{escape(sentence)}</p>'
        if sentence.startswith("WARNING")
        else f"<p>{escape(sentence)}</p>"
        for sentence in sentences
        if sentence
    )


def render_error(text: str) -> str:
    """Render what a person can mend, with commands that can be copied as they are.

    As HTML, since Streamlit's Markdown turns the two hyphens of an option into a dash.
    """
    body = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text.translate(_OVERRIDES)))
    return f'<p class="error" role="alert">{body}</p>'


def render_refused(files: "Iterable[RefusedFile]") -> str:
    """Render the files that were not read, each with its reason."""
    rows = "".join(
        f"<li><strong>{escape(file.name)}</strong> was not read. {escape(file.reason)}</li>"
        for file in files
    )
    return f'<section class="refused" role="alert"><ul>{rows}</ul></section>'


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

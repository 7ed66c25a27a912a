"""HTML of a reading: data in, text out, no Streamlit call. All outside text is escaped."""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.markup import name_diagnosis
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.heatmaps import describe_maps
from melanoma_core.models.card_text.wording import (
    describe_caution,
    describe_model,
    describe_novelty,
    describe_probability,
    describe_sensitivity,
    describe_specificity,
)
from melanoma_core.reading.ranking import TierShare, group_by_tier, rank_diagnoses
from melanoma_core.reading.statement import describe_possible
from melanoma_core.taxonomy import TIER_STYLES, RiskTier

if TYPE_CHECKING:  # the page is painted before ONNX Runtime is imported
    from collections.abc import Iterable

    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.methods import Method
    from melanoma_core.reading.entry import RefusedFile
    from melanoma_core.reading.reading import Reading

_MALIGNANT = TIER_STYLES[RiskTier.MALIGNANT]
# Not the symbol of a tier: a lesion without a melanoma alert may still be malignant.
_NO_ALERT_SYMBOL = "○"
_ALERT_STYLE = f"--tier:{_MALIGNANT.colour}"
_OWN_SCALE = (
    "This heatmap is scaled to its own maximum. Compare regions within it, not two photographs."
)


def name_alert(reading: "Reading") -> str:
    """Return the alert as a symbol and a word, with the probability of melanoma."""
    symbol, name = (_MALIGNANT.symbol, "Alert") if reading.alert else (_NO_ALERT_SYMBOL, "No alert")
    return f"{symbol} {name} {format_percent(reading.melanoma_probability)}"


def render_banner(reading: "Reading") -> str:
    """Render the melanoma alert as symbol, word and colour, and the most probable diagnosis."""
    kind, symbol, verdict = (
        ("alert", _MALIGNANT.symbol, "Melanoma alert")
        if reading.alert
        else ("no-alert", _NO_ALERT_SYMBOL, "No melanoma alert")
    )
    diagnosis, probability = rank_diagnoses(reading)[0]
    return (
        f'<section class="banner {kind}" style="{_ALERT_STYLE}" role="status">'
        f'<span class="shape" aria-hidden="true">{symbol}</span>'
        f'<div><p class="verdict">{verdict}</p>'
        f"<p>Most probable diagnosis: {name_diagnosis(diagnosis)} ({diagnosis.tier}), "
        f"{_format_share(probability)}</p></div></section>"
    )


def render_probability(reading: "Reading") -> str:
    """Render the probability of melanoma and the alert threshold, as numbers and as a bar."""
    probability, threshold = format_beside_threshold(
        reading.melanoma_probability, reading.threshold
    )
    kind = "alert" if reading.alert else "no-alert"
    return (
        f'<section class="probability {kind}" style="{_ALERT_STYLE}">'
        f"<p><strong>{escape(probability)}</strong> probability of melanoma, "
        f'<span class="threshold">alert threshold {escape(threshold)}</span></p>'
        f'<div class="track" aria-hidden="true">'
        f'<div class="fill" style="width:{reading.melanoma_probability:.2%}"></div>'
        f'<div class="mark" style="left:{reading.threshold:.2%}"></div></div></section>'
    )


def render_meaning(reading: "Reading", card: "ModelCard") -> str:
    """Render the meaning of the result in natural frequencies, and the prediction set."""
    possible = describe_possible(reading)
    members = f"<p>{escape(possible)}</p>" if possible else ""
    return (
        f'<section class="meaning"><p class="caution">'
        f"{escape(describe_caution(card, reading.alert))}</p>"
        f"<p>{escape(describe_probability(reading.melanoma_probability))}</p>{members}</section>"
    )


def render_warnings(reading: "Reading", card: "ModelCard") -> str:
    """Render the image quality warnings, then the result of the out-of-distribution check."""
    items = "".join(f"<li>{escape(finding.text)}</li>" for finding in reading.quality)
    warnings = f'<ul class="warnings" role="alert">{items}</ul>' if items else ""
    check = escape(_describe_check(reading, card))
    return f'<section class="photograph">{warnings}<p>{check}</p></section>'


def _describe_check(reading: "Reading", card: "ModelCard") -> str:
    if reading.is_drawn:
        return "Out-of-distribution check not applied: this is a drawn demonstration lesion."
    if reading.novelty is None or reading.novelty_limit is None:
        return f"{describe_novelty(card)} Make sure that the photograph shows a skin lesion."
    return (
        f"Out-of-distribution check passed (distance {reading.novelty:.1f}, "
        f"limit {reading.novelty_limit:.1f})."
    )


def render_diagnoses(reading: "Reading") -> str:
    """Render the probability of every diagnosis, grouped by risk tier."""
    groups = "".join(_render_tier(share) for share in group_by_tier(reading))
    return (
        '<table class="diagnoses"><caption>Differential diagnosis by risk tier</caption>'
        f"{groups}</table>"
    )


def render_name(name: str) -> str:
    """Render the name of a file."""
    return f'<p class="name">{escape(name)}</p>'


def render_trust(card: "ModelCard") -> str:
    """Render the model's ID, date, main metrics, and sensitivity and specificity of its alert."""
    return (
        f'<section class="trust"><p>Model <strong>{escape(card.model_id)}</strong>, created on '
        f"{escape(card.created_at[:10])}. {escape(describe_model(card))}</p>"
        f"<p>{escape(describe_sensitivity(card))} {escape(describe_specificity(card))}</p>"
        "</section>"
    )


def render_map_trust(card: "ModelCard", method: "Method") -> str:
    """Render the scale of a method's heatmaps and the results of their faithfulness tests."""
    scale = "" if method.is_instant else f"{_OWN_SCALE} "
    return f'<p class="map-trust">{escape(scale + describe_maps(card, method))}</p>'


def render_refused(files: "Iterable[RefusedFile]") -> str:
    """Render the files that were not read, each with the reason."""
    rows = "".join(
        f"<li><strong>{escape(file.name)}</strong> {'were' if file.names else 'was'} not read. "
        f"{escape(file.reason)}</li>"
        for file in files
    )
    return f'<section class="refused" role="alert"><ul>{rows}</ul></section>'


def _render_tier(share: TierShare) -> str:
    style = TIER_STYLES[share.tier]
    rows = "".join(
        f'<tr><th scope="row">{diagnosis.title}</th><td class="bar"><div style="width:'
        f'{probability:.2%}"></div></td><td>{_format_share(probability)}</td></tr>'
        for diagnosis, probability in share.diagnoses
    )
    return (
        f'<tbody style="--tier:{style.colour}"><tr class="tier"><th scope="rowgroup" colspan="2">'
        f'<span aria-hidden="true">{style.symbol}</span> {share.tier.capitalize()}</th>'
        f"<td>{_format_share(share.probability)}</td></tr>{rows}</tbody>"
    )


def _format_share(share: float) -> str:
    return escape(format_percent(share))

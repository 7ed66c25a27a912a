"""HTML of a reading: data in, text out, no Streamlit call. All outside text is escaped."""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.markup import render_paragraphs
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.models.card_text.heatmaps import summarise_maps
from melanoma_core.models.card_text.prevalence import (
    describe_assumption,
    describe_caution,
    describe_likelihood,
    format_prevalence,
)
from melanoma_core.models.card_text.wording import describe_novelty, describe_results
from melanoma_core.reading.outline_text import describe_energy
from melanoma_core.reading.ranking import TierShare, group_by_tier
from melanoma_core.reading.statement import describe_finding, describe_possible
from melanoma_core.taxonomy import TIER_STYLES

if TYPE_CHECKING:  # the page is painted before ONNX Runtime is imported
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.models.adaptation import AdaptedReading
    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.methods import Method
    from melanoma_core.reading.entry import Entry, RefusedFile
    from melanoma_core.reading.grouping import TableUse
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.verdict import Verdict
    from melanoma_core.taxonomy import Diagnosis

_OWN_SCALE = (
    "This heatmap is scaled to its own maximum. Compare regions within it, not two photographs."
)


_NO_CLEAR_REGION = "No clear region: this heatmap marks no part of the photograph for {}."


def render_adapted(adapted: "AdaptedReading") -> str:
    """Render the probabilities of melanoma and of any skin cancer in the clinic."""
    clinic = adapted.prevalence
    return (
        '<section class="adapted"><p>Adapted to your clinic, where '
        f"{format_prevalence(clinic.melanoma)} of lesions are melanomas and "
        f"{format_prevalence(clinic.skin_cancer)} are skin cancers:</p>"
        f"<p><strong>{_format_share(adapted.melanoma_probability)}</strong> probability of "
        f"melanoma, <strong>{_format_share(adapted.skin_cancer_probability)}</strong> of any skin "
        "cancer</p></section>"
    )


def render_meaning(
    verdict: "Verdict",
    card: "ModelCard",
    adapted: "AdaptedReading | None" = None,
    *,
    by_lesion: bool = False,
) -> str:
    """Render the meaning of the result in natural frequencies, and the prediction set.

    Args:
        verdict: Of a photograph or of a lesion.
        card: Of the model that read it.
        adapted: Its probabilities in the clinic; None without a prevalence.
        by_lesion: Whether the verdict is of a lesion with several photographs.
    """
    shown = adapted or verdict
    clinic = adapted.prevalence if adapted else None
    alerts = (verdict.alert, verdict.skin_cancer_alert)
    likelihood = describe_likelihood(shown.melanoma_probability, shown.skin_cancer_probability)
    paragraphs = (
        f"{likelihood} {describe_assumption(card, clinic)}",
        describe_possible(verdict, card, adapted),
    )
    return (
        f'<section class="meaning"><p class="caution">'
        f"{escape(describe_caution(card, alerts, clinic, by_lesion=by_lesion))}</p>"
        f"{render_paragraphs(paragraphs)}</section>"
    )


def render_warnings(reading: "Reading") -> str:
    """Render the image quality warnings, each explained one click away; "" if there are none."""
    if not reading.quality:
        return ""
    kinds = ", ".join(str(finding.kind) for finding in reading.quality)
    items = "".join(f"<li>{escape(finding.text)}</li>" for finding in reading.quality)
    return (
        f'<details class="warnings"><summary>Quality: {escape(kinds)}</summary>'
        f"<ul>{items}</ul></details>"
    )


def render_sentence(verdict: "Verdict", adapted: "AdaptedReading | None" = None) -> str:
    """Render the finding with its reasons.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    return f'<p class="finding-text">{escape(describe_finding(verdict, adapted).sentence)}</p>'


def render_check(reading: "Reading", card: "ModelCard") -> str:
    """Render the result of the out-of-distribution check."""
    return f'<p class="check">{escape(_describe_check(reading, card))}</p>'


def _describe_check(reading: "Reading", card: "ModelCard") -> str:
    if reading.is_drawn:
        return "Out-of-distribution check not applied: this is a drawn demonstration lesion."
    if reading.novelty is None or reading.novelty_limit is None:
        return f"{describe_novelty(card)} Make sure that the photograph shows a skin lesion."
    result = "not passed, read anyway" if reading.read_anyway else "passed"
    return (
        f"Out-of-distribution check {result} (distance {reading.novelty:.1f}, "
        f"limit {reading.novelty_limit:.1f})."
    )


def render_diagnoses(reading: "Verdict | AdaptedReading") -> str:
    """Render the probability of every diagnosis, grouped by risk tier."""
    groups = "".join(_render_tier(share) for share in group_by_tier(reading))
    return (
        '<table class="diagnoses"><caption>Differential diagnosis by risk tier</caption>'
        f"{groups}</table>"
    )


def render_name(name: str) -> str:
    """Render the name of a file."""
    return f'<p class="name">{escape(name)}</p>'


def render_trust(card: "ModelCard", *, by_lesion: bool = False) -> str:
    """Render the model's ID and date, and the results of its melanoma alert, in one line.

    Args:
        card: Of the model.
        by_lesion: Whether the results are those of lesions, read from all their photographs.
    """
    results = describe_results(card, by_lesion=by_lesion)
    return (
        f'<p class="trust">Model <strong>{escape(card.model_id)}</strong>, '
        f"{escape(card.created_at[:10])}: {escape(results)}</p>"
    )


def render_map_trust(card: "ModelCard", method: "Method") -> str:
    """Render in one line the scale of a method's heatmaps, or how faithful they are."""
    line = summarise_maps(card, method) if method.is_instant else _OWN_SCALE
    return f'<p class="map-trust">{escape(line)}</p>'


def render_reduction(entry: "Entry") -> str:
    """Render how far a photograph is shown with fewer pixels than its file has; "" if it is not."""
    return f'<p class="reduction">{escape(entry.reduction)}</p>' if entry.reduction else ""


def render_energy(
    reading: "Reading", diagnosis: "Diagnosis", strengths: "NDArray[np.float32] | None"
) -> str:
    """Render whether a heatmap has a clear region, and its energy inside the outline.

    Args:
        reading: With or without an outline.
        diagnosis: That the heatmap explains.
        strengths: The heatmap; None for that of the reading.
    """
    from melanoma_core.reading.explanation import has_clear_region  # NumPy

    if strengths is None:
        strengths = reading.evidence[reading.class_names.index(diagnosis)]
    unclear = "" if has_clear_region(strengths) else _NO_CLEAR_REGION.format(diagnosis.title)
    text = describe_energy(reading.energy_inside(strengths))
    return (f'<p class="no-region" role="status">{escape(unclear)}</p>' if unclear else "") + (
        f'<p class="map-trust">{escape(text)}</p>' if text else ""
    )


def render_refused(files: "Iterable[RefusedFile]", *, is_readable: bool = False) -> str:
    """Render the files that were not read, each with the reason.

    Args:
        files: The files.
        is_readable: Whether they can be read anyway. Other files scroll if they are many.
    """
    rows = "".join(
        f"<li><strong>{escape(file.name)}</strong> {'were' if file.names else 'was'} not read. "
        f"{escape(file.reason)}</li>"
        for file in files
    )
    kind = "refused readable" if is_readable else "refused"
    return f'<section class="{kind}" role="alert"><ul>{rows}</ul></section>'


def render_table_use(use: "TableUse", num_photographs: int) -> str:
    """Render what a table of lesions says about the photographs, with a warning if nothing."""
    if not num_photographs:
        return (
            f'<p class="notice">The table names {_count(use.num_images, "image")}. Photographs '
            "that you upload are compared with it.</p>"
        )
    if not use.num_matched:
        return (
            f'<p class="warning" role="alert">The table names {_count(use.num_images, "image")}, '
            f"such as {escape(use.example)}, but none of the photographs here. It needs their file "
            "names or image ids. Change the table, or upload the photographs that it names.</p>"
        )
    text = (
        f"The table names the lesions of {use.num_matched:,} of "
        f"{_count(num_photographs, 'photograph')}. "
    )
    placed = use.num_matched - use.num_overruled
    if not use.num_overruled:
        text += "Those with the same lesion are one row of the list."
    elif placed:
        text += (
            f"You placed {use.num_overruled:,} of them yourself. The other {placed:,} are placed "
            "as the table says."
        )
    else:
        text += "You placed all of them yourself, so the table changes nothing."
    return f'<p class="notice">{text}</p>'


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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

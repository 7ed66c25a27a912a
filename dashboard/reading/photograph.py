"""The opened photograph: its reading, and beside it the photograph with its heatmap."""

import streamlit as st

from dashboard.reading.heatmaps import choose_method, compute_requested, get_heatmap
from dashboard.reading.markup import (
    render_check,
    render_energy,
    render_map_trust,
    render_reduction,
    render_warnings,
)
from dashboard.reading.model import show_model
from dashboard.reading.outline import choose_levels, choose_outline, show_measures
from dashboard.reading.prevalence import adapt, show_probabilities
from dashboard.reading.report import offer_report
from dashboard.reading.verdict import render_banner, render_mark
from dashboard.shared.access import may
from dashboard.shared.html import show_html
from dashboard.shared.image_viewer import ViewedImage, show_viewer
from dashboard.shared.markup import name_diagnosis, render_paragraphs
from melanoma_core.access.rights import Right
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.models.card_text.heatmaps import describe_maps
from melanoma_core.models.methods import Method
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.ranking import choose_explained, rank_diagnoses
from melanoma_core.taxonomy import Diagnosis

_SCALE_WIDTH, _SCALE_HEIGHT = 256, 8  # px


def show_photograph(entry: Entry) -> None:
    """Show the photograph large beside its reading on a wide screen, else below it."""
    with st.container(key="opened"):
        reading, heatmap = st.columns([1, 2], gap="small")  # `style.css` gives the image its width
    with reading, st.container(gap="xsmall"):
        show_html(render_mark(entry.reading))
        st.html(render_banner(entry.reading, adapt(entry.reading, entry.card)))
        show_html(render_warnings(entry.reading))
        show_probabilities(entry.reading, entry.card)
        offer_report(entry)
    with heatmap:
        compute_requested(entry)
        _show_heatmap(entry)
        show_measures(entry.reading)
        st.html(render_check(entry.reading, entry.card))
        show_model(entry.card)


@st.fragment
def _show_heatmap(entry: Entry) -> None:
    """Show photograph and heatmap. As a fragment, its controls rerun nothing else."""
    images = st.container(gap="xsmall")
    with st.container(key="controls"):
        diagnosis, method = _choose_overlay(entry)
        with st.container(horizontal=True):
            with_outline, with_levels = choose_outline(entry.reading), choose_levels()
    # Imported here, so that the page is painted before NumPy is imported.
    from melanoma_core.reading.layers import draw_heatmap, draw_outline

    heatmap = get_heatmap(entry, method, diagnosis)
    with images:
        show_viewer(
            ViewedImage(
                photograph=entry.photograph,
                detail=entry.detail or b"",
                width=entry.kept_size[0],
                overlay=draw_heatmap(entry, diagnosis, heatmap, with_levels=with_levels),
                overlay_title=f"Photograph with the heatmap for {diagnosis.title}",
                marks=draw_outline(entry) if with_outline else None,
            )
        )
        show_html(render_reduction(entry))
        _show_scale(diagnosis, method)
        show_html(render_energy(entry.reading, diagnosis, heatmap))
    _show_faithfulness(entry, method)


def _show_faithfulness(entry: Entry, method: Method) -> None:
    """Show in a line how faithful the heatmaps are, with the tests and the card one click away."""
    with st.container(horizontal=True, vertical_alignment="center", key="map-tests"):
        st.html(render_map_trust(entry.card, method), width="stretch")
        with st.popover("Heatmap tests", type="tertiary", width="content"):
            st.html(render_paragraphs([describe_maps(entry.card, method)]))
            if may(Right.SEE_MODELS):
                st.page_link("models/page.py", label="Model card", width="content")


def _choose_overlay(entry: Entry) -> tuple[Diagnosis, Method]:
    """Choose the diagnosis to explain and the heatmap method."""
    ranked = dict(rank_diagnoses(entry.reading))
    shown = dict(rank_diagnoses(adapt(entry.reading, entry.card) or entry.reading))
    chooser, maker = st.columns(2, gap="small")
    diagnosis = chooser.selectbox(
        "Explain diagnosis",
        list(ranked),
        index=list(ranked).index(choose_explained(entry.reading)),
        format_func=lambda each: f"{name_diagnosis(each)}, {format_percent(shown[each])}",
        key=f"explained-{entry.key}",
        help="The heatmap marks the regions that support this diagnosis. By default: melanoma on a "
        "melanoma alert, the most probable skin cancer on a skin cancer alert, otherwise the "
        "leading diagnosis.",
    )
    with maker:
        method = choose_method(entry)
    return diagnosis, method


def _show_scale(diagnosis: Diagnosis, method: Method) -> None:
    from melanoma_core.data.images import encode_jpeg
    from melanoma_core.reading.overlay import colour_scale

    st.image(
        encode_jpeg(colour_scale(_SCALE_WIDTH, _SCALE_HEIGHT)),
        width="stretch",
        alt="Colour scale from no evidence (dark violet) to strong evidence (yellow)",
    )
    st.html(
        '<p class="scale"><span>none</span>'
        f"<span>Evidence for {diagnosis.title} ({method.title})</span>"
        f"<span>{'strong' if method.is_instant else 'maximum'}</span></p>"
    )

"""The opened photograph: where the network sees what, and its answer."""

import streamlit as st

from dashboard.reading.heatmaps import choose_method, get_map, make_asked
from dashboard.shared.markup import (
    name_diagnosis,
    render_banner,
    render_diagnoses,
    render_limits,
    render_map_trust,
    render_meaning,
    render_probability,
    render_trust,
    render_warnings,
)
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.models.methods import Method
from melanoma_core.reading.ranking import choose_explained, rank_diagnoses
from melanoma_core.reading.worklist import Entry
from melanoma_core.taxonomy import Diagnosis

_SCALE_WIDTH, _SCALE_HEIGHT = 256, 8  # px


def show_opened(entry: Entry) -> None:
    """Show the answer and the pictures: side by side on a wide screen, else the answer first."""
    with st.container(key="opened"):
        answer, pictures = st.columns([9, 11], gap="medium")
    with answer:
        st.html(render_banner(entry.reading))
        st.html(render_probability(entry.reading))
        st.html(render_warnings(entry.reading, entry.card))
        st.html(render_meaning(entry.reading, entry.card))
        st.html(render_diagnoses(entry.reading))
    with pictures:
        make_asked(entry)
        _show_pictures(entry)
        show_model(entry.card)


def show_model(card: ModelCard) -> None:
    """Show how far the model can be trusted: what it achieved, what it cannot do."""
    st.html(render_trust(card))
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.expander("What this model cannot do"):
            st.html(render_limits(card))
        st.page_link("models/page.py", label="All its figures", width="content")


@st.fragment
def _show_pictures(entry: Entry) -> None:
    """Show overlay and photograph. A fragment: its controls draw nothing else anew."""
    controls, places = st.container(key="controls"), st.columns(2, gap="small")
    with controls:
        diagnosis, method, opacity = _choose_overlay(entry)
    strengths = get_map(entry, method, diagnosis)
    with places[0]:
        st.image(
            entry.draw_overlay(diagnosis, opacity / 100, strengths),
            width="stretch",
            alt=f"The photograph with the evidence for {diagnosis.title} laid over it",
        )
        _show_scale(diagnosis, method)
    with places[1]:
        st.image(entry.photograph, width="stretch", alt="The photograph as it was uploaded")
        st.caption("The photograph alone")
    st.html(render_map_trust(entry.card, method))


def _choose_overlay(entry: Entry) -> tuple[Diagnosis, Method, int]:
    ranked = dict(rank_diagnoses(entry.reading))
    chooser, maker, slider = st.columns([5, 4, 3], gap="small")
    diagnosis = chooser.selectbox(
        "Show the evidence for",
        list(ranked),
        index=list(ranked).index(choose_explained(entry.reading)),
        format_func=lambda each: f"{name_diagnosis(each)}, {format_percent(ranked[each])}",
        key=f"explained-{entry.key}",
        help="Which part of the photograph speaks for this diagnosis: melanoma on an alert, else "
        "the most probable one, unless you choose another.",
    )
    with maker:
        method = choose_method(entry)
    opacity = slider.slider(
        "Opacity of the overlay",
        0,
        100,
        60,
        5,
        format="%d%%",
        key="opacity",
        persist_state="session",
        help="At 0% the photograph is seen alone.",
    )
    return diagnosis, method, opacity


def _show_scale(diagnosis: Diagnosis, method: Method) -> None:
    from melanoma_core.data.images import encode_jpeg
    from melanoma_core.reading.overlay import colour_scale

    st.image(
        encode_jpeg(colour_scale(_SCALE_WIDTH, _SCALE_HEIGHT)),
        width="stretch",
        alt="Colour scale from no evidence, dark violet, to strong evidence, yellow",
    )
    st.html(
        '<p class="scale"><span>no evidence</span>'
        f"<span>for {diagnosis.title} ({method.title})</span>"
        f"<span>{'strong evidence' if method.is_instant else 'strongest place here'}</span></p>"
    )

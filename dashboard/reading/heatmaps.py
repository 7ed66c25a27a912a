"""Heatmaps that take a while: asked for beside the picture, made by the next run of the page."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.cached import get_explainer
from dashboard.shared.errors import show_stored_error, store_errors
from melanoma_core.models.methods import Method
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:  # a page is painted before NumPy is there
    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.networks.explainer import Stage
    from melanoma_core.reading.worklist import Entry

_ASKED, _MADE, _ERROR = "asked-map", "made-maps", "map-error"


@dataclass(frozen=True)
class Wish:
    """Which map a person wants to see.

    Attributes:
        key: Of the entry in the worklist.
        method: How it is made.
        diagnosis: What it speaks for.
    """

    key: int
    method: Method
    diagnosis: Diagnosis


def choose_method(entry: "Entry") -> Method:
    """Let a person choose how the map is made; the instant one unless they do."""
    methods = list(Method)
    return st.selectbox(
        "Made by",
        methods,
        format_func=lambda each: each.title,
        key=_name_choice(entry.key),
        help="; ".join(f"{each.title}: {each.description}" for each in Method)
        + ". All but the first take some seconds, and explain one look at the photograph, where "
        "the model may answer with the mean of several.",
    )


def get_map(entry: "Entry", method: Method, diagnosis: Diagnosis) -> "NDArray[np.float32] | None":
    """Return the strengths of a map that was made, float32 [h, w] in [0, 1]; None for Grad-CAM's.

    One that was not made yet is asked for, and the page run again.
    """
    if method.is_instant:
        return None
    wish = Wish(entry.key, method, diagnosis)
    if wish not in _get_made():
        st.session_state[_ASKED] = wish
        st.rerun()
    return _get_made()[wish]


def make_asked(entry: "Entry") -> None:
    """Make the map that was asked for, with progress; whatever a person does next ends it."""
    wish: Wish | None = st.session_state.pop(_ASKED, None)
    if wish is not None and wish.key == entry.key:
        work = st.empty()
        with store_errors(_ERROR), work.container(key="map-work"):
            _make(entry, wish)
        work.empty()
        if wish not in _get_made():
            _give_up(entry.key)
    show_stored_error(_ERROR)


def _make(entry: "Entry", wish: Wish) -> None:
    import numpy as np

    from melanoma_core.models.registry import find_model
    from melanoma_core.reading.explanation import scale_to_strongest
    from melanoma_core.settings import load_settings

    bar, began = st.progress(0.0), time.monotonic()

    def show(stage: "Stage") -> None:
        seconds = time.monotonic() - began
        bar.progress(stage.share, f"{stage} ({wish.method.title}, {seconds:.0f} s)")

    st.button("Cancel", on_click=_give_up, args=(entry.key,), key="cancel-map")
    st.image(entry.photograph, width="stretch", alt="The photograph, of which a map is made")
    (heatmap,) = get_explainer().explain(
        find_model(load_settings(), entry.reading.model_id),
        entry.seen[None],
        np.array([entry.reading.class_names.index(wish.diagnosis)]),
        wish.method,
        show,
    )
    _get_made()[wish] = scale_to_strongest(heatmap, wish.method)


def _give_up(key: int) -> None:
    """Show the instant map again."""
    st.session_state[_name_choice(key)] = Method.GRAD_CAM


def _get_made() -> "dict[Wish, NDArray[np.float32]]":
    """Return the maps that this session has made."""
    made: dict[Wish, NDArray[np.float32]] = st.session_state.setdefault(_MADE, {})
    return made


def _name_choice(key: int) -> str:
    return f"method-{key}"

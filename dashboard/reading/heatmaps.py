"""Heatmaps that take seconds: requested beside the photograph, computed by the next page run."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.cached import get_explainer
from dashboard.shared.errors import show_stored_error, store_errors
from melanoma_core.models.methods import HeatmapRequest, Method
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.networks.explainer import ExplainerStage
    from melanoma_core.reading.entry import Entry

_REQUESTED, _COMPUTED, _ERROR = "requested-heatmap", "computed-heatmaps", "heatmap-error"


@dataclass(frozen=True)
class _Selection:
    """The heatmap that a person selected.

    Attributes:
        key: Of the entry in the worklist.
        method: How the heatmap is computed.
        diagnosis: The class that it explains.
    """

    key: int
    method: Method
    diagnosis: Diagnosis


def choose_method(entry: "Entry") -> Method:
    """Choose the heatmap method, by default the instant one."""
    methods = list(Method)
    descriptions = "; ".join(f"{each.title}: {each.description}" for each in methods)
    return st.selectbox(
        "Heatmap method",
        methods,
        format_func=lambda each: each.title,
        key=_name_method_key(entry.key),
        help=f"{descriptions}. All but the first take several seconds, and explain a single view "
        "of the photograph, where the model may average several.",
    )


def get_heatmap(
    entry: "Entry", method: Method, diagnosis: Diagnosis
) -> "NDArray[np.float32] | None":
    """Return a computed heatmap; if it is not computed yet, request it and run the page again.

    Returns:
        float32 [h, w] in [0, 1], or None for the instant method, whose heatmap the reading holds.
    """
    if method.is_instant:
        return None
    selection = _Selection(entry.key, method, diagnosis)
    if selection not in _get_computed():
        st.session_state[_REQUESTED] = selection
        st.rerun()
    return _get_computed()[selection]


def compute_requested(entry: "Entry") -> None:
    """Compute the requested heatmap with progress; any action of the person ends the work."""
    selection: _Selection | None = st.session_state.pop(_REQUESTED, None)
    if selection is not None and selection.key == entry.key:
        work = st.empty()
        with store_errors(_ERROR), work.container(key="map-work"):
            _compute(entry, selection)
        work.empty()
        if selection not in _get_computed():
            _choose_instant(entry.key)
    show_stored_error(_ERROR)


def _compute(entry: "Entry", selection: _Selection) -> None:
    import numpy as np

    from melanoma_core.models.card import KERAS_NAME, load_card
    from melanoma_core.models.registry import find_model
    from melanoma_core.reading.explanation import scale_to_strongest
    from melanoma_core.settings import load_settings

    bar, started_at = st.progress(0.0), time.monotonic()

    def show_stage(stage: "ExplainerStage") -> None:
        seconds = time.monotonic() - started_at
        bar.progress(stage.share, f"{stage} ({selection.method.title}, {seconds:.0f} s)")

    st.button("Cancel", on_click=_choose_instant, args=(entry.key,), key="cancel-map")
    st.image(entry.photograph, width="stretch", alt="Photograph whose heatmap is being computed")
    folder = find_model(load_settings(), entry.reading.model_id)
    request = HeatmapRequest(
        folder,
        load_card(folder).files.get(KERAS_NAME, ""),
        entry.seen[None],
        np.array([entry.reading.class_names.index(selection.diagnosis)]),
        selection.method,
    )
    (heatmap,) = get_explainer().explain(request, show_stage)
    _get_computed()[selection] = scale_to_strongest(heatmap, selection.method)


def _choose_instant(key: int) -> None:
    st.session_state[_name_method_key(key)] = Method.GRAD_CAM


def _get_computed() -> "dict[_Selection, NDArray[np.float32]]":
    """Return the heatmaps that this session has computed."""
    computed: dict[_Selection, NDArray[np.float32]] = st.session_state.setdefault(_COMPUTED, {})
    return computed


def _name_method_key(key: int) -> str:
    return f"method-{key}"

"""The model that all sessions share, and the worklist of this browser session."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.session_key import is_key, name_cookie
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import find_model
from melanoma_core.reading.sessions import Sessions
from melanoma_core.reading.turns import Turns
from melanoma_core.reading.worklist import Worklist
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.networks.explainer import Explainer

_NUM_TURNS = 2  # one photograph is decoded while the network reads another


def get_card() -> ModelCard:
    """Return the card of the current model as it is on disk now.

    Raises:
        ModelError: The model is missing, or its card is damaged.
    """
    return load_card(find_model(load_settings()))


def get_classifier() -> "Classifier":
    """Return the current model, loaded once for all sessions and again when its card changes.

    Raises:
        ModelError: The model is missing, damaged or does not match its card.
    """
    folder = find_model(load_settings())
    return _load_classifier(folder, load_card(folder))


@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs={ModelCard: repr})
def _load_classifier(folder: Path, card: ModelCard) -> "Classifier":  # noqa: ARG001
    # Imported here, so that the page is painted before ONNX Runtime is imported.
    from melanoma_core.models.classifier import load_classifier

    classifier = load_classifier(folder)
    # Streamlit collects garbage after each run of a page. Without this, it walks all that was
    # imported, while the browser waits for the rest of its answer.
    gc.collect()
    gc.freeze()
    return classifier


@st.cache_resource(show_spinner=False)
def get_explainer() -> "Explainer":
    """Return the process, shared by all sessions, that computes heatmaps with TensorFlow."""
    from melanoma_core.networks.explainer import Explainer

    return Explainer()


@st.cache_resource(show_spinner=False)
def get_turns() -> Turns:
    """Return the queue of all sessions for reading, which takes up to 600 MB per photograph."""
    return Turns(_NUM_TURNS)


@st.cache_resource(show_spinner=False)
def get_sessions() -> Sessions:
    """Return the worklists of all browser sessions."""
    sessions = Sessions()
    sessions.start_sweeping()
    return sessions


def get_worklist() -> Worklist:
    """Return the worklist of this browser session, which outlives a reload of the page.

    Without a cookie, it goes with the page.
    """
    if "worklist" not in st.session_state:
        st.session_state["worklist"] = Worklist()
    own: Worklist = st.session_state["worklist"]
    key = st.context.cookies.get(name_cookie(st.context.headers.get("host", "")), "")
    if is_key(key):
        own = st.session_state["worklist"] = get_sessions().find(key, own)
    return own

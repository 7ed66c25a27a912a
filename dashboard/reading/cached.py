"""What all sessions share, and what one session keeps."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import find_model
from melanoma_core.reading.worklist import Worklist
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.networks.explainer import Explainer


def get_card(model_id: str | None = None) -> ModelCard:
    """Return the card of a model, by default of the one that reads, as it is on the disk now.

    Raises:
        ModelError: There is no such model, or its card is damaged.
    """
    return load_card(find_model(load_settings(), model_id))


def get_classifier() -> "Classifier":
    """Return the network that reads, loaded once for all sessions.

    Raises:
        ModelError: The model is missing, damaged or not one of ours.
    """
    folder = find_model(load_settings())
    return _load_classifier(folder, load_card(folder))


# The whole card is part of the key: a model that is changed in place is loaded anew.
@st.cache_resource(show_spinner=False, max_entries=2, hash_funcs={ModelCard: repr})
def _load_classifier(folder: Path, card: ModelCard) -> "Classifier":  # noqa: ARG001
    # Imported here, so that no page waits for ONNX Runtime before it is painted.
    from melanoma_core.models.classifier import load_classifier

    return load_classifier(folder)


@st.cache_resource(show_spinner=False)
def get_explainer() -> "Explainer":
    """Return what makes the heatmaps that need TensorFlow, in one process for all sessions."""
    from melanoma_core.networks.explainer import Explainer

    return Explainer()


def get_worklist() -> Worklist:
    """Return this session's photographs."""
    worklist: Worklist = st.session_state.setdefault("worklist", Worklist())
    return worklist

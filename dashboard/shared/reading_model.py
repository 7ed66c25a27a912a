"""The model that reads, and the queue in which photographs are read: all sessions share both."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import find_model
from melanoma_core.reading.turns import Turns
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.models.classifier import Classifier

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
def get_turns() -> Turns:
    """Return the queue of all sessions for reading, which takes up to 600 MB per photograph."""
    return Turns(_NUM_TURNS)

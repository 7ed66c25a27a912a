"""The evidence, card sections and PDF of models, and their comparisons, cached for all sessions.

They are read-only, so they are cached as resources, without copies.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from melanoma_core.models.card import ModelCard
from melanoma_core.settings import Settings

if TYPE_CHECKING:  # the page is painted before pandas is imported
    import pandas as pd

    from melanoma_core.deployment.promotion import Proposal
    from melanoma_core.models.card_text.section import Section
    from melanoma_core.models.evidence import Evidence

_MOST_MODELS = 8
# The whole card identifies a model, since a folder may be overwritten.
_IDENTITIES: dict[str | type[Any], Callable[[Any], Any]] = {ModelCard: repr}


@st.cache_resource(show_spinner=False, max_entries=_MOST_MODELS, hash_funcs=_IDENTITIES)
def get_evidence(folder: Path, card: ModelCard) -> "Evidence | None":  # noqa: ARG001
    """Return the evidence of a model, or None if it has none.

    Raises:
        ModelError: The evidence is damaged.
    """
    from melanoma_core.models.evidence import read_evidence

    return read_evidence(folder)


@st.cache_resource(show_spinner=False, max_entries=_MOST_MODELS, hash_funcs=_IDENTITIES)
def get_sections(folder: Path, card: ModelCard) -> "list[Section]":
    """Return the sections of the full model card.

    Raises:
        ModelError: The evidence is damaged.
    """
    from melanoma_core.models.card_text.sections import build_sections

    return build_sections(card, get_evidence(folder, card))


@st.cache_data(show_spinner="Writing the PDF", max_entries=_MOST_MODELS, hash_funcs=_IDENTITIES)
def get_pdf(folder: Path, card: ModelCard) -> bytes:
    """Return the model card as PDF.

    Raises:
        ModelError: The evidence is damaged.
    """
    from melanoma_core.models.card_text.pdf import write_pdf

    return write_pdf(card.model_id, get_sections(folder, card), card.created_at)


@st.cache_resource(
    show_spinner="Comparing the models", max_entries=_MOST_MODELS, hash_funcs=_IDENTITIES
)
def get_proposal(
    settings: Settings, candidate: ModelCard, deployed_id: str, read_again: "pd.DataFrame | None"
) -> "Proposal":
    """Return the comparison of a candidate with the deployed model, and the verdict of the gate.

    Args:
        settings: Settings with the models' folder.
        candidate: Card of the candidate.
        deployed_id: Id of the deployed model.
        read_again: New predictions of the deployed model on images for which it has none.

    Raises:
        ModelError: One of the models is missing or damaged.
    """
    from melanoma_core.deployment.promotion import propose

    return propose(settings, candidate.model_id, deployed_id, read_again)

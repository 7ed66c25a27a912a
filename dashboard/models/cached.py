"""What is computed of models, kept for all sessions: cards on paper, comparisons, evidence."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from melanoma_core.models.card import ModelCard
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:  # a page is painted before pandas is there
    import pandas as pd

    from melanoma_core.deployment.promotion import Deployment, Proposal
    from melanoma_core.models.card_text.section import Section
    from melanoma_core.models.evidence import Evidence

_MOST = 8
_BY_REPR: dict[str | type[Any], Callable[[Any], Any]] = {ModelCard: repr, Settings: repr}


def get_deployment() -> "Deployment":
    """Return which model is deployed and what happened, as the registry says now.

    Raises:
        RunError: The registry cannot be used.
    """
    with st.spinner("Opening the registry", show_time=False):
        from melanoma_core.deployment.promotion import sync_deployment

        return sync_deployment(load_settings())


def get_evidence(folder: Path, card: ModelCard) -> "Evidence | None":
    """Return the evidence of a model, None where it has none.

    Raises:
        ModelError: It is damaged.
    """
    return _read_evidence(folder, card)


def get_sections(folder: Path, card: ModelCard) -> "list[Section]":
    """Return all that is known of a model.

    Raises:
        ModelError: Its evidence is damaged.
    """
    return _build_sections(folder, card)


def get_pdf(folder: Path, card: ModelCard) -> bytes:
    """Return the model card on paper.

    Raises:
        ModelError: Its evidence is damaged.
    """
    return _write_pdf(folder, card)


def get_proposal(
    candidate: ModelCard, deployed_id: str, again: "pd.DataFrame | None"
) -> "Proposal":
    """Return a candidate beside the deployed model, with the gate's verdict.

    Args:
        candidate: Its card.
        deployed_id: Of the other.
        again: What the deployed model now says of photographs that it kept no reading of.

    Raises:
        ModelError: One of the two is missing or damaged.
    """
    num_again = -1 if again is None else len(again)
    return _propose(load_settings(), candidate, deployed_id, num_again, again)


@st.cache_resource(show_spinner=False, max_entries=_MOST, hash_funcs=_BY_REPR)
def _read_evidence(folder: Path, card: ModelCard) -> "Evidence | None":  # noqa: ARG001
    from melanoma_core.models.evidence import read_evidence

    return read_evidence(folder)


@st.cache_resource(show_spinner=False, max_entries=_MOST, hash_funcs=_BY_REPR)
def _build_sections(folder: Path, card: ModelCard) -> "list[Section]":
    from melanoma_core.models.card_text.sections import build_sections

    return build_sections(card, _read_evidence(folder, card))


@st.cache_data(show_spinner="Writing the card", max_entries=_MOST, hash_funcs=_BY_REPR)
def _write_pdf(folder: Path, card: ModelCard) -> bytes:
    from melanoma_core.models.card_text.pdf import write_pdf

    return write_pdf(card.model_id, _build_sections(folder, card), card.created_at)


@st.cache_resource(show_spinner="Comparing", max_entries=_MOST, hash_funcs=_BY_REPR)
def _propose(
    settings: Settings,
    candidate: ModelCard,
    deployed_id: str,
    num_again: int,  # noqa: ARG001  # as many photographs are the same ones
    _again: "pd.DataFrame | None",
) -> "Proposal":
    from melanoma_core.deployment.promotion import propose

    return propose(settings, candidate.model_id, deployed_id, _again)

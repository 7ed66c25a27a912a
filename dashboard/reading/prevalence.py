"""The prevalence of the clinic on the Reading page: its fields, and what it makes of a reading."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.markup import render_adapted, render_diagnoses, render_meaning
from dashboard.reading.verdict import render_probabilities
from dashboard.shared.markup import render_notice, render_paragraphs
from dashboard.shared.prevalence import PREVALENCE, choose_prevalence, get_prevalence
from melanoma_core.models.adaptation import adapt_reading
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.prevalence import (
    describe_assumption,
    describe_effects,
    explain_unadapted,
)

if TYPE_CHECKING:  # the page is painted before ONNX Runtime is imported
    from melanoma_core.models.adaptation import AdaptedReading
    from melanoma_core.reading.lesion import LesionReading
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.verdict import Verdict

_ALERTS_STAY = (
    "Both alerts and the line at the top use these probabilities. A prevalence changes no alert, "
    "only what it means."
)

_LIST_STAYS = (
    "The alerts and the list keep the unadapted probabilities. The downloaded table has both."
)


def show_prevalence(card: ModelCard | None) -> None:
    """Show the fields of the prevalence in the sidebar, and what the alerts mean there.

    Args:
        card: Of the model that read the opened lesion; None if none is open.
    """
    with st.sidebar, st.expander(PREVALENCE):
        prevalence = choose_prevalence()
        if card is not None:
            effects = describe_effects(card, prevalence)
            kept = _LIST_STAYS if prevalence else ""
            sentences = [describe_assumption(card, prevalence), *effects, kept]
            st.html(f'<section class="meaning">{render_paragraphs(sentences)}</section>')


def adapt(verdict: "Verdict", card: ModelCard) -> "AdaptedReading | None":
    """Return probabilities in the clinic; None without its prevalence, or if it is not possible."""
    prevalence = get_prevalence()
    return adapt_reading(card, verdict.probabilities, prevalence) if prevalence else None


def show_probabilities(verdict: "Reading | LesionReading", card: ModelCard) -> None:
    """Show the probabilities of a photograph or of a lesion, and what they mean.

    With a prevalence, they are adapted to it, and the unadapted ones are one click away.
    """
    adapted = adapt(verdict, card)
    if adapted is None:
        if get_prevalence() is not None:
            st.html(render_notice(explain_unadapted(card)))
        st.html(render_probabilities(verdict))
        _show_meaning(verdict, card)
        st.html(render_diagnoses(verdict))
        return
    st.html(render_adapted(adapted))
    _show_meaning(verdict, card, adapted)
    st.html(render_diagnoses(adapted))
    with st.expander("Without your clinic's prevalence"):
        st.html(render_paragraphs([describe_assumption(card, None), _ALERTS_STAY]))
        st.html(render_probabilities(verdict))
        st.html(render_diagnoses(verdict))


def _show_meaning(
    reading: "Reading | LesionReading", card: ModelCard, adapted: "AdaptedReading | None" = None
) -> None:
    """Show what the probabilities mean, except for what no metric of the model is about."""
    if not reading.read_anyway:
        st.html(render_meaning(reading, card, adapted))

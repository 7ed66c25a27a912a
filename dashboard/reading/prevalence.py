"""The prevalence of the clinic on the Reading page: its fields, and what it makes of a reading."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.markup import (
    render_adapted,
    render_diagnoses,
    render_meaning,
    render_sentence,
)
from dashboard.reading.verdict import render_glance, render_probabilities
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
    from melanoma_core.reading.verdict import Verdict

_ALERTS_STAY = (
    "Both alerts use these probabilities. A prevalence changes no alert, only what it means."
)

_ORDER_STAYS = (
    "Both alerts and the order of the list use the unadapted probabilities. The downloaded table "
    "has both."
)
_NOT_ADAPTED = (
    "The probabilities are not adapted to your clinic: the photograph is out of distribution and "
    "was read anyway."
)


def show_prevalence(card: ModelCard | None, *, by_lesion: bool = False) -> None:
    """Show the fields of the prevalence in the sidebar, and what the alerts mean there.

    Args:
        card: Of the model that read the opened lesion; None if none is open.
        by_lesion: Whether the reading of several photographs is open.
    """
    with st.sidebar, st.expander(PREVALENCE):
        prevalence = choose_prevalence()
        if card is not None:
            effects = describe_effects(card, prevalence, by_lesion=by_lesion)
            kept = _ORDER_STAYS if prevalence else ""
            sentences = [describe_assumption(card, prevalence), *effects, kept]
            st.html(f'<section class="meaning">{render_paragraphs(sentences)}</section>')


def adapt(verdict: "Verdict", card: ModelCard) -> "AdaptedReading | None":
    """Return probabilities in the clinic; None without its prevalence, or if it is not possible.

    What was read against a refusal has none: no probability of the model holds for it.
    """
    prevalence = get_prevalence()
    if prevalence is None or verdict.read_anyway:
        return None
    return adapt_reading(card, verdict.probabilities, prevalence)


def show_probabilities(verdict: "Verdict", card: ModelCard, *, by_lesion: bool = False) -> None:
    """Show the answer of a photograph or of a lesion at a glance, and all else one click away.

    With a prevalence, the probabilities are adapted to it.

    Args:
        verdict: The reading.
        card: Of the model.
        by_lesion: Whether several photographs of a lesion were read.
    """
    adapted = adapt(verdict, card)
    if adapted is None and get_prevalence() is not None:
        st.html(render_notice(_NOT_ADAPTED if verdict.read_anyway else explain_unadapted(card)))
    st.html(render_glance(verdict, card, adapted))
    with st.expander("All diagnoses"):
        st.html(render_sentence(verdict, adapted))
        if adapted is not None:
            st.html(render_adapted(adapted))
        if not verdict.read_anyway:  # no metric of the model is about it
            st.html(render_meaning(verdict, card, adapted, by_lesion=by_lesion))
        st.html(render_diagnoses(adapted or verdict))
        if adapted is not None:
            with st.expander("Without your clinic's prevalence"):
                st.html(render_paragraphs([describe_assumption(card, None), _ALERTS_STAY]))
                st.html(render_probabilities(verdict))
                st.html(render_diagnoses(verdict))

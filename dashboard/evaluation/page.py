"""How good a model is: on its own held-out lesions, and on any labelled folder."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.evaluation.figures import show_assessment, show_card_figures
from dashboard.evaluation.request import (
    choose_model,
    choose_subset,
    find_request,
    get_result,
    show_work,
)
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import choose_folder
from dashboard.shared.head import show_page_header

if TYPE_CHECKING:
    from melanoma_core.assessment.evaluate import EvaluationRequest

_REFRESH_SECONDS = 1


@st.fragment(run_every=_REFRESH_SECONDS)
def follow_work(request: "EvaluationRequest | None", was_done: bool) -> None:
    """Show the measurement as it is now, again and again; its result, when it is there."""
    is_at_work = show_work(request)
    if not was_done and not is_at_work and get_result(request) is not None:
        st.rerun()


show_page_header("Evaluation")
request, result = None, None
with show_errors():
    card = choose_model()
    folder = choose_folder()
    request = find_request(folder, card, *choose_subset())
    result = get_result(request)
    if result is not None:
        show_assessment(result)
    elif request is None:
        st.html(
            "<p>Choose a folder of labelled photographs in the sidebar and press Measure: every "
            "photograph is read, and all figures come with their counts and intervals.</p>"
        )
follow_work(request, result is not None)
with show_errors():
    show_card_figures(card)

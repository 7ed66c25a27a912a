"""The Evaluation page: the metrics of a model on its test set and on any labelled folder."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.evaluation.request import (
    choose_model,
    choose_subset,
    get_result,
    show_status,
    submit_request,
)
from dashboard.evaluation.results import show_assessment, show_card_metrics
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import choose_folder
from dashboard.shared.head import show_damaged_models, show_page_header
from dashboard.shared.prevalence import PREVALENCE, choose_prevalence, show_address_error

if TYPE_CHECKING:
    from melanoma_core.assessment.evaluate import EvaluationRequest

_REFRESH_SECONDS = 1


@st.fragment(run_every=_REFRESH_SECONDS)
def _refresh(request: "EvaluationRequest | None", is_shown: bool) -> None:
    """Refresh the progress of the evaluation; rerun the page when its result is there."""
    is_running = show_status(request)
    if not is_shown and not is_running and get_result(request) is not None:
        st.rerun()


show_page_header("Evaluation")
show_damaged_models()
with st.sidebar, st.expander(PREVALENCE):
    choose_prevalence()
show_address_error()
card, request, result = None, None, None
with show_errors():
    card = choose_model()
    folder = choose_folder()
    request = submit_request(folder, card, *choose_subset())
    result = get_result(request)
    if result is not None:
        show_assessment(result)
    elif request is None:
        st.html(
            "<p>Choose a folder of labelled images in the sidebar and press Evaluate. Metrics have "
            "counts and 95% CI.</p>"
        )
_refresh(request, result is not None)
if card is not None:
    show_card_metrics(card)

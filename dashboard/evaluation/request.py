"""The choice of model and images in the sidebar, and the evaluation as a background job."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, leave_address, write_address
from dashboard.shared.folder import allow_scan, open_chosen_folder
from dashboard.shared.markup import render_error
from dashboard.shared.progress import cancel_request, is_requested, request_work
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import find_model, list_models
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment
    from melanoma_core.assessment.evaluate import EvaluationRequest

_SUBSETS = {
    "": "Test subset of the folder",
    "validation": "Validation subset",
    "train": "Train subset",
    "all": "All images",
}
_MODEL, _SUBSET = "evaluated-model", "evaluated-subset"
_EVALUATED = "evaluated"  # in the address: the name of the folder whose result is shown
_EVALUATE, _SHOW, _START = "evaluate", "show-evaluation", "start-evaluation"
_MOST_RESULTS = 8
_WAITING = "Starting, or waiting for the evaluation of another person"


def choose_model() -> ModelCard:
    """Let a person choose a model in the sidebar; the default is the model in use.

    Raises:
        ModelError: The model in use is missing or damaged.
    """
    settings = load_settings()
    cards = {card.model_id: card for _, card in list_models(settings)}
    serving = load_card(find_model(settings)).model_id
    default = serving if serving in cards else next(iter(cards))
    with st.sidebar:
        st.header("Model", anchor=False)
        follow_address("model", _MODEL, default, cards)
        chosen = st.selectbox(
            "Model to evaluate",
            list(cards),
            key=_MODEL,
            persist_state="session",
            help="The model in use, the bundled model, and the models trained here.",
        )
        write_address("model", _MODEL, default)
    return cards[chosen]


def choose_subset() -> tuple[str, bool]:
    """Let a person choose images in the sidebar.

    Returns:
        The subset, empty for the default, and whether to include images seen in training.
    """
    with st.sidebar:
        follow_address("images", _SUBSET, "", _SUBSETS)
        subset = st.selectbox(
            "Images",
            list(_SUBSETS),
            format_func=_SUBSETS.__getitem__,
            key=_SUBSET,
            persist_state="session",
            help="Subsets and labels are those of the folder. Without a test subset, the first "
            "choice takes all images.",
        )
        write_address("images", _SUBSET, "")
        with_known = st.toggle(
            "Include images seen in training",
            key="evaluated-known",
            persist_state="session",
            help="Metrics on such images are inflated. They are excluded by default.",
        )
    return subset, with_known


def submit_request(
    folder: Path | None, card: ModelCard, subset: str, with_known: bool
) -> "EvaluationRequest | None":
    """Start the evaluation once its button is pressed; return what to show, or None.

    Raises:
        DatasetError: The folder cannot be opened.
        FolderError: The background job cannot be started.
    """
    from melanoma_core.assessment.evaluate import EvaluationRequest
    from melanoma_core.assessment.job import read_status, start
    from melanoma_core.processes import JobState

    with st.sidebar:
        st.button(
            "Evaluate",
            type="primary",
            width="stretch",
            disabled=folder is None,
            on_click=request_work,
            args=(_EVALUATE,),
            help="Runs in a process of its own, so this page can be closed. Results are kept and "
            "shown at once the next time.",
        )
    if folder is None:
        return None
    if is_requested(_EVALUATE):
        # For the folder as it is now: a path may be typed and the button pressed in one run.
        cancel_request(_EVALUATE)
        allow_scan(folder)
        request_work(f"{_SHOW}-{folder}")
        request_work(f"{_START}-{folder}")
    if st.query_params.get(_EVALUATED) == folder.name:  # a link to a result, or a reload
        request_work(f"{_SHOW}-{folder}")
    if not is_requested(f"{_SHOW}-{folder}"):
        leave_address(_EVALUATED)
        return None
    st.query_params[_EVALUATED] = folder.name
    opened = open_chosen_folder(folder)
    if opened is None:
        return None
    request = EvaluationRequest(
        opened.folder, card.model_id, subset or None, with_known, folder_key=opened.key
    )
    if is_requested(f"{_START}-{folder}"):
        # Once: a failed evaluation does not start again at the next run of the page.
        cancel_request(f"{_START}-{folder}")
        start(load_settings(), request)
    return None if read_status(load_settings(), request).state is JobState.NONE else request


def show_status(request: "EvaluationRequest | None") -> bool:
    """Show the progress of an evaluation, or why it failed; return whether it is running."""
    from melanoma_core.assessment.job import read_status
    from melanoma_core.processes import JobState

    if request is None:
        return False
    status = read_status(load_settings(), request)
    if status.state is JobState.FAILED:
        st.html(render_error(status.message))
    if status.state is not JobState.RUNNING:
        return False
    text = f"{status.done:,} of {status.total:,} images read" if status.total else _WAITING
    if status.total and status.done == status.total:
        text = "All images read; computing the intervals"
    st.progress(status.done / max(status.total, 1), text)
    st.button("Cancel", key="cancel-evaluation", on_click=_cancel, args=(request,))
    return True


def get_result(request: "EvaluationRequest | None") -> "Assessment | None":
    """Return the result of an evaluation, or None if it has not finished."""
    from melanoma_core.assessment.job import find_result, read_status
    from melanoma_core.processes import JobState

    if request is None:
        return None
    if read_status(load_settings(), request).state is not JobState.DONE:
        return None
    result = find_result(load_settings(), request)
    return _load(result, result.stat().st_mtime_ns)


@st.cache_resource(show_spinner=False, max_entries=_MOST_RESULTS)
def _load(path: Path, changed_at: int) -> "Assessment":  # noqa: ARG001
    from melanoma_core.assessment.job import load_result

    return load_result(path)


def _cancel(request: "EvaluationRequest") -> None:
    from melanoma_core.assessment.job import cancel

    cancel(load_settings(), request)

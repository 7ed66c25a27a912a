"""Which model is measured on which folder, and the work while it goes on."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

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
    "": "What the folder calls test",
    "validation": "What it calls validation",
    "train": "What it calls train",
    "all": "All photographs",
}
_ASKED, _SHOWN, _STARTED = "measure", "show-measured", "start-measuring"
_MOST_RESULTS = 8


def choose_model() -> ModelCard:
    """Let a person choose in the sidebar; the model that reads is chosen first.

    Raises:
        ModelError: A card is damaged.
    """
    settings = load_settings()
    cards = {card.model_id: card for _, card in list_models(settings)}
    serving = load_card(find_model(settings)).model_id
    with st.sidebar:
        st.subheader("Model", anchor=False)
        chosen = st.selectbox(
            "Model to measure",
            list(cards),
            index=list(cards).index(serving) if serving in cards else 0,
            key="measured-model",
            persist_state="session",
            help="The model that reads, the bundled one, and those that were trained here.",
        )
    return cards[chosen]


def choose_subset() -> tuple[str, bool]:
    """Let a person choose in the sidebar which photographs of the folder count."""
    with st.sidebar:
        subset = st.selectbox(
            "Photographs",
            list(_SUBSETS),
            format_func=_SUBSETS.__getitem__,
            key="measured-subset",
            persist_state="session",
            help="As the folder has them, under the labels that it has. Where it calls none test, "
            "the first choice is all.",
        )
        with_known = st.toggle(
            "Also what the model was trained on",
            key="measured-known",
            persist_state="session",
            help="Figures on such photographs are too good. They are left out unless you ask.",
        )
    return subset, with_known


def find_request(
    folder: Path | None, card: ModelCard, subset: str, with_known: bool
) -> "EvaluationRequest | None":
    """Return what is to be measured; None while nobody asked for it, or opening was cancelled.

    Raises:
        DatasetError: The folder cannot be opened.
        FolderError: The work cannot be started.
    """
    from melanoma_core.assessment.evaluate import EvaluationRequest
    from melanoma_core.assessment.job import read_status, start
    from melanoma_core.processes import JobState

    with st.sidebar:
        st.button(
            "Measure",
            type="primary",
            width="stretch",
            disabled=folder is None,
            on_click=request_work,
            args=(_ASKED,),
            help="Reads every photograph, in a process of its own: this page can be closed "
            "meanwhile. What was measured before is kept and shown at once.",
        )
    if folder is None:
        return None
    if is_requested(_ASKED):
        # Of the folder that is chosen now: who typed its path may have pressed before it was known.
        cancel_request(_ASKED)
        allow_scan(folder)
        request_work(f"{_SHOWN}-{folder}")
        request_work(f"{_STARTED}-{folder}")
    if not is_requested(f"{_SHOWN}-{folder}"):
        return None
    opened = open_chosen_folder(folder)
    if opened is None:
        return None
    request = EvaluationRequest(
        opened.folder, card.model_id, subset or None, with_known, folder_key=opened.key
    )
    if is_requested(f"{_STARTED}-{folder}"):
        # Once: a measurement that failed is not begun again by itself.
        cancel_request(f"{_STARTED}-{folder}")
        start(load_settings(), request)
    return None if read_status(load_settings(), request).state is JobState.NONE else request


def show_work(request: "EvaluationRequest | None") -> bool:
    """Show a measurement while it goes on, or why it failed; return whether it goes on."""
    from melanoma_core.assessment.job import read_status
    from melanoma_core.processes import JobState

    if request is None:
        return False
    work = read_status(load_settings(), request)
    if work.state is JobState.FAILED:
        st.html(render_error(work.message))
    if work.state is not JobState.RUNNING:
        return False
    doing = f"{work.done:,} of {work.total:,} photographs read" if work.total else "Beginning"
    if work.total and work.done == work.total:
        doing = "All photographs read; drawing lesions anew for the intervals"
    st.progress(work.done / max(work.total, 1), doing)
    st.button("Cancel", key="cancel-measurement", on_click=_cancel, args=(request,))
    return True


def get_result(request: "EvaluationRequest | None") -> "Assessment | None":
    """Return what was measured; None where there is nothing yet."""
    from melanoma_core.assessment.job import find_result, read_status
    from melanoma_core.processes import JobState

    if request is None:
        return None
    work = read_status(load_settings(), request)
    if work.state is not JobState.DONE:
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

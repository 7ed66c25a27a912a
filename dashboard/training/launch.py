"""The estimate and the launch of a run, from the sidebar."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_dataset
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import allow_scan, get_manual_decisions, open_chosen_folder
from dashboard.shared.html import show_html
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.training.cached_runs import get_runs
from dashboard.training.markup import render_estimate
from dashboard.training.runs import select_run
from melanoma_core.settings import load_settings
from melanoma_core.training.recipe import Recipe

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from melanoma_core.runs.plan import RunPlan, RunRequest

_LAUNCH, _ESTIMATE = "launch-run", "estimate-run"
_SINGLE = ""  # key of the plan of a run that belongs to no series
_ESTIMATED = "estimate"  # in the session: request and key of the last estimate


def offer_launch(folder: Path | None, recipe: Recipe | None, view: str) -> "DeltaGenerator":
    """Show the buttons at the end of the sidebar, always visible.

    Args:
        folder: The images, or None if they may not be opened.
        recipe: The recipe, or None if it is invalid.
        view: Key of the tabs, which show the run when it is launched.

    Returns:
        The container for the estimate.
    """
    with st.sidebar, st.container(key="launch", gap="xsmall"):
        st.text_input(
            "Name of the run",
            key="run-name",
            placeholder=f"{recipe.name} and a number" if recipe else "",
            help="Shown on this page and on the command line. Empty: the recipe and a number.",
        )
        is_confirmed = confirm_drawn(folder, "launch")
        for label, key, text in (
            (
                "Estimate time and memory",
                _ESTIMATE,
                "Runs a few real training steps of this recipe on this machine.",
            ),
            (
                "Launch",
                _LAUNCH,
                "Trains in a process of its own, so this page can be closed. If another run is "
                "running, this one waits in the queue.",
            ),
        ):
            st.button(
                label,
                help=text,
                type="primary" if key == _LAUNCH else "secondary",
                on_click=_request,
                args=(key, folder, view),
                disabled=folder is None or recipe is None or (key == _LAUNCH and not is_confirmed),
                width="stretch",
            )
        return st.container()


def confirm_drawn(folder: Path | None, key: str) -> bool:
    """Ask before a training on the demonstration dataset; return whether training may start."""
    from melanoma_core.data.catalogue import is_demonstration

    if folder is None or not is_demonstration(folder, load_settings()):
        return True
    return st.checkbox(
        "Train on drawn lesions",
        key=f"drawn-{key}",
        persist_state="session",
        help="The demonstration shows drawings, not photographs. A network that is trained on them "
        "says nothing about patients. Choose another dataset for anything but a trial.",
    )


def start_requested(
    folder: Path | None, request: "RunRequest | None", *, is_each: bool = False
) -> None:
    """Start the estimate or run that was requested in the sidebar, once; scan the folder first.

    Args:
        folder: The images.
        request: What a run does.
        is_each: Whether there is a run for each collection, which leaves it out.
    """
    if folder is None or request is None:
        return
    for key, start in ((_ESTIMATE, partial(_start_estimate, request)), (_LAUNCH, _launch)):
        if is_requested(key):
            with show_errors():  # where an action of the person interrupts it, the next run goes on
                plans = _plan(folder, request, is_each)
                if plans:
                    start(plans)
            cancel_request(key)  # after an error, too


def show_estimate(request: "RunRequest | None") -> None:
    """Show the estimate of what is requested now, if it was estimated.

    Raises:
        RunError: The estimate failed.
    """
    estimated = st.session_state.get(_ESTIMATED)
    if estimated is None or estimated[0] != request:
        return
    from melanoma_core.runs.control import read_estimate

    estimate = read_estimate(load_settings(), estimated[1])
    if estimate is None:
        st.caption("Running a few training steps. This takes half a minute or more.")
    else:
        show_html(render_estimate(estimate))


def _request(key: str, folder: Path, view: str) -> None:
    allow_scan(folder)
    request_work(key)
    if key == _LAUNCH:
        st.session_state[view] = "Runs"


def _plan(folder: Path, request: "RunRequest", is_each: bool) -> "dict[str, RunPlan]":
    """Return the plans of the runs, by the collection that each leaves out.

    Returns:
        One plan under "" unless each collection is left out; none if the scan was cancelled.
    """
    from melanoma_core.runs.plan import plan_each_left_out, plan_run

    opened = open_chosen_folder(folder)
    if opened is None:
        return {}
    dataset = get_dataset(opened, get_manual_decisions(opened))
    settings, name = load_settings(), opened.folder.name
    if is_each:
        return plan_each_left_out(settings, dataset, name, request)
    return {_SINGLE: plan_run(settings, dataset, name, request)}


def _start_estimate(request: "RunRequest", plans: "dict[str, RunPlan]") -> None:
    from melanoma_core.runs.control import start_estimate

    cancel_request(_ESTIMATE)
    first = next(iter(plans.values()))
    key = start_estimate(load_settings(), first.spec, first.split)
    st.session_state[_ESTIMATED] = (request, key)


def _launch(plans: "dict[str, RunPlan]") -> None:
    from melanoma_core.runs.control import launch
    from melanoma_core.runs.leave_out import launch_series, list_series_runs

    name, settings = st.session_state.get("run-name", "").strip() or None, load_settings()
    with st.spinner("Starting the run"):
        cancel_request(_LAUNCH)  # an interruption from now on must not launch it twice
        if _SINGLE in plans:
            plan = plans[_SINGLE]
            run_id = launch(settings, plan.spec, plan.split, name)
        else:
            series_id = launch_series(settings, plans, name)
            run_id = list_series_runs(settings, series_id)[0].run_id
    get_runs.clear()
    select_run(run_id)

"""The estimate and the launch of a run, from the sidebar."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_dataset, get_split
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import allow_scan, get_manual_decisions, open_chosen_folder
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.training.cached_runs import get_runs
from dashboard.training.markup import render_estimate
from dashboard.training.runs import select_run
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.recipe import Recipe

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from melanoma_core.data.splitting import Split

_LAUNCH, _ESTIMATE = "launch-run", "estimate-run"
_ESTIMATED = "estimate"  # in the session: recipe, seed and key of the last estimate


def offer_launch(folder: Path | None, recipe: Recipe | None) -> "DeltaGenerator":
    """Show the buttons in the sidebar; return the container for the estimate."""
    with st.sidebar:
        st.text_input(
            "Name of the run",
            key="run-name",
            placeholder=f"{recipe.name} and a number" if recipe else "",
            help="Shown on this page and on the command line. Empty: the recipe and a number.",
        )
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
                args=(key, folder),
                disabled=folder is None or recipe is None,
                width="stretch",
            )
        return st.container()


def start_requested(folder: Path | None, seed: int, recipe: Recipe | None) -> None:
    """Start the estimate or run that was requested in the sidebar, once; scan the folder first."""
    for key, start in ((_ESTIMATE, _start_estimate), (_LAUNCH, _launch)):
        if folder is not None and recipe is not None and is_requested(key):
            cancel_request(key)  # so that it does not start again after an error or a rerun
            with show_errors():
                prepared = _prepare(folder, seed, recipe)
                if prepared is not None:
                    start(*prepared)


def show_estimate(recipe: Recipe | None, seed: int) -> None:
    """Show the estimate of the current recipe if it was requested.

    Raises:
        RunError: The estimate failed.
    """
    estimated = st.session_state.get(_ESTIMATED)
    if estimated is None or estimated[:2] != (recipe, seed):
        return
    from melanoma_core.runs.control import read_estimate

    estimate = read_estimate(load_settings(), estimated[2])
    if estimate is None:
        st.caption("Running a few training steps. This takes half a minute or more.")
    else:
        st.html(render_estimate(estimate))


def _request(key: str, folder: Path) -> None:
    allow_scan(folder)
    request_work(key)


def _prepare(folder: Path, seed: int, recipe: Recipe) -> "tuple[RunSpec, Split] | None":
    """Return the specification and split of a run; None if the scan was cancelled."""
    from melanoma_core.data.splitting import add_to_train
    from melanoma_core.training.ancestry import apply_ancestor_split
    from melanoma_core.training.description import describe_data

    opened = open_chosen_folder(folder)
    if opened is None:
        return None
    decisions = get_manual_decisions(opened)
    dataset = get_dataset(opened, decisions)
    split = apply_ancestor_split(recipe, get_split(opened, decisions, seed))
    split = add_to_train(split, dataset.tiers)
    class_names = tuple(str(label) for label in Diagnosis)
    data = describe_data(dataset, split)
    return RunSpec(recipe, class_names, opened.folder.name, data), split


def _start_estimate(spec: RunSpec, split: "Split") -> None:
    from melanoma_core.runs.control import start_estimate

    key = start_estimate(load_settings(), spec, split)
    st.session_state[_ESTIMATED] = (spec.recipe, split.seed, key)


def _launch(spec: RunSpec, split: "Split") -> None:
    from melanoma_core.runs.control import launch

    name = st.session_state.get("run-name", "").strip()
    with st.spinner("Starting the run"):
        run_id = launch(load_settings(), spec, split, name or None)
    get_runs.clear()
    select_run(run_id)

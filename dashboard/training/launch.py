"""What a run would take, and its start."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_dataset, get_split
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import allow_scan, get_manual_decisions, open_chosen_folder
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.training.cached import forget_runs
from dashboard.training.markup import render_estimate
from dashboard.training.runs import follow
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.recipe import Recipe

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from melanoma_core.data.splitting import Split

_LAUNCH, _ESTIMATE = "launch-run", "estimate-run"
_KEPT = "estimate"  # in the session: the recipe and split that were estimated, and the key of it


def offer_launch(folder: Path | None, recipe: Recipe | None) -> "DeltaGenerator":
    """Offer the estimate and the start in the sidebar; return the place of the estimate."""
    with st.sidebar:
        st.text_input(
            "Name of the run",
            key="run-name",
            placeholder=f"{recipe.name} and a number" if recipe else "",
            help="For people, on this page and on the command line. Empty: the recipe's and a "
            "number.",
        )
        for label, key, told in (
            (
                "Estimate time and memory",
                _ESTIMATE,
                "Measures a few real steps of this recipe on this machine.",
            ),
            (
                "Launch",
                _LAUNCH,
                "Trains in a process of its own: this page can be closed meanwhile. Where another "
                "run is at work, this one waits for its turn.",
            ),
        ):
            st.button(
                label,
                help=told,
                type="primary" if key == _LAUNCH else "secondary",
                on_click=_ask,
                args=(key, folder),
                disabled=folder is None or recipe is None,
                width="stretch",
            )
        return st.container()


def do_asked(folder: Path | None, seed: int, recipe: Recipe | None) -> None:
    """Start what was asked for in the sidebar, once; the photographs are measured before."""
    for key, do in ((_ESTIMATE, _start_estimate), (_LAUNCH, _launch)):
        if folder is not None and recipe is not None and is_requested(key):
            # Asked for once: after an error or a rerun it is not begun again by itself.
            cancel_request(key)
            with show_errors():
                prepared = _prepare(folder, seed, recipe)
                if prepared is not None:
                    do(*prepared)


def show_estimate(recipe: Recipe | None, seed: int) -> None:
    """Show the estimate of the recipe as it is set, where one was asked for.

    Raises:
        RunError: It failed; the message says why.
    """
    kept = st.session_state.get(_KEPT)
    if kept is None or kept[:2] != (recipe, seed):
        return
    from melanoma_core.runs.control import read_estimate

    estimate = read_estimate(load_settings(), kept[2])
    if estimate is None:
        st.caption("Measuring a few steps of this recipe. That takes half a minute or more.")
    else:
        st.html(render_estimate(estimate))


def _ask(key: str, folder: Path) -> None:
    allow_scan(folder)
    request_work(key)


def _prepare(folder: Path, seed: int, recipe: Recipe) -> "tuple[RunSpec, Split] | None":
    """Return what a run is asked to do, and its subsets; None where opening was cancelled."""
    from melanoma_core.training.ancestry import respect_ancestor
    from melanoma_core.training.description import describe_data

    opened = open_chosen_folder(folder)
    if opened is None:
        return None
    dataset = get_dataset(opened, get_manual_decisions(opened))
    split = respect_ancestor(recipe, get_split(dataset, seed))
    names = tuple(str(label) for label in Diagnosis)
    return RunSpec(recipe, names, opened.folder.name, describe_data(dataset, split)), split


def _start_estimate(spec: RunSpec, split: "Split") -> None:
    from melanoma_core.runs.control import start_estimate

    key = start_estimate(load_settings(), spec, split)
    st.session_state[_KEPT] = (spec.recipe, split.seed, key)


def _launch(spec: RunSpec, split: "Split") -> None:
    from melanoma_core.runs.control import launch

    name = st.session_state.get("run-name", "").strip()
    with st.spinner("Starting the run"):
        run_id = launch(load_settings(), spec, split, name or None)
    forget_runs()
    follow(run_id)

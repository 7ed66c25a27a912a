"""Runs, curves, predictions and studies from the tracking store, cached for all sessions.

They are read-only, so they are cached as resources: Streamlit would copy data at every page run.
"""

import gc
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.runs.run import Run, RunState
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from collections.abc import Mapping

    import pandas as pd

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.study import Study

_SECONDS = 1.5  # below the refresh interval of the page, so that every refresh shows the latest
_MOST_RUNS, _MOST_CURVES = 200, 50
_LOG_LINES = 40


def _identify(run: Run) -> tuple[object, ...]:
    """Return what determines the results of a run: one that was resumed ends at another time."""
    return run.run_id, run.state, run.ended_at


def _identify_with_progress(run: Run) -> tuple[object, ...]:
    """Return what determines the curves of a run: they grow with its progress."""
    return *_identify(run), run.progress


@st.cache_resource(show_spinner="Reading the run history", ttl=_SECONDS, max_entries=4)
def get_runs(settings: Settings) -> list[Run]:
    """Return all runs: running ones first, then queued ones in order, then the newest.

    Raises:
        RunError: The tracking store cannot be read.
    """
    from melanoma_core.runs.control import list_runs

    runs = sorted(list_runs(settings), key=_get_rank)
    _load_libraries()  # list_runs has imported MLflow by now if there are runs
    return runs


@st.cache_resource(
    show_spinner=False, max_entries=_MOST_CURVES, hash_funcs={Run: _identify_with_progress}
)
def get_curves(run: Run) -> "pd.DataFrame":
    """Return the curves of a run as `control.read_curves` does.

    Raises:
        RunError: The tracking store cannot be read.
    """
    from melanoma_core.runs.control import read_curves

    return read_curves(load_settings(), run.run_id)


def get_log(run: Run) -> str:
    """Return the last lines of a run's log; empty if its files are on another machine."""
    from melanoma_core.runs.control import read_log

    return "\n".join(read_log(load_settings(), run.run_id, _LOG_LINES))


@st.cache_resource(show_spinner=False, max_entries=_MOST_RUNS, hash_funcs={Run: _identify})
def get_predictions(run: Run) -> "pd.DataFrame":
    """Return the predictions of a finished run on all held-out images.

    Raises:
        RunError: The run left no predictions, or they cannot be read.
    """
    from melanoma_core.runs.control import read_predictions

    return read_predictions(load_settings(), run.run_id)


@st.cache_resource(
    show_spinner="Computing metrics", max_entries=_MOST_RUNS, hash_funcs={Run: _identify}
)
def get_test_figures(run: Run) -> "dict[str, Figure]":
    """Return the metrics of a finished run on its test subset.

    Raises:
        RunError: The run left no predictions, or they cannot be read.
    """
    from melanoma_core.training.predictions import evaluate_subset

    return evaluate_subset(get_predictions(run), "test")


@st.cache_resource(show_spinner=False, max_entries=_MOST_RUNS, hash_funcs={Run: _identify})
def get_alert_figures(run: Run) -> "Mapping[str, Figure]":
    """Return the test metrics of the model of a run as `comparison.read_card_figures` does."""
    from melanoma_core.runs.comparison import read_card_figures

    return read_card_figures(load_settings(), run)


@st.cache_resource(
    show_spinner="Comparing runs", max_entries=_MOST_RUNS, hash_funcs={Run: _identify}
)
def get_differences(run: Run, reference: Run) -> "dict[str, Figure]":
    """Return the metrics of a finished run minus those of another, on the same test images.

    Raises:
        RunError: The test images or classes differ, or a run left no predictions.
    """
    from melanoma_core.runs.comparison import compare_predictions

    return compare_predictions(get_predictions(run), get_predictions(reference), "test")


def get_studies(runs: list[Run]) -> "list[Study]":
    """Return the studies among runs, newest first, with the metrics of all finished runs.

    Raises:
        MelanomaError: The predictions of a run cannot be read.
    """
    by_study: dict[str, list[Run]] = {}
    for run in runs:
        if run.spec.study:
            by_study.setdefault(run.spec.study, []).append(run)
    studies = [_get_study(its_runs) for its_runs in by_study.values()]
    return sorted(studies, key=lambda study: study.created_at, reverse=True)


def snapshot(runs: list[Run]) -> tuple[object, ...]:
    """Return what the lists of runs display: equal as long as none of them has to be redrawn."""
    return tuple(
        (run.run_id, run.name, run.state, run.queue_position, run.progress and run.progress.epoch)
        for run in runs
    )


@st.cache_resource(
    show_spinner="Evaluating the study", max_entries=_MOST_RUNS, hash_funcs={Run: _identify}
)
def _get_study(runs: list[Run]) -> "Study":
    from melanoma_core.runs.study import summarise_study

    finished = [run for run in runs if run.state is RunState.FINISHED]
    return summarise_study(runs, {run.run_id: get_predictions(run) for run in finished})


def _get_rank(run: Run) -> tuple[bool, int, float]:
    age = -datetime.fromisoformat(run.created_at).timestamp()
    return run.state.is_over, run.queue_position or 0, age


@st.cache_resource(show_spinner=False)
def _load_libraries() -> None:
    """Import what the page needs and exempt it from garbage collection.

    Streamlit collects garbage after each run of a page. With MLflow and plotly loaded that takes
    0.3 s at every refresh, on a machine that may be training.
    """
    import plotly.graph_objects  # noqa: F401

    import melanoma_core.runs.control  # noqa: F401

    gc.collect()
    gc.freeze()

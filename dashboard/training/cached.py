"""What the record says of the runs, read once for all sessions that look at the same second.

Kept as resources rather than as data, which would be copied at every look. All of it is read and
never changed.
"""

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:  # a page is painted before pandas is there
    import pandas as pd

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.run import Run, RunState
    from melanoma_core.runs.study import Study

_SECONDS = 1.5  # below the page's refresh, so that none shows the same twice
_MOST_RUNS = 200
LOG_LINES = 40


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of a run.

    Attributes:
        table: As `control.read_curves` gives.
        digests: By metric, equal where its curves are; that of "recall" is of all classes.
    """

    table: "pd.DataFrame"
    digests: Mapping[str, int]


def get_runs() -> "list[Run]":
    """Return all runs: those that work first, then those that wait in their order, then the newest.

    Raises:
        RunError: The record cannot be read.
    """
    return _list_runs(load_settings())


def get_curves(run: "Run") -> Curves:
    """Return the curves of a run as they are now.

    Raises:
        RunError: The record cannot be read.
    """
    read = _keep_curves if run.state.is_over else _read_curves
    return read(load_settings(), run.run_id, str(run.ended_at))


def get_log(run: "Run") -> str:
    """Return the last lines of a run's log; empty where its files are on another machine."""
    from melanoma_core.runs.control import read_log

    return "\n".join(read_log(load_settings(), run.run_id, LOG_LINES))


def get_predictions(run: "Run") -> "pd.DataFrame":
    """Return what a finished run said of every image that it did not learn from.

    Raises:
        RunError: It has left nothing, or it cannot be read.
    """
    return _read_predictions(load_settings(), run.run_id, str(run.ended_at))


def get_figures(run: "Run") -> "dict[str, Figure]":
    """Return the test figures of a finished run.

    Raises:
        RunError: It has left no predictions, or they cannot be read.
    """
    return _measure(load_settings(), run.run_id, str(run.ended_at))


def get_leads(one: "Run", other: "Run") -> "dict[str, Figure]":
    """Return how far one finished run is ahead of another on the same test images.

    Raises:
        RunError: They are not the same, or one has left no predictions.
    """
    return _compare(load_settings(), *((run.run_id, str(run.ended_at)) for run in (one, other)))


def get_studies() -> "list[Study]":
    """Return all studies, the newest first, with the figures of the runs that have finished.

    Raises:
        MelanomaError: The record or predictions of a run cannot be read.
    """
    by_study: dict[str, list[Run]] = {}
    for run in get_runs():
        if run.spec.study:
            by_study.setdefault(run.spec.study, []).append(run)
    settings = load_settings()
    studies = [
        _load_study(settings, study, tuple(sorted((run.run_id, run.state) for run in its_runs)))
        for study, its_runs in by_study.items()
    ]
    return sorted(studies, key=lambda study: study.created_at, reverse=True)


def look_up() -> tuple[object, ...]:
    """Return what the lists of runs show: equal while none of them has to be shown anew.

    Raises:
        RunError: The record cannot be read.
    """
    return tuple(
        (run.run_id, run.name, run.state, run.queue_position or 0, _count_epochs(run))
        for run in get_runs()
    )


def forget_runs() -> None:
    """Read the record anew at the next look, since something was done to a run."""
    _list_runs.clear()


def _count_epochs(run: "Run") -> int:
    return run.progress.epoch if run.progress else 0


def _order(run: "Run") -> tuple[bool, int, float]:
    """Order runs by what works, then by what waits, then by their age."""
    from datetime import datetime

    age = -datetime.fromisoformat(run.created_at).timestamp()
    return run.state.is_over, run.queue_position or 0, age


@st.cache_resource(show_spinner=False)
def _load_libraries() -> None:
    """Load what the page needs, and spare it from the search for garbage.

    Streamlit searches after each run of a page. With MLflow and plotly that takes 0.3 s, of a
    computer that trains, every time this page looks again.
    """
    import plotly.graph_objects  # noqa: F401

    import melanoma_core.runs.control  # noqa: F401

    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner="Reading the record of runs", ttl=_SECONDS, max_entries=4)
def _list_runs(settings: Settings) -> "list[Run]":
    from melanoma_core.runs.control import list_runs

    found = sorted(list_runs(settings), key=_order)
    _load_libraries()  # by now MLflow is loaded too, where there is a record
    return found


@st.cache_resource(show_spinner=False, ttl=_SECONDS, max_entries=_MOST_RUNS)
def _read_curves(settings: Settings, run_id: str, ended_at: str) -> Curves:  # noqa: ARG001
    import pandas as pd

    from melanoma_core.runs.control import read_curves

    table = read_curves(settings, run_id)
    kinds = pd.Series([metric.partition("/")[0] for metric in table["metric"]], dtype=object)
    digests = pd.util.hash_pandas_object(table, index=False).groupby(kinds).sum()
    return Curves(table, {str(metric): int(digest) for metric, digest in digests.items()})


# Of a run that is over nothing changes; one that was resumed ends at another time.
@st.cache_resource(show_spinner=False, max_entries=_MOST_RUNS)
def _keep_curves(settings: Settings, run_id: str, ended_at: str) -> Curves:
    return _read_curves(settings, run_id, ended_at)


@st.cache_resource(show_spinner=False, max_entries=_MOST_RUNS)
def _read_predictions(settings: Settings, run_id: str, ended_at: str) -> "pd.DataFrame":  # noqa: ARG001
    from melanoma_core.runs.control import read_predictions

    return read_predictions(settings, run_id)


@st.cache_resource(show_spinner="Measuring", max_entries=_MOST_RUNS)
def _measure(settings: Settings, run_id: str, ended_at: str) -> "dict[str, Figure]":
    from melanoma_core.training.predictions import measure

    return measure(_read_predictions(settings, run_id, ended_at), "test")


@st.cache_resource(show_spinner="Comparing", max_entries=_MOST_RUNS)
def _compare(
    settings: Settings, one: tuple[str, str], other: tuple[str, str]
) -> "dict[str, Figure]":
    from melanoma_core.runs.comparison import compare_predictions

    return compare_predictions(
        _read_predictions(settings, *one), _read_predictions(settings, *other), "test"
    )


@st.cache_resource(show_spinner="Measuring the study", max_entries=_MOST_RUNS)
def _load_study(
    settings: Settings,
    study_id: str,
    states: "tuple[tuple[str, RunState], ...]",  # noqa: ARG001
) -> "Study":
    from melanoma_core.runs.study import load_study

    return load_study(settings, study_id)

"""Follow several runs on the command line until all are over; Ctrl-C stops them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import log
from melanoma_core.settings import Settings

if TYPE_CHECKING:
    from melanoma_core.runs.run import Run

    ListRuns = Callable[[], "list[Run]"]

_POLL_SECONDS = 2.0
_WIDTH = 100  # characters to which a line is padded, to hide the one before


def follow_runs(
    settings: Settings, list_runs: "ListRuns", name_run: "Callable[[Run], str]", what: str
) -> None:
    """Wait for runs with a line of progress.

    Args:
        settings: Where the runs are.
        list_runs: Returns the runs as they are now, in the order of their launch.
        name_run: Returns the name of a run in a line.
        what: What the runs are together, for example "study".
    """
    from melanoma_core.runs.control import stop_run

    try:
        _wait(list_runs, name_run)
    except KeyboardInterrupt:
        log(f"\nStopping. The same command resumes the {what}.")
        # In reverse, so that no queued run begins meanwhile.
        for run in reversed(list_runs()):
            stop_run(settings, run.run_id)
        _wait(list_runs, name_run)


def _wait(list_runs: "ListRuns", name_run: "Callable[[Run], str]") -> None:
    logged: set[str] = set()
    while True:
        its_runs = list_runs()
        for run in its_runs:
            if run.state.is_over and run.run_id not in logged:
                logged.add(run.run_id)
                log(f"\r{name_run(run)}: {run.state}. {run.message}".rstrip().ljust(_WIDTH))
        # Not counted, because a run may be deleted meanwhile.
        if all(run.state.is_over for run in its_runs):
            return
        log(f"\r{_format_progress(its_runs, name_run)}", end="")
        time.sleep(_POLL_SECONDS)


def _format_progress(its_runs: "list[Run]", name_run: "Callable[[Run], str]") -> str:
    """Return the number of finished runs and the progress of the others in one line."""
    parts = [f"{sum(run.state.is_over for run in its_runs)} of {len(its_runs)} runs are over"]
    for run in its_runs:
        progress = run.progress
        if progress is not None:
            of_epochs = f"epoch {progress.epoch} of {progress.num_epochs}"
            parts.append(
                f"{name_run(run)}: {progress.phase} {progress.done}/{progress.total}, {of_epochs}"
            )
    return "; ".join(parts).ljust(_WIDTH)

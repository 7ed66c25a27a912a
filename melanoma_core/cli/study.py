"""`python -m melanoma_core study`: train every recipe on one split, with and without leakage."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import open_files
from melanoma_core.cli.terminal import log, print_json
from melanoma_core.errors import RunError
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:
    from melanoma_core.runs.run import Run

_POLL_SECONDS = 2.0
_WIDTH = 100  # characters to which a line is padded, to hide the one before


def add_study_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `study` to the command line."""
    parser = commands.add_parser(
        "study", help="compare all recipes on one split, evaluated with and without leakage"
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="DIR", help="a folder of class folders"
    )
    parser.add_argument("--recipes", metavar="NAME,NAME", help="default: all except quick")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="change a field of every recipe",
    )
    parser.add_argument("--show", metavar="ID", help="show a study without launching runs")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print Markdown tables")
    form.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--detach", action="store_true", help="print the id of the study and return at once"
    )
    parser.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> int:
    if (options.folder is None) == (options.show is None):
        raise RunError(
            "Found both a folder and --show, or neither. Exactly one is needed. Name a folder to "
            "study, or a study to show."
        )
    from melanoma_core.runs.study import load_study
    from melanoma_core.runs.study_table import describe_study, write_study

    settings = load_settings()
    study_id = options.show or _launch(settings, options)
    if options.folder and not options.detach:
        _follow(settings, study_id)
    study = load_study(settings, study_id)
    if options.json:
        print_json(describe_study(study))
    elif options.detach:
        print(study_id)
    else:
        print(write_study(study, markdown=options.markdown))
    return 0


def _launch(settings: Settings, options: argparse.Namespace) -> str:
    from melanoma_core.runs.study import STUDY_RECIPES, launch_study

    recipes = options.recipes.split(",") if options.recipes else STUDY_RECIPES
    study_id = launch_study(settings, open_files(options.folder), options.changes, recipes)
    log(f"Study {study_id}")
    return study_id


def _follow(settings: Settings, study_id: str) -> None:
    """Wait for the runs of a study; Ctrl-C stops them."""
    from melanoma_core.runs.control import stop_run
    from melanoma_core.runs.study import list_study_runs

    try:
        _wait(settings, study_id)
    except KeyboardInterrupt:
        log("\nStopping. The same command resumes the study.")
        # In reverse, so that no queued run begins meanwhile.
        for run in reversed(list_study_runs(settings, study_id)):
            stop_run(settings, run.run_id)
        _wait(settings, study_id)


def _wait(settings: Settings, study_id: str) -> None:
    from melanoma_core.runs.study import list_study_runs

    logged: set[str] = set()
    while True:
        its_runs = list_study_runs(settings, study_id)
        for run in its_runs:
            if run.state.is_over and run.run_id not in logged:
                logged.add(run.run_id)
                log(f"\r{_format_end(run)}")
        # Not counted, because a run may be deleted meanwhile.
        if all(run.state.is_over for run in its_runs):
            return
        log(f"\r{_format_progress(its_runs)}", end="")
        time.sleep(_POLL_SECONDS)


def _format_end(run: "Run") -> str:
    return f"{run.spec.recipe.name}: {run.state}. {run.message}".rstrip().ljust(_WIDTH)


def _format_progress(its_runs: "list[Run]") -> str:
    """Return the number of finished runs and the progress of the others in one line."""
    parts = [f"{sum(run.state.is_over for run in its_runs)} of {len(its_runs)} runs are over"]
    for run in its_runs:
        progress = run.progress
        if progress is not None:
            of_epochs = f"epoch {progress.epoch} of {progress.num_epochs}"
            parts.append(
                f"{run.spec.recipe.name}: {progress.phase} {progress.done}/{progress.total}, "
                f"{of_epochs}"
            )
    return "; ".join(parts).ljust(_WIDTH)

"""`train --leave-out each` and `leave-out`: every collection left out in turn, in one table."""

import argparse
from typing import TYPE_CHECKING

from melanoma_core.cli.following import follow_runs
from melanoma_core.cli.terminal import log, print_json
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.runs.plan import RunRequest
    from melanoma_core.runs.run import Run

EACH = "each"  # of the option `--leave-out`


def add_leave_out_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `leave-out` to the command line."""
    parser = commands.add_parser(
        "leave-out", help="show the metrics on every collection that was left out of training"
    )
    parser.add_argument(
        "series",
        nargs="?",
        metavar="ID",
        help="as `train --leave-out each` prints it; default: the newest",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print a Markdown table")
    form.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_show)


def train_each(
    settings: Settings, dataset: "Dataset", request: "RunRequest", options: argparse.Namespace
) -> int:
    """Train once without each collection, and print the table.

    Args:
        settings: Where runs and models are.
        dataset: The images.
        request: What all runs share.
        options: Of `train`.
    """
    from melanoma_core.cli.files import real_path
    from melanoma_core.runs.leave_out import launch_series, list_series_runs
    from melanoma_core.runs.plan import plan_each_left_out

    plans = plan_each_left_out(settings, dataset, real_path(options.folder).name, request)
    for source, plan in plans.items():
        sizes = plan.split.table["subset"].value_counts()
        counts = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
        log(f"Without {source}: {counts}")
    series_id = launch_series(settings, plans, options.name)
    log(f"Series {series_id}")
    if options.detach:
        print_json({"series_id": series_id}) if options.json else print(series_id)
        return 0
    follow_runs(
        settings, lambda: list_series_runs(settings, series_id), _name_run, "series of runs"
    )
    return _print(settings, series_id, markdown=False, as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    return _print(load_settings(), options.series, markdown=options.markdown, as_json=options.json)


def _print(settings: Settings, series_id: str | None, *, markdown: bool, as_json: bool) -> int:
    """Print a series; the exit status says whether all of its runs have metrics."""
    from melanoma_core.runs.leave_out import load_series
    from melanoma_core.runs.leave_out_table import describe_series, write_series

    series = load_series(settings, series_id)
    if as_json:
        print_json(describe_series(series))
    else:
        print(write_series(series, markdown=markdown))
    return 0


def _name_run(run: "Run") -> str:
    return run.name

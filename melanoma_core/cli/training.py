"""`python -m melanoma_core train`, `runs`, `stop`, `resume`: the runs of the Training page."""

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import open_cleaned, real_path
from melanoma_core.cli.leave_out import EACH, train_each
from melanoma_core.cli.terminal import log, make_folder, print_json
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.runs.run import Progress, Run
    from melanoma_core.training.recipe import Recipe

_POLL_SECONDS = 1.0
_STOP_SECONDS = 120.0  # longer than any batch
_WIDTH = 110  # characters to which a line is padded, to hide the one before


def add_training_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `train`, `runs`, `stop` and `resume` to the command line."""
    train = commands.add_parser("train", help="train a network and save it as a model")
    train.add_argument("folder", type=Path, metavar="DIR", help="a collection, or a folder of them")
    train.add_argument("--table", type=Path, metavar="FILE", help="cleaned table of the audit")
    train.add_argument("--recipe", default="transfer", metavar="NAME")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    starts = train.add_mutually_exclusive_group()
    starts.add_argument(
        "--weights",
        metavar="FILE",
        help="weights of the backbone without its head: a file, none (random), or imagenet, the "
        "default of a backbone: searched in MELANOMA_WEIGHTS_DIR, otherwise downloaded by Keras",
    )
    starts.add_argument(
        "--from",
        metavar="MODEL",
        dest="start",
        help="start from a model; images that it has seen keep their subsets",
    )
    train.add_argument(
        "--leave-out",
        metavar="SOURCE",
        help="train without this collection of DIR and evaluate on it as an external test set; "
        "each: one run per collection, and a table of all (see `leave-out`)",
    )
    train.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME",
        help="train and evaluate without this collection, or without this image id and its "
        "relatives; can be repeated",
    )
    train.add_argument(
        "--train-only",
        action="append",
        default=[],
        metavar="SOURCE",
        help="use this collection in training alone, never in validation or test, for example "
        "since it names no patients; can be repeated",
    )
    train.add_argument(
        "--keep-split",
        metavar="MODEL",
        help="images keep the subsets that they had for this model, so that both can be compared "
        "on the same test images",
    )
    train.add_argument(
        "--skip-tests",
        action="store_true",
        help="leave the tests of heatmaps and robustness out of the model card; they can take "
        "longer than a short training. With --leave-out each, they are always left out",
    )
    train.add_argument("--name", help="name of the run; default: the recipe and a number")
    train.set_defaults(run=_train)

    runs = commands.add_parser("runs", help="list the runs")
    runs.add_argument("--json", action="store_true", help="print one JSON document")
    runs.set_defaults(run=_list)

    stop = commands.add_parser("stop", help="stop a run after the current batch")
    resume = commands.add_parser("resume", help="resume a run after its last finished epoch")
    for parser in (stop, resume):
        parser.add_argument(
            "which", metavar="RUN", help="id of the run, beginning of the id, or name"
        )
    stop.set_defaults(run=_stop)
    resume.set_defaults(run=_resume)
    for parser in (train, resume):
        parser.add_argument("--json", action="store_true", help="print the model card as JSON")
        parser.add_argument(
            "--detach", action="store_true", help="print the id of the run and return at once"
        )


def _train(options: argparse.Namespace) -> int:
    settings = load_settings()
    recipe = _make_recipe(options, settings)  # so that it fails before the slow imports
    make_folder(settings.models_dir)

    from melanoma_core.models.identifiers import find_key
    from melanoma_core.runs.control import launch
    from melanoma_core.runs.plan import RunRequest, plan_run
    from melanoma_core.training.ancestry import read_ancestor_split, search_leaks
    from melanoma_core.training.selection import Selection

    dataset = open_cleaned(options.folder, options.table)
    for reason, count in dataset.decisions["reason"].value_counts().items():
        log(f"{count} files: {reason}")
    is_each = options.leave_out == EACH
    left_out = None if is_each else options.leave_out
    selection = Selection(tuple(options.without), tuple(options.train_only), left_out)
    skips_tests = options.skip_tests or is_each
    request = RunRequest(recipe, recipe.seed, selection, options.keep_split, skips_tests)
    if is_each:
        return train_each(settings, dataset, request, options)
    plan = plan_run(settings, dataset, real_path(options.folder).name, request)
    unchecked = search_leaks(
        plan.split.table, read_ancestor_split(recipe), find_key(settings)
    ).unchecked
    if unchecked:
        log(unchecked)
    for name, count in plan.split.table["subset"].value_counts().items():
        log(f"{count} images in {name}")
    return _follow(settings, launch(settings, plan.spec, plan.split, options.name), options)


def _make_recipe(options: argparse.Namespace, settings: Settings) -> "Recipe":
    from melanoma_core.models.card import KERAS_NAME, load_card
    from melanoma_core.models.integrity import read_network
    from melanoma_core.models.registry import find_model
    from melanoma_core.training.recipe import NAMED_WEIGHTS, make_recipe

    if not options.start:
        recipe = make_recipe(options.recipe, options.changes)
        # Absolute, because the run's process may have another working folder.
        given = options.weights or recipe.weights
        is_file = options.weights and given not in NAMED_WEIGHTS
        return replace(recipe, weights=str(Path(given).absolute()) if is_file else given)
    folder = find_model(settings, options.start)
    card, network_file = load_card(folder), folder / KERAS_NAME
    read_network(network_file, card)  # refuses another file than that of the card
    before = card.recipe
    network = ["architecture", "image_size", "batch_normalization", "colour_constancy"]
    if before.get("outline_weight"):  # or what the model has learned of outlines would be lost
        network += ["outline_weight", "outline_pooling"]
    changes = [f"{name}={before[name]}" for name in network if name in before]
    # The head is already trained.
    recipe = make_recipe(options.recipe, [*changes, "head_epochs=0", *options.changes])
    return replace(recipe, weights=str(network_file.absolute()))


def _resume(options: argparse.Namespace) -> int:
    from melanoma_core.runs.control import find_run, resume_run

    settings = load_settings()
    run_id = find_run(settings, options.which).run_id
    resume_run(settings, run_id)
    return _follow(settings, run_id, options)


def _stop(options: argparse.Namespace) -> int:
    from melanoma_core.runs.control import find_run, stop_run

    settings = load_settings()
    run = find_run(settings, options.which)
    stop_run(settings, run.run_id)
    stopped = _wait_until_over(settings, run.run_id)
    print(f"{stopped.run_id} {stopped.state}")
    return 0 if stopped.state.is_over else 2


def _wait_until_over(settings: Settings, run_id: str) -> "Run":
    from melanoma_core.runs.control import load_run

    deadline = time.monotonic() + _STOP_SECONDS
    while not (run := load_run(settings, run_id)).state.is_over and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS / 2)
    if not run.state.is_over:
        log(
            f'Run "{run.name}" was asked to stop {_STOP_SECONDS:.0f} seconds ago and still works '
            f"on a batch. It stops after that batch. Its log is in {settings.runs_dir / run_id}."
        )
    return run


def _follow(settings: Settings, run_id: str, options: argparse.Namespace) -> int:
    """Show the progress of a run until it is over, and return the exit status."""
    from melanoma_core.runs.control import stop_run

    if options.detach:
        if options.json:
            print_json({"run_id": run_id})
        else:
            print(run_id)
        return 0
    log(f"Run {run_id}. Ctrl-C stops it.")
    try:
        run = _wait_with_progress(settings, run_id)
    except KeyboardInterrupt:
        log("\nStopping after the current batch.")
        stop_run(settings, run_id)
        run = _wait_until_over(settings, run_id)
    return _conclude(settings, run, options.json)


def _wait_with_progress(settings: Settings, run_id: str) -> "Run":
    from melanoma_core.runs.control import load_run, read_curves

    while not (run := load_run(settings, run_id)).state.is_over:
        validation = _format_validation(read_curves(settings, run_id))
        log(f"\r{_format_progress(run, validation).ljust(_WIDTH)}", end="")
        time.sleep(_POLL_SECONDS)
    log("")
    return run


def _conclude(settings: Settings, run: "Run", as_json: bool) -> int:
    """Print the result of a run, and return the exit status."""
    from melanoma_core.models.card import load_card
    from melanoma_core.runs.run import RunState

    if run.state is not RunState.FINISHED:
        log(f'Run "{run.name}" is {run.state}. {run.message}')
        if run.can_resume:
            log(f"To resume it: python -m melanoma_core resume {run.run_id[:8]}")
        return 1 if run.is_bug else 2
    if run.model_id:
        log(f"Wrote {settings.models_dir / run.model_id}")
        log(f"To deploy it: python -m melanoma_core promote {run.model_id}")
    else:
        log(f"Not kept as a model. {run.not_kept}")
        _log_test(settings, run)
    if as_json and run.model_id:
        print_json(load_card(settings.models_dir / run.model_id))
    elif as_json:
        print_json(run)
    else:
        print(run.model_id or run.run_id)
    return 0


def _log_test(settings: Settings, run: "Run") -> None:
    """Show the test metrics of a run without a model card."""
    from melanoma_core.models.card_text.formats import format_figure
    from melanoma_core.runs.control import read_predictions
    from melanoma_core.training.classes import find_positive
    from melanoma_core.training.predictions import evaluate_subset

    figures = evaluate_subset(read_predictions(settings, run.run_id), "test")
    name = run.spec.class_names[find_positive(run.spec.class_names)]
    for key, title in (
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced accuracy"),
        ("melanoma_roc_auc", f"ROC AUC of {name}"),
        ("sensitivity", f"recall of {name}"),
        ("specificity", f"specificity of {name}"),
    ):
        log(f"Test, {title}: {format_figure(key, figures[key])}")


def _format_progress(run: "Run", validation: str) -> str:
    from melanoma_core.training.observer import Phase

    if run.state.is_over or run.progress is None:
        return f"position {run.queue_position} in the queue" if run.queue_position else "starting"
    progress = run.progress
    count = f" {progress.done}/{progress.total}" if progress.total else ""
    of_epochs = f"epoch {progress.epoch}/{progress.num_epochs}  " if progress.epoch else ""
    if progress.phase not in {Phase.HEAD, Phase.NETWORK}:
        return f"{of_epochs}{progress.phase}{count}  {validation}"
    share = (progress.epoch - 1 + progress.done / progress.total) / progress.num_epochs
    return (
        f"{of_epochs}{share:6.1%}  loss {progress.loss:.3f}  {validation}"
        f"{_format_time_left(progress)}"
    )


def _format_time_left(progress: "Progress") -> str:
    if math.isnan(progress.remaining_seconds):
        return ""
    minutes, seconds = divmod(round(progress.remaining_seconds), 60)
    return f"{minutes} min {seconds:02d} s left"


def _format_validation(curves: "pd.DataFrame") -> str:
    last = curves[curves["subset"] == "validation"].groupby("metric")["value"].last()
    if last.empty:
        return ""
    return (
        f"validation: loss {last['loss']:.3f}, melanoma AUC {last.get('roc_auc', math.nan):.3f}  "
    )


def _list(options: argparse.Namespace) -> int:
    from melanoma_core.runs.control import list_runs

    runs = list_runs(load_settings())
    if options.json:
        print_json(runs)
        return 0
    if not runs:
        log("There are no runs yet. To launch one: python -m melanoma_core train DIR")
        return 0
    import pandas as pd

    table = pd.DataFrame([_format_row(run) for run in runs])
    print(table.to_string(index=False))
    return 0


def _format_row(run: "Run") -> dict[str, str]:
    progress = run.progress
    where = f"{progress.phase}, epoch {progress.epoch}/{progress.num_epochs}" if progress else ""
    if run.queue_position:
        where = f"position {run.queue_position} in the queue"
    return {
        "run": run.run_id[:8],
        "name": run.name,
        "state": "stopping" if run.is_stopping else run.state,
        "data": run.spec.data_name,
        "launched": run.created_at[:16],
        "what": run.model_id or run.message or run.not_kept or where,
    }

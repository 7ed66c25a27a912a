"""The process that a run lives in: `python -m melanoma_core.runs.worker FOLDER`.

It imports little before its turn comes, since many may wait, and the libraries of training only
when it trains.
"""

import argparse
import errno
import logging
import shutil
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import DatasetError, MelanomaError, ModelError, RecipeError, RunError
from melanoma_core.runs.folder import RunFolder
from melanoma_core.runs.queue import Queue, Ticket, open_queue
from melanoma_core.runs.run import RunState
from melanoma_core.settings import Settings, load_settings, set_environment_defaults
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.observer import Phase, Stopped

if TYPE_CHECKING:
    from melanoma_core.data.splitting import Split
    from melanoma_core.models.evidence import TrainingLog
    from melanoma_core.networks.network import Network
    from melanoma_core.runs.follower import Follower
    from melanoma_core.runs.record import Record
    from melanoma_core.runs.run import RunSpec

_POLL_SECONDS = 1.0
# With a record that cannot be reached: before the run, and after it, when more is lost.
_FIRST_PATIENCE_SECONDS, _LAST_PATIENCE_SECONDS = 60.0, 600.0
_log = logging.getLogger(__name__)


def main() -> int:
    """Do what a folder asks for, and return the exit status: 1 where it could not be begun."""
    parser = argparse.ArgumentParser(prog="python -m melanoma_core.runs.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimate", action="store_true", help="only measure what it would take")
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
    )
    # What TensorFlow says below errors is no news to whoever reads the log. oneDNN it takes of
    # itself only on processors with AVX-512, and the others train faster with it too.
    set_environment_defaults({"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"})
    folder = RunFolder(options.folder)
    try:
        if options.estimate:
            _estimate(folder)
        else:
            _run(folder, load_settings())
    except RunError as error:
        _log.error("%s", error)
        return 1
    return 0


def _run(folder: RunFolder, settings: Settings) -> None:
    queue = open_queue(settings)
    with queue.take(folder.path.name) as ticket:
        if _wait(queue, ticket, settings.max_runs, folder):
            _work(folder, settings)


def _wait(queue: Queue, ticket: Ticket, max_runs: int, folder: RunFolder) -> bool:
    """Wait for the turn; return whether it came, and the run was not stopped before.

    Who stops a run that waits notes that itself (`control.stop_run`).
    """
    _log.info("Waiting for its turn")
    while not queue.begin(ticket, max_runs):
        if folder.stop.exists():
            return False
        time.sleep(_POLL_SECONDS)
    return True


@dataclass(frozen=True)
class _Outcome:
    """How a run ended, and the tags that tell it."""

    state: RunState
    tags: dict[str, str]


def _work(folder: RunFolder, settings: Settings) -> None:
    from melanoma_core.runs.follower import Follower, StopWish
    from melanoma_core.runs.record import LEARNING_RATE, open_record, tell_time
    from melanoma_core.runs.recorder import Recorder

    wish = StopWish(folder)
    record = open_record(settings)
    recorder = Recorder(record, folder.path.name)
    recorder.announce(RunState.RUNNING, {"started_at": tell_time()}, _FIRST_PATIENCE_SECONDS)
    try:
        spec = folder.read_spec()
    except MelanomaError as error:
        recorder.announce(RunState.FAILED, {"message": str(error)}, _LAST_PATIENCE_SECONDS)
        return
    before, _ = record.get(folder.path.name).latest.get(LEARNING_RATE, (0, 0))
    with recorder:
        follower = Follower(recorder, wish, before, spec.recipe.total_epochs)
        outcome = _conclude(folder, spec, settings, record, follower)
    _log.info("The run is %s. %s", outcome.state, outcome.tags.get("message", ""))
    tags = {"progress": "", "ended_at": tell_time(), **outcome.tags}
    recorder.announce(outcome.state, tags, _LAST_PATIENCE_SECONDS)
    folder.stop.unlink(missing_ok=True)


def _conclude(
    folder: RunFolder, spec: "RunSpec", settings: Settings, record: "Record", follower: "Follower"
) -> _Outcome:
    """Train, and say how it ended: the one place that catches whatever is raised."""
    try:
        return _train(folder, spec, settings, record, follower)
    except Stopped:
        message = f"Stopped as asked. Resume goes on from epoch {follower.num_finished + 1}."
        return _Outcome(RunState.STOPPED, {"message": message})
    except Exception as error:
        _tell(error)
        free_bytes = shutil.disk_usage(folder.path).free
        message, is_bug = explain_failure(error, folder.path, free_bytes)
        return _Outcome(RunState.FAILED, {"message": message, "bug": "yes" if is_bug else ""})


def _tell(error: Exception) -> None:
    """Log where it happened, unless a person can mend it."""
    if not isinstance(error, MelanomaError):
        _log.error("It was ended by this:", exc_info=error)


def _train(
    folder: RunFolder, spec: "RunSpec", settings: Settings, record: "Record", follower: "Follower"
) -> _Outcome:
    from melanoma_core.files import explain_write_errors
    from melanoma_core.training.predictions import (
        select_held_out,
        tabulate_predictions,
        write_predictions,
    )
    from melanoma_core.training.preparation import prepare_split
    from melanoma_core.training.weights import find_weights

    recipe = spec.recipe
    weights = find_weights(recipe, settings.weights_dir)
    split = prepare_split(
        recipe, folder.read_split(), folder.path, partial(follower.on_phase, Phase.OVERSAMPLING)
    )
    follower.on_phase(Phase.STARTING, 0, 0)
    from melanoma_core.networks.inference import predict_table
    from melanoma_core.networks.trainer import TrainingTask, train_network

    task = TrainingTask(recipe, split, spec.class_names, weights)
    network = train_network(task, folder.path, follower)
    held_out = select_held_out(split.table)
    probabilities = predict_table(
        network, held_out, recipe.image_size, partial(follower.on_phase, Phase.MEASURING)
    )
    with explain_write_errors(folder.predictions, "then resume the run"):
        write_predictions(
            tabulate_predictions(held_out, probabilities, spec.class_names), folder.predictions
        )
    try:
        record.keep_file(folder.path.name, folder.predictions)
    except RunError as error:
        _log.warning("The predictions lie in the run's folder alone. %s", error)
    follower.on_phase(Phase.RELEASING, 0, 0)
    log = _tell_training(record, follower, folder.path.name, spec.data_name)
    return _Outcome(RunState.FINISHED, _release(network, spec, split, settings, log))


def _tell_training(
    record: "Record", follower: "Follower", run_id: str, data_name: str
) -> "TrainingLog":
    """Return how the training went, for the evidence: the curves where the record can be read."""
    from melanoma_core.models.evidence import TrainingLog
    from melanoma_core.runs.history import gather_epochs

    try:
        follower.flush()
        recorded = record.get(run_id)
        rows = gather_epochs(record, recorded)
    except RunError as error:
        _log.warning("The evidence holds no curves. %s", error)
        return TrainingLog(run_id, "", data_name, "")
    started = recorded.tags.get("started_at", "")
    return TrainingLog(run_id, recorded.name, data_name, started, tuple(rows))


def _release(
    network: "Network",
    spec: "RunSpec",
    split: "Split",
    settings: Settings,
    log: "TrainingLog",
) -> dict[str, str]:
    """Keep the network as a model, or say why not."""
    from melanoma_core.networks.release import Origin, release_network
    from melanoma_core.training.ancestry import read_ancestor_split
    from melanoma_core.training.weights import find_novelty_weights

    if spec.recipe.leaks:
        reason = (
            "It was trained on relatives of the images that it is measured on. It is for looking "
            "at, and never becomes a model."
        )
        return {"not_kept": reason}
    if spec.class_names != tuple(Diagnosis):
        reason = "Its classes are those of the folder, not the eight diagnoses that a model names."
        return {"not_kept": reason}
    try:
        ancestor = read_ancestor_split(spec.recipe)
        origin = Origin(spec.recipe, spec.class_names, spec.data, split, ancestor, log)
        novelty_weights = find_novelty_weights(spec.recipe, settings.weights_dir)
        model = release_network(network, origin, settings.models_dir, novelty_weights)
        return {"model_id": model.name}
    except (DatasetError, ModelError, RecipeError) as error:
        return {"not_kept": str(error)}


def _estimate(folder: RunFolder) -> None:
    queue = Queue(folder.path.parent / "queue")
    with queue.take(folder.path.name) as ticket:
        while not queue.begin(ticket, max_runs=1):
            time.sleep(_POLL_SECONDS)
        try:
            from melanoma_core.networks.estimate import estimate_cost

            spec = folder.read_spec()
            folder.write_estimate(estimate_cost(spec.recipe, folder.read_split(), spec.class_names))
        except Exception as error:
            _tell(error)
            free_bytes = shutil.disk_usage(folder.path).free
            folder.write_estimate(explain_failure(error, folder.path, free_bytes)[0])


if __name__ == "__main__":
    raise SystemExit(main())


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SCARCE_BYTES = 2**20
# By name, since of the libraries that train only one is imported, if any.
_OUT_OF_MEMORY = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}


def explain_failure(error: Exception, folder: Path, free_bytes: int) -> tuple[str, bool]:
    """Return what happened and what to do, and whether it is a fault of the program.

    Args:
        error: What was raised.
        folder: Of the run.
        free_bytes: On the disk of the folder. Libraries that write tell a full disk in ways of
            their own.
    """
    if isinstance(error, MelanomaError):
        return str(error), False
    kinds = {kind.__name__ for kind in type(error).__mro__}
    may_be_disk = isinstance(error, OSError) or "ResourceExhaustedError" in kinds
    is_full = isinstance(error, OSError) and error.errno in _FULL
    if is_full or (may_be_disk and free_bytes < _SCARCE_BYTES):
        return (
            f"The disk that holds {folder} is full. Free some space on it, then resume the run: "
            "it goes on after its last finished epoch."
        ), False
    if kinds & _OUT_OF_MEMORY:
        return (
            "Memory ran out. Close other programs and resume the run, or launch it anew with a "
            "smaller batch size or image size."
        ), False
    if isinstance(error, OSError):
        where = f" at {error.filename}" if error.filename else ""
        return (
            f"The system refused a file{where} ({error.strerror or error}). Check that it is there "
            "and may be read and written, then resume the run."
        ), False
    return (
        f"A fault of the program: {type(error).__name__}: {error}. The log tells where; please "
        "report it with the log."
    ), True

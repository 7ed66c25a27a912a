"""The process of a run: `python -m melanoma_core.runs.worker FOLDER`.

It imports the libraries of training only when its turn has come, because many runs may wait.
"""

import argparse
import logging
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import (
    DatasetError,
    MelanomaError,
    ModelError,
    RecipeError,
    RunError,
    hide_passwords,
)
from melanoma_core.files import DISK_FULL, explain_write_errors, remove_dead_drafts
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
    from melanoma_core.runs.observer import RunObserver
    from melanoma_core.runs.record import Record
    from melanoma_core.runs.run import RunSpec

_POLL_SECONDS = 1.0
# How long to try an unreachable tracking store: before the run, and after it, when more is lost.
_FIRST_PATIENCE_SECONDS, _LAST_PATIENCE_SECONDS = 60.0, 600.0
_SCARCE_BYTES = 2**20
# By name, because at most one of the libraries that raise them is imported.
_OUT_OF_MEMORY = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
# Failures by the recipe, the data or the network, which a resumed run would repeat.
_FINAL = (DatasetError, ModelError, RecipeError)
_log = logging.getLogger(__name__)


def main() -> int:
    """Do the task of a folder and return the exit status: 1 if it could not begin."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--estimate", action="store_true", help="only estimate the cost")
    options = parser.parse_args()
    output = logging.StreamHandler()
    output.setFormatter(LogFormatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[output])
    # TensorFlow uses oneDNN by default only on processors with AVX-512, but the others train
    # faster with it too. Its messages below errors would only fill the log.
    set_environment_defaults({"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"})
    folder = RunFolder(options.folder)
    try:
        if options.estimate:
            _estimate(folder)
        else:
            _run(folder, load_settings())
    except MelanomaError as error:
        _log.error("%s", error)
        return 1
    except Exception:
        _log.exception("Ended by this error:")  # a traceback that Python prints shows passwords
        return 1
    return 0


class LogFormatter(logging.Formatter):
    """Formats a line of a log, whose traceback may quote what a library raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without passwords."""
        return hide_passwords(super().format(record))


def _run(folder: RunFolder, settings: Settings) -> None:
    queue = open_queue(settings)
    with queue.take(folder.path.name) as ticket:
        if _wait(queue, ticket, settings.max_runs, folder):
            _work(folder, settings)


def _wait(queue: Queue, ticket: Ticket, max_runs: int, folder: RunFolder) -> bool:
    """Wait for the turn of the run; return False if the run was stopped before.

    `control.stop_run` records that a waiting run was stopped.
    """
    _log.info("Waiting for its turn")
    while not queue.begin(ticket, max_runs):
        if folder.stop.exists():
            return False
        time.sleep(_POLL_SECONDS)
    return True


@dataclass(frozen=True)
class _ActiveRun:
    """A run whose turn has come, with everything that works on it."""

    folder: RunFolder
    spec: "RunSpec"
    settings: Settings
    record: "Record"
    observer: "RunObserver"

    @property
    def run_id(self) -> str:
        return self.folder.path.name


@dataclass(frozen=True)
class _Outcome:
    """How a run ended, with the tags that record it."""

    state: RunState
    tags: dict[str, str]


def _work(folder: RunFolder, settings: Settings) -> None:
    from melanoma_core.runs.observer import RunObserver, StopRequest
    from melanoma_core.runs.record import LEARNING_RATE, get_timestamp, open_record
    from melanoma_core.runs.recorder import Recorder

    stop_request = StopRequest(folder)
    record = open_record(settings)
    recorder = Recorder(record, folder.path.name)
    recorder.announce(RunState.RUNNING, {"started_at": get_timestamp()}, _FIRST_PATIENCE_SECONDS)
    remove_dead_drafts(settings.models_dir)
    try:
        spec = folder.read_spec()
    except MelanomaError as error:
        tags = {"message": str(error), "final": "yes"}
        recorder.announce(RunState.FAILED, tags, _LAST_PATIENCE_SECONDS)
        return
    num_finished, _ = record.get(folder.path.name).latest.get(LEARNING_RATE, (0, 0))
    with recorder:
        observer = RunObserver(recorder, stop_request, num_finished, spec.recipe.total_epochs)
        outcome = _conclude(_ActiveRun(folder, spec, settings, record, observer))
    _log.info("The run is %s. %s", outcome.state, outcome.tags.get("message", ""))
    tags = {"progress": "", "ended_at": get_timestamp(), **outcome.tags}
    recorder.announce(outcome.state, tags, _LAST_PATIENCE_SECONDS)
    folder.stop.unlink(missing_ok=True)


def _conclude(run: _ActiveRun) -> _Outcome:
    """Train, and return how the run ended. Every exception is caught here."""
    try:
        return _train(run)
    except Stopped:
        message = f"Stopped as requested. Resume continues {run.observer.describe_next()}."
        return _Outcome(RunState.STOPPED, {"message": message})
    except Exception as error:
        message, is_bug = _handle_failure(error, run.folder.path)
        tags = {"bug": "yes" if is_bug else "", "final": "yes" if isinstance(error, _FINAL) else ""}
        return _Outcome(RunState.FAILED, {"message": message, **tags})


def _handle_failure(error: Exception, folder: Path) -> tuple[str, bool]:
    if not isinstance(error, MelanomaError):
        _log.error("Ended by this error:", exc_info=error)
    return explain_failure(error, folder, shutil.disk_usage(folder).free)


def _train(run: _ActiveRun) -> _Outcome:
    from melanoma_core.training.predictions import (
        select_held_out,
        tabulate_predictions,
        write_predictions,
    )
    from melanoma_core.training.preparation import prepare_split
    from melanoma_core.training.weights import find_weights

    recipe, class_names, folder = run.spec.recipe, run.spec.class_names, run.folder
    on_phase = run.observer.on_phase
    try:
        weights = find_weights(recipe, run.settings.weights_dir)
    except RecipeError as error:  # it existed when the run was launched
        raise RunError(f"{error} Or restore the file, then resume the run.") from error
    split = prepare_split(
        *(recipe, folder.read_split(), folder.path, partial(on_phase, Phase.OVERSAMPLING)),
        class_names,
    )
    on_phase(Phase.STARTING, 0, 0)
    from melanoma_core.networks.inference import predict_table
    from melanoma_core.networks.rehearsal import rehearse_release
    from melanoma_core.networks.remaining import RemainingTime, plan_release
    from melanoma_core.networks.trainer import TrainingTask, train_network

    is_released = not _explain_no_model(run.spec)
    remaining = RemainingTime(
        plan_release(
            split.table, class_names, is_released=is_released, skips_tests=run.spec.skips_tests
        )
    )
    run.observer.expect(remaining)
    if is_released and not run.observer.num_finished:
        began = time.monotonic()
        rehearse_release(recipe, len(class_names))
        remaining.set_export_seconds(time.monotonic() - began)
    task = TrainingTask(recipe, split, class_names, weights)
    network = train_network(task, folder.path, run.observer)
    held_out = select_held_out(split.table)
    probabilities = predict_table(
        network, held_out, recipe.image_size, partial(on_phase, Phase.PREDICTING)
    )
    with explain_write_errors(folder.predictions, "then resume the run"):
        write_predictions(
            tabulate_predictions(held_out, probabilities, class_names), folder.predictions
        )
    try:
        run.record.keep_file(run.run_id, folder.predictions)
    except RunError as error:
        _log.warning("The predictions are only in the run's folder. %s", error)
    return _Outcome(RunState.FINISHED, _release(network, split, run))


def _describe_training(run: _ActiveRun) -> "TrainingLog":
    """Return the training log for the evidence pack, without curves if they cannot be read."""
    from melanoma_core.models.evidence import TrainingLog
    from melanoma_core.runs.history import gather_epochs

    try:
        run.observer.flush()
        recorded = run.record.get(run.run_id)
        rows = gather_epochs(run.record, recorded)
    except RunError as error:
        _log.warning("The evidence pack has no curves. %s", error)
        return TrainingLog(run.run_id, "", run.spec.data_name, "")
    started_at = recorded.tags.get("started_at", "")
    return TrainingLog(run.run_id, recorded.name, run.spec.data_name, started_at, tuple(rows))


def _release(network: "Network", split: "Split", run: _ActiveRun) -> dict[str, str]:
    """Write the network as a model, or explain why not, and return the tags that record it."""
    from melanoma_core.models.identifiers import keep_key
    from melanoma_core.networks.release import Origin, release_network
    from melanoma_core.training.ancestry import read_ancestor_split
    from melanoma_core.training.weights import find_novelty_weights

    spec, settings = run.spec, run.settings
    if reason := _explain_no_model(spec):
        return {"not_kept": reason}
    if written := _find_model(settings, run.run_id):
        return {"model_id": written}
    log = _describe_training(run)
    try:
        ancestor = read_ancestor_split(spec.recipe)
        key = keep_key(settings)
        origin = Origin(
            *(spec.recipe, spec.class_names, spec.data, split, ancestor, log, key),
            skips_tests=spec.skips_tests,
            on_phase=run.observer.on_phase,
        )
        novelty_weights = find_novelty_weights(spec.recipe, settings.weights_dir)
        model = release_network(network, origin, settings.models_dir, novelty_weights)
        return {"model_id": model.name}
    except (DatasetError, ModelError, RecipeError) as error:
        return {"not_kept": str(error)}


def _explain_no_model(spec: "RunSpec") -> str:
    """Return why a run never becomes a model; empty if it may."""
    if spec.recipe.leaks:
        return (
            "It was trained on images related to those that it is evaluated on. It demonstrates "
            "leakage and never becomes a model."
        )
    if spec.class_names != tuple(Diagnosis):
        from melanoma_core.training.classes import names_tiers

        if names_tiers(spec.class_names):
            return (
                "It knows risk tiers alone, so it cannot say which lesions are melanomas. A model "
                "needs diagnoses: train on these images together with a collection that has them."
            )
        return "Its classes are those of the folder. A model needs the eight diagnoses."
    return ""


def _find_model(settings: Settings, run_id: str) -> str | None:
    """Return the model of a run that was killed before it recorded it; None if there is none."""
    from melanoma_core.models.evidence import read_evidence
    from melanoma_core.models.registry import list_models

    for folder, card in list_models(settings):
        with suppress(ModelError):
            evidence = read_evidence(folder)
            if evidence and evidence.training and evidence.training.run_id == run_id:
                return card.model_id
    return None


def _estimate(folder: RunFolder) -> None:
    queue = Queue(folder.path.parent / "queue")
    with queue.take(folder.path.name) as ticket:
        while not queue.begin(ticket, max_runs=1):
            time.sleep(_POLL_SECONDS)
        try:
            from melanoma_core.networks.estimate import estimate_cost

            spec = folder.read_spec()
            estimate = estimate_cost(
                spec.recipe,
                folder.read_split(),
                spec.class_names,
                is_released=not _explain_no_model(spec),
                skips_tests=spec.skips_tests,
            )
            folder.write_estimate(estimate)
        except Exception as error:
            message, _ = _handle_failure(error, folder.path)
            folder.write_estimate(message)


def explain_failure(error: Exception, folder: Path, free_bytes: int) -> tuple[str, bool]:
    """Return what happened and what to do, and whether it is a bug.

    Args:
        error: The exception.
        folder: Folder of the run.
        free_bytes: Free space on the disk of the folder. Some libraries report a full disk only
            in their own words.
    """
    if isinstance(error, MelanomaError):
        return str(error), False
    kinds = {kind.__name__ for kind in type(error).__mro__}
    may_be_disk = isinstance(error, OSError) or "ResourceExhaustedError" in kinds
    is_full = isinstance(error, OSError) and error.errno in DISK_FULL
    if is_full or (may_be_disk and free_bytes < _SCARCE_BYTES):
        return (
            f"The disk that holds {folder} is full. Free some space on it, then resume the run: "
            "it continues after its last finished epoch."
        ), False
    if kinds & _OUT_OF_MEMORY:
        return (
            "Memory ran out. Close other programs and resume the run, or launch it again with a "
            "smaller batch size or image size."
        ), False
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return (
            f"Cannot read or write a file{where} ({error.strerror or error}). Check that it exists "
            "and that you may access it, then resume the run."
        ), False
    return (
        f"Internal error: {type(error).__name__}: {hide_passwords(str(error))}. The log has the "
        "details. Please report it with the log."
    ), True


if __name__ == "__main__":
    raise SystemExit(main())

"""Launch, list, stop, resume and delete runs.

Any number of threads and processes may call these functions at once. Each may raise RunError if
the tracking store or the folder of runs cannot be used.
"""

import hashlib
import json
import platform
import re
import shutil
from contextlib import suppress
from dataclasses import asdict

import pandas as pd

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.data.splitting import Split
from melanoma_core.errors import RunError
from melanoma_core.files import make_draft
from melanoma_core.models.identifiers import keep_key
from melanoma_core.processes import reap_children, start_detached
from melanoma_core.runs.folder import RunFolder, find_folder, hash_test
from melanoma_core.runs.history import gather_curves
from melanoma_core.runs.queue import Queue, Ticket, open_queue
from melanoma_core.runs.record import RecordedRun, get_timestamp, has_record, open_record
from melanoma_core.runs.refresh import refresh_run
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.settings import Settings
from melanoma_core.training.classes import check_classes
from melanoma_core.training.observer import Estimate
from melanoma_core.training.predictions import read_predictions as read_file
from melanoma_core.training.weights import find_weights

_ADVICE = "or set MELANOMA_RUNS_DIR to another folder"
_WHOLE = "run"  # name of the folder of a run within a draft


def launch(settings: Settings, spec: RunSpec, split: Split, name: str | None = None) -> str:
    """Add a run to the end of the queue, in a process that outlives this one.

    Args:
        settings: Where runs are kept.
        spec: Its task.
        split: Its images.
        name: Display name; by default the preset and a number.

    Returns:
        The run's id.

    Raises:
        RunError: It cannot be recorded, its folder cannot be written, or no process can start.
        FolderError: The folder of the runs cannot be written.
        RecipeError: The file of its weights does not exist.
        ModelError: The model that it starts from, or the key for ids, is damaged.
        DatasetError: Its images have no melanoma, or none of a benign diagnosis.
    """
    require(Right.TRAIN)
    check_classes(split, ("train",) if spec.study else ("train", "validation"))
    # So that these fail now, not after hours.
    find_weights(spec.recipe, settings.weights_dir)
    keep_key(settings)
    record = open_record(settings)
    # A run has no state until it is whole, and none without a state is listed. If this process is
    # killed before, `refresh` removes what is left.
    with make_draft(settings.runs_dir, _ADVICE) as draft:
        RunFolder(draft / _WHOLE).write(spec, split)
        run_id = record.create(
            name or _make_name(spec.recipe.name, record.search()),
            {key: str(value) for key, value in asdict(spec.recipe).items()},
            {
                "class_names": json.dumps(spec.class_names),
                "data_name": spec.data_name,
                "study": spec.study or "",
                "split_sha256": split.sha256,
                "test_sha256": hash_test(split),
                "host": platform.node(),
                "draft": str(draft.absolute()),
            },
        )
        folder = find_folder(settings, run_id).path
        try:
            (draft / _WHOLE).rename(folder)
            ticket = open_queue(settings).draw(run_id)
            record.set_state(run_id, RunState.QUEUED, {"heartbeat": get_timestamp()})
        except (OSError, RunError):
            shutil.rmtree(folder, ignore_errors=True)
            record.delete(run_id)
            raise
    _start(settings, ticket)
    return run_id


def list_runs(settings: Settings) -> list[Run]:
    """Return all runs, the newest first."""
    reap_children()
    if not has_record(settings):
        return []
    record = open_record(settings)
    # Before the record is read: a run recorded as running was alive then, or is dead.
    tickets = open_queue(settings).list_tickets()
    runs = (refresh_run(settings, record, recorded, tickets) for recorded in record.search())
    return [run for run in runs if run]


def load_run(settings: Settings, run_id: str) -> Run:
    """Return one run as it is now.

    Raises:
        RunError: It does not exist.
    """
    reap_children()
    record = open_record(settings)
    tickets = open_queue(settings).list_tickets()
    run = refresh_run(settings, record, record.get(run_id), tickets)
    if run is None:
        raise RunError(f"Run {run_id} was recorded by another program. Choose another run.")
    return run


def find_run(settings: Settings, text: str) -> Run:
    """Return the run with a given id, beginning of an id, or name.

    Raises:
        RunError: There is no such run, or there are several.
    """
    runs = list_runs(settings)
    found = [run for run in runs if text in {run.run_id, run.name}]
    found = found or [run for run in runs if text and run.run_id.startswith(text)]
    if len(found) != 1:
        which = ", ".join(f"{run.run_id[:8]} ({run.name})" for run in found or runs)
        raise RunError(
            f'Found {len(found)} runs that match "{text}". Give the id of one run or the '
            f"beginning of its id: {which or 'there are no runs yet'}."
        )
    return found[0]


def stop_run(settings: Settings, run_id: str) -> None:
    """Ask a run to stop after the current batch. A run that is over is left as it is.

    Raises:
        RunError: It runs on another machine.
    """
    require(Right.TRAIN)
    run = load_run(settings, run_id)
    if run.state.is_over:
        return
    if not run.is_own:
        raise RunError(f'Run "{run.name}" trains on another machine. Stop it there.')
    with open_queue(settings).hold() as tickets:
        try:
            find_folder(settings, run_id).stop.touch()
        except OSError as error:
            raise _cannot_change(settings, run_id, error) from error
        if any(ticket.run_id == run_id and not ticket.is_working for ticket in tickets):
            # Its process only waits: it sees the file and ends without recording anything.
            changes = {"message": "Stopped before its turn came.", "ended_at": get_timestamp()}
            open_record(settings).set_state(run_id, RunState.STOPPED, changes)


def resume_run(settings: Settings, run_id: str) -> None:
    """Add a run to the end of the queue again, to continue after its last finished epoch.

    Raises:
        RunError: It is not over, it is finished, it would fail again, or its files are not on this
            machine.
    """
    require(Right.TRAIN)
    run = load_run(settings, run_id)
    folder = find_folder(settings, run_id)
    if not run.is_own:
        raise RunError(
            f'The files of run "{run.name}" are not in {folder.path}. Resume it on the machine '
            "that has them, or launch it again."
        )
    if run.is_final:
        raise RunError(
            f'Run "{run.name}" failed for a reason that stays: {run.message} A resumed run would '
            "fail again. Launch another run with that changed."
        )
    if not run.state.can_resume:
        raise RunError(
            f'Run "{run.name}" is {run.state}. Only a failed, stopped or interrupted run can be '
            "resumed."
        )
    queue = open_queue(settings)
    ticket = queue.draw(run_id)
    try:
        folder.stop.unlink(missing_ok=True)
        changed = {"message": "", "bug": "", "final": "", "progress": "", "ended_at": ""}
        open_record(settings).set_state(
            run_id, RunState.QUEUED, {**changed, "heartbeat": get_timestamp()}
        )
    except (OSError, RunError):
        queue.give_back(ticket)
        raise
    _start(settings, ticket)


def delete_run(settings: Settings, run_id: str) -> None:
    """Delete a run that is over, with its folder. A model that it produced is kept.

    Raises:
        RunError: It is not over, or a file cannot be removed.
    """
    require(Right.TRAIN)
    run = load_run(settings, run_id)
    # A queued run whose folder is gone would wait for ever.
    if run.state is RunState.RUNNING or (run.is_own and not run.state.is_over):
        raise RunError(f'Run "{run.name}" is {run.state}. Stop it before you delete it.')
    folder = find_folder(settings, run_id).path
    with (
        open_queue(settings).hold() as tickets,
        make_draft(settings.runs_dir, _ADVICE) as draft,
    ):
        if any(ticket.run_id == run_id for ticket in tickets):
            raise RunError(f'Run "{run.name}" was just resumed. Stop it before you delete it.')
        try:
            if run.is_own:  # in one step, and with the draft it goes
                folder.rename(draft / _WHOLE)
        except OSError as error:
            raise _cannot_change(settings, run_id, error) from error
        try:
            open_record(settings).delete(run_id)
        except RunError:
            if run.is_own:
                (draft / _WHOLE).rename(folder)
            raise


def read_curves(settings: Settings, run_id: str) -> pd.DataFrame:
    """Return the learning curves of a run so far.

    Returns:
        Columns epoch (float), subset, metric, value (float), ordered by epoch. The subsets
        "train", "validation" and, if there is one, "published" have the metrics of
        `observer.EpochReport` after each epoch. Subset "" has "learning_rate". Subset "batch" has
        "loss", the mean training loss of the current epoch so far, at fractions of epochs (2.25:
        a quarter of epoch 3 is done). Epochs that a resumed run repeated are left out.

    Raises:
        RunError: The run does not exist.
    """
    record = open_record(settings)
    return gather_curves(record, record.get(run_id))


def read_log(settings: Settings, run_id: str, num_lines: int) -> list[str]:
    """Return the last lines of a run's log; none if the log is on another machine."""
    return find_folder(settings, run_id).tail_log(num_lines)


def read_predictions(settings: Settings, run_id: str) -> pd.DataFrame:
    """Return the predictions of a finished run for its held-out images.

    Returns:
        The table of `training.predictions`.

    Raises:
        RunError: The run has no predictions yet, or the file cannot be reached.
        DatasetError: The file is damaged.
    """
    file = find_folder(settings, run_id).predictions
    if not file.exists():
        file = open_record(settings).fetch_file(run_id, file.name)
    return read_file(file)


def start_estimate(settings: Settings, spec: RunSpec, split: Split) -> str:
    """Start to estimate the cost of a run from a few real steps, in a process of its own.

    Returns:
        The key for `read_estimate`. The same recipe and images have the same key and are
        estimated once.

    Raises:
        RunError: No process can be started.
        DatasetError: The images have no melanoma, or none of a benign diagnosis.
    """
    require(Right.TRAIN)
    check_classes(split)
    task = f"{spec.recipe.to_json()} {spec.class_names} {split.sha256}"
    key = hashlib.sha256(task.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = _find_estimate(settings, key)
    queue = _open_estimates(settings)
    with suppress(RunError):  # after a failure it is tried again
        if folder.read_estimate() or any(t.run_id == key for t in queue.list_tickets()):
            return key
    ticket = queue.draw(key)
    try:
        shutil.rmtree(folder.path, ignore_errors=True)
        folder.write(spec, split)
        _start_worker(settings, folder, "--estimate")
    except RunError:
        queue.give_back(ticket)
        raise
    return key


def read_estimate(settings: Settings, key: str) -> Estimate | None:
    """Return the estimated cost of a run, or None while it is being estimated.

    Raises:
        RunError: It cannot be estimated; the message says why.
    """
    reap_children()
    # Before the file is looked for: a process that is gone by then has written it, or died.
    is_alive = any(ticket.run_id == key for ticket in _open_estimates(settings).list_tickets())
    estimate = _find_estimate(settings, key).read_estimate()
    if estimate is None and not is_alive:
        raise RunError(
            "The process of the estimate was killed, or memory ran out. Choose a smaller image "
            "size or batch size, or free some memory, and estimate again."
        )
    return estimate


def _find_estimate(settings: Settings, key: str) -> RunFolder:
    return RunFolder(settings.runs_dir / "estimates" / key)


def _open_estimates(settings: Settings) -> Queue:
    return Queue(settings.runs_dir / "estimates" / "queue")


def _start(settings: Settings, ticket: Ticket) -> None:
    try:
        _start_worker(settings, find_folder(settings, ticket.run_id))
    except RunError:
        open_queue(settings).give_back(ticket)
        raise


def _start_worker(settings: Settings, folder: RunFolder, *options: str) -> None:
    try:
        module = f"{__package__}.worker"
        start_detached(settings, module, [*options, str(folder.path)], folder.log)
    except OSError as error:
        raise RunError(
            f"Cannot start a process for {folder.path} ({error.strerror}). Free memory and space "
            "on its disk, then try again."
        ) from error


def _make_name(preset: str, recorded: list[RecordedRun]) -> str:
    numbered = (re.fullmatch(rf"{re.escape(preset)} (\d+)", run.name) for run in recorded)
    return f"{preset} {max((int(m.group(1)) for m in numbered if m), default=0) + 1}"


def _cannot_change(settings: Settings, run_id: str, error: OSError) -> RunError:
    return RunError(
        f"Cannot write {find_folder(settings, run_id).path} ({error.strerror}). Free some space on "
        "its disk, or make it writable."
    )

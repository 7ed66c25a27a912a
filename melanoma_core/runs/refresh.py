"""The current state of a run, from its record, its files and its process."""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache

from melanoma_core.changes import change_fields
from melanoma_core.errors import MelanomaError, RunError
from melanoma_core.jsonable import from_jsonable
from melanoma_core.runs.folder import RunFolder, find_folder
from melanoma_core.runs.queue import Ticket, open_queue
from melanoma_core.runs.record import LEARNING_RATE, Record, RecordedRun, get_timestamp
from melanoma_core.runs.run import Progress, Run, RunSpec, RunState
from melanoma_core.settings import Settings
from melanoma_core.training.recipe import Recipe

# A process on another machine that has not reported for so long is considered dead.
_SILENT_SECONDS = 120.0
_INTERRUPTED = (
    "Its process ended without an error message: it was killed, memory ran out, or the machine "
    "was restarted. Resume continues from epoch {epoch}."
)
_log = logging.getLogger(__name__)


def refresh_run(
    settings: Settings, record: Record, recorded: RecordedRun, tickets: Sequence[Ticket]
) -> Run | None:
    """Return a run as it is now, and record it as interrupted if its process has died.

    Args:
        settings: Where runs are kept.
        record: The tracking store.
        recorded: Its entry for the run, read after `tickets`.
        tickets: The tickets of live runs.

    Returns:
        The run; None if another program recorded it.
    """
    folder = find_folder(settings, recorded.run_id)
    is_own = folder.spec.exists()
    is_alive = any(ticket.run_id == recorded.run_id for ticket in tickets)
    if "state" not in recorded.tags:  # another program's run in our experiment
        return None
    recorded_state = RunState(recorded.tags["state"])
    state = decide_state(
        recorded_state, is_own, is_alive, _count_silent_seconds(recorded.tags.get("heartbeat"))
    )
    if state is not recorded_state and is_own:
        try:
            _record_death(settings, record, recorded)
            recorded = record.get(recorded.run_id)
            state = RunState(recorded.tags["state"])
        except RunError as error:  # such as a full disk: the run is shown all the same
            _log.warning("Cannot record that run %s was interrupted. %s", recorded.run_id, error)
    spec = _find_spec(folder, recorded)
    if spec is None:
        return None
    tags, is_queued = recorded.tags, state is RunState.QUEUED
    return Run(
        run_id=recorded.run_id,
        name=recorded.name,
        state=state,
        message=tags.get("message") or _explain_interruption(state, recorded),
        spec=spec,
        split_sha256=tags["split_sha256"],
        test_sha256=tags["test_sha256"],
        created_at=recorded.created_at,
        started_at=tags.get("started_at") or None,
        ended_at=tags.get("ended_at") or None,
        progress=_read_progress(tags) if state is RunState.RUNNING else None,
        queue_position=_find_position(recorded.run_id, tickets) if is_queued else None,
        model_id=tags.get("model_id") or None,
        not_kept=tags.get("not_kept", ""),
        is_own=is_own,
        is_stopping=not state.is_over and folder.stop.exists(),
        is_bug=bool(tags.get("bug")),
    )


def decide_state(
    recorded: RunState, is_own: bool, is_alive: bool, silent_seconds: float
) -> RunState:
    """Return the state of a run.

    Args:
        recorded: Its state in the tracking store.
        is_own: Whether its files are on this machine.
        is_alive: Whether a process on this machine holds its ticket.
        silent_seconds: Time since its process last wrote to the tracking store.

    Example:
        >>> decide_state(RunState.RUNNING, is_own=True, is_alive=False, silent_seconds=1.0)
        <RunState.INTERRUPTED: 'interrupted'>
    """
    if recorded.is_over:
        return recorded
    is_silent = recorded is RunState.RUNNING and silent_seconds > _SILENT_SECONDS
    is_lost = not is_alive if is_own else is_silent
    return RunState.INTERRUPTED if is_lost else recorded


def _find_position(run_id: str, tickets: Sequence[Ticket]) -> int:
    waiting = [ticket.run_id for ticket in tickets if not ticket.is_working]
    return waiting.index(run_id) + 1 if run_id in waiting else 1


def _record_death(settings: Settings, record: Record, recorded: RecordedRun) -> None:
    with open_queue(settings).hold() as tickets:
        # Since the tickets were read, the run may have been resumed or may have ended normally.
        if any(ticket.run_id == recorded.run_id for ticket in tickets):
            return
        now = record.get(recorded.run_id)
        if RunState(now.tags["state"]).is_over:
            return
        changes = {
            "message": _explain_interruption(RunState.INTERRUPTED, now),
            "ended_at": now.tags.get("heartbeat") or get_timestamp(),
            "progress": "",
        }
        record.set_state(recorded.run_id, RunState.INTERRUPTED, changes)


def _explain_interruption(state: RunState, recorded: RecordedRun) -> str:
    if state is not RunState.INTERRUPTED:
        return ""
    done, _ = recorded.latest.get(LEARNING_RATE, (0, 0))
    return _INTERRUPTED.format(epoch=done + 1)


def _count_silent_seconds(heartbeat: str | None) -> float:
    if not heartbeat:
        return math.inf
    return (datetime.now(UTC) - datetime.fromisoformat(heartbeat)).total_seconds()


def _find_spec(folder: RunFolder, recorded: RecordedRun) -> RunSpec | None:
    try:
        return _read_spec(folder)
    except MelanomaError:  # on another machine, deleted, or of another version of the program
        return _restore_spec(recorded)


@lru_cache(maxsize=1024)
def _read_spec(folder: RunFolder) -> RunSpec:
    return folder.read_spec()


def _restore_spec(recorded: RecordedRun) -> RunSpec | None:
    """Return the spec from the tracking store, which lacks the description of the data."""
    known = {field.name for field in fields(Recipe)}
    changes = [f"{key}={value}" for key, value in recorded.params.items() if key in known]
    try:
        return RunSpec(
            recipe=change_fields(Recipe(name=""), changes, "recipe field"),
            class_names=tuple(json.loads(recorded.tags["class_names"])),
            data_name=recorded.tags["data_name"],
            data={},
            study=recorded.tags.get("study") or None,
        )
    except (MelanomaError, KeyError, ValueError) as error:
        _log.debug("Left out run %s, which cannot be read (%s)", recorded.run_id, error)
        return None


def _read_progress(tags: Mapping[str, str]) -> Progress | None:
    if not tags.get("progress"):
        return None
    return from_jsonable(Progress, json.loads(tags["progress"]))

"""The current state of a run, from its record, its files and its process."""

import json
import logging
import math
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from melanoma_core.changes import change_fields
from melanoma_core.errors import MelanomaError, RunError
from melanoma_core.files import remove_dead_drafts
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
_SILENT = (
    f"Its machine, {{host}}, has recorded nothing for more than {_SILENT_SECONDS:.0f} seconds. See "
    "there whether it still runs."
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
    try:
        recorded_state = RunState(recorded.tags.get("state", ""))
    except ValueError:  # another program's run in our experiment, or one that is being launched
        _forget_unfinished_launch(settings, record, recorded)
        return None
    state = decide_state(
        recorded_state, is_own, is_alive, _count_silent_seconds(recorded.tags.get("heartbeat"))
    )
    is_half_recorded = state is not recorded_state or recorded.is_open
    if is_own and not is_alive and state.is_over and is_half_recorded:
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
        message=tags.get("message") or _explain_interruption(state, recorded, is_own=is_own),
        spec=spec,
        split_sha256=tags.get("split_sha256", ""),
        test_sha256=tags.get("test_sha256", ""),
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
        is_final=bool(tags.get("final")),
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
        state = RunState(now.tags["state"])
        if state.is_over:
            if now.is_open:  # it was killed between its own state and MLflow's
                record.set_state(recorded.run_id, state, {})
            return
        changes = {
            "message": _explain_interruption(RunState.INTERRUPTED, now, is_own=True),
            "ended_at": now.tags.get("heartbeat") or get_timestamp(),
            "progress": "",
        }
        record.set_state(recorded.run_id, RunState.INTERRUPTED, changes)


def _forget_unfinished_launch(settings: Settings, record: Record, recorded: RecordedRun) -> None:
    """Remove a run whose launch was killed: it has no state, and the draft of its folder is gone.

    Only the launch of this machine and of this folder is judged.
    """
    draft = Path(recorded.tags.get("draft", ""))
    is_own = recorded.tags.get("host") == platform.node()
    if not is_own or draft.parent != settings.runs_dir.absolute():
        return
    remove_dead_drafts(settings.runs_dir)
    if draft.exists():
        return
    try:
        if "state" not in record.get(recorded.run_id).tags:  # it was launched meanwhile
            shutil.rmtree(find_folder(settings, recorded.run_id).path, ignore_errors=True)
            record.delete(recorded.run_id)
    except RunError as error:
        _log.warning("Cannot forget the launch of run %s. %s", recorded.run_id, error)


def _explain_interruption(state: RunState, recorded: RecordedRun, *, is_own: bool) -> str:
    if state is not RunState.INTERRUPTED:
        return ""
    if not is_own:
        return _SILENT.format(host=recorded.tags.get("host", "unknown"))
    done, _ = recorded.latest.get(LEARNING_RATE, (0, 0))
    return _INTERRUPTED.format(epoch=done + 1)


def _count_silent_seconds(heartbeat: str | None) -> float:
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(heartbeat or "")).total_seconds()
    except (ValueError, TypeError):  # a TypeError where the time has no zone
        return math.inf


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
    except (MelanomaError, KeyError, ValueError, TypeError) as error:
        _log.debug("Left out run %s, which cannot be read (%s)", recorded.run_id, error)
        return None


def _read_progress(tags: Mapping[str, str]) -> Progress | None:
    try:
        return from_jsonable(Progress, json.loads(tags.get("progress") or "null"))
    except (ValueError, TypeError, KeyError):  # none yet, or of another version of the program
        return None

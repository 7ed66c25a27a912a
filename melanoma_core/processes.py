"""Run long work in a process of its own that outlives the process that started it.

`start_detached` starts a module. A `BackgroundJob` adds what a job without a queue needs: its
progress, its cancellation, its result and the reason of its failure, all as files in one folder.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil

from melanoma_core.errors import FolderError, MelanomaError
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.jsonable import dump_json, from_jsonable
from melanoma_core.progress import Progress
from melanoma_core.settings import Settings, make_environment

_REQUEST, _RESULT, _LOG = "request.json", "result.json", "log.txt"
_PROCESS, _PROGRESS, _FAILURE = "process.json", "progress.json", "failure.json"
_ADVICE = "then start the work again"
_CANCEL_SECONDS = 5.0  # from the request to end until the process is killed
_PROGRESS_SECONDS = 0.2
_children: list[subprocess.Popen[bytes]] = []


def start_detached(settings: Settings, module: str, arguments: Sequence[str], log: Path) -> int:
    """Start `python -m MODULE ARGUMENTS…` and return its process id.

    Closing the terminal or ending this process does not end it.

    Args:
        settings: Settings of the process.
        module: Name of the module.
        arguments: Command-line arguments.
        log: File to which its output is appended.

    Raises:
        OSError: The process cannot be started, or the log cannot be written.
    """
    reap_children()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", "-X", "utf8", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=make_environment(settings),
            # The first detaches on Linux and macOS, the flags on Windows, where alone they exist.
            start_new_session=True,
            creationflags=getattr(subprocess, "DETACHED_PROCESS", 0)
            | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    _children.append(process)
    return process.pid


def reap_children() -> None:
    """Collect the ended processes that this one started, so that none stays as a zombie."""
    for process in list(_children):
        if process.poll() is not None:
            with suppress(ValueError):  # another thread removed it
                _children.remove(process)


class JobState(StrEnum):
    """State of a background job."""

    NONE = "not started"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class JobStatus:
    """Status of a background job at one moment.

    Attributes:
        state: Its state.
        done: Finished items.
        total: All items; 0 before their number is known.
        message: Why it failed; empty otherwise.
    """

    state: JobState
    done: int = 0
    total: int = 0
    message: str = ""


@dataclass(frozen=True)
class _ProcessIdentity:
    pid: int
    created: float  # seconds since 1970; differs for a later process with the same id


class BackgroundJob:
    """A job in a process of its own. Any process may start it, follow it or cancel it.

    Args:
        folder: Folder of the job. `start` creates it, `cancel` removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def result(self) -> Path:
        """The file with the result as JSON, which exists once the job is done."""
        return self._folder / _RESULT

    @property
    def is_running(self) -> bool:
        """Whether its process is alive; a zombie is not."""
        return self._find_process() is not None

    def start(self, settings: Settings, module: str, request: object) -> None:
        """Start `module` in a new process, unless the job is running or done.

        Args:
            settings: Settings of the process.
            module: A module that calls `run_job`.
            request: What to do, as data for `jsonable`.

        Raises:
            FolderError: The folder cannot be written, or no process can be started.
        """
        if self.read_status().state in {JobState.RUNNING, JobState.DONE}:
            return
        with explain_write_errors(self._folder, _ADVICE):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        _write(self._folder / _REQUEST, request)
        try:
            log = self._folder / _LOG
            pid = start_detached(settings, module, [str(self._folder)], log)
        except OSError as error:
            raise FolderError(
                f"Cannot start a process for {self._folder} ({error.strerror or error}). Free "
                f"memory and space on its disk, {_ADVICE}."
            ) from error
        _write(self._folder / _PROCESS, _ProcessIdentity(pid, _find_creation_time(pid)))

    def read_status(self) -> JobStatus:
        """Return the status now."""
        # Before the result is looked for: a process that ends in between has left one.
        is_running = self.is_running
        done, total = self._read(_PROGRESS) or (0, 0)
        failure = self._read(_FAILURE)
        if self.result.is_file():
            return JobStatus(JobState.DONE, done, total)
        if is_running:
            return JobStatus(JobState.RUNNING, done, total)
        if failure is None and not (self._folder / _PROCESS).is_file():
            return JobStatus(JobState.NONE)
        message = failure or (
            f"The process was ended from outside, or memory ran out. Free some memory, {_ADVICE}."
        )
        return JobStatus(JobState.FAILED, done, total, message)

    def cancel(self) -> None:
        """End the process and remove the folder."""
        process = self._find_process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
                try:
                    process.wait(_CANCEL_SECONDS)
                except psutil.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _find_process(self) -> psutil.Process | None:
        reap_children()
        try:
            identity = from_jsonable(_ProcessIdentity, self._read(_PROCESS))
            process = psutil.Process(identity.pid)
            is_same = process.create_time() == identity.created
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except (TypeError, psutil.NoSuchProcess):  # never started, or gone
            return None

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self._folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            return None


def run_job(folder: Path, work: Callable[[Any, Progress], object]) -> int:
    """Do the work of a `BackgroundJob`, in its process, and return the exit status.

    Args:
        folder: Folder of the job.
        work: Takes the request and a progress callback and returns the result, both as data for
            `jsonable`.

    Raises:
        Exception: `work` raised it, and it is a bug. The log holds the traceback.
    """
    try:
        request = json.loads((folder / _REQUEST).read_text("utf-8"))
        _write(folder / _RESULT, work(request, _ProgressFile(folder / _PROGRESS)))
    except MelanomaError as error:
        _write(folder / _FAILURE, str(error))
        return 1
    except Exception as error:
        message = f"Internal error: {type(error).__name__}: {error}. Please report it with the log"
        _write(folder / _FAILURE, f"{message} {folder / _LOG}.")
        raise
    return 0


class _ProgressFile:
    """A progress callback that writes a file, at most a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written_at = -_PROGRESS_SECONDS

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self._written_at > _PROGRESS_SECONDS:
            self._written_at = now
            _write(self._path, (done, total))


def _write(path: Path, value: object) -> None:
    text = dump_json(value, indent=2, ensure_ascii=True)
    write_file(path, f"{text}\n".encode(), _ADVICE)


def _find_creation_time(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:  # it has already ended
        return 0.0

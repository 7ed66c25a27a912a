"""A measurement in a process of its own: asked for, watched, called off, kept.

It is `python -m melanoma_core evaluate`, so that a page measures as the command line does. Request,
process and result meet in one folder of the cache, named by what was asked: who asks the same
again, in whatever session, finds the work or its result.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from melanoma_core.errors import DatasetError
from melanoma_core.settings import PROJECT_ROOT, Settings, make_environment

_FORMAT = 2  # to be raised when results are measured or kept in another way
_RESULT, _LOG, _PROCESS = "result.json", "log.txt", "process.json"
_READING, _SCANNING = "Reading photographs", "Scanning photographs"
_COMMAND = (sys.executable, "-X", "utf8", "-m", "melanoma_core", "evaluate")
_PATIENCE_SECONDS = 5
_MOST_KEPT = 50  # results, of a third of a megabyte each
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Request:
    """What is to be measured.

    Attributes:
        folder: Of the photographs.
        folder_key: Of its content (`OpenedFolder.key`).
        model_id: Of the model.
        subset: "test", "validation", "train" or "all"; empty for what the folder calls test.
        with_known: Whether to measure on what the model was fitted on, too.
    """

    folder: Path
    folder_key: str
    model_id: str
    subset: str
    with_known: bool


class State(StrEnum):
    """Where a measurement stands."""

    NONE = "not asked for"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Measurement:
    """A measurement as it is now.

    Attributes:
        state: Where it stands.
        done: Photographs read.
        total: Photographs to read; 0 before that is known.
        message: Why it failed; empty else.
        result: The file of the result, as `evaluate --out` writes it; there when done.
    """

    state: State
    done: int
    total: int
    message: str
    result: Path


def start(settings: Settings, request: Request) -> None:
    """Start a measurement, unless it is at work or done.

    Raises:
        DatasetError: The cache cannot be written, or no process can be started.
    """
    if watch(settings, request).state in {State.RUNNING, State.DONE}:
        return
    place = _locate(settings, request)
    options = ["--model", request.model_id, "--out", str(place / _RESULT)]
    options += ["--subset", request.subset] if request.subset else []
    options += ["--with-trained"] if request.with_known else []
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        _forget_oldest(place.parent)
        with (place / _LOG).open("wb") as log:
            process = subprocess.Popen(
                [*_COMMAND, *options, "--", str(request.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=PROJECT_ROOT,
                env=make_environment(settings),
                start_new_session=True,
            )
        _children.append(process)
        started = {"pid": process.pid, "created": _find_start(process.pid)}
        (place / _PROCESS).write_text(json.dumps(started), encoding="utf-8")
    except OSError as error:
        raise DatasetError(
            f"Cannot start a measurement in {place} ({error.strerror}). Free memory and space on "
            "its disk, or set MELANOMA_CACHE_DIR to another folder."
        ) from error


def watch(settings: Settings, request: Request) -> Measurement:
    """Return where a measurement stands."""
    place = _locate(settings, request)
    # Asked before the result is looked for: a process that ends in between has left one.
    is_alive = _find_process(place) is not None
    lines = _read_log(place)
    done, total = _find_progress(lines)
    if (place / _RESULT).is_file():
        state = State.DONE
    elif is_alive:
        state = State.RUNNING
    else:
        state = State.FAILED if (place / _PROCESS).is_file() else State.NONE
    message = ""
    if state is State.FAILED:
        said = [line for line in lines if not line.startswith((_READING, _SCANNING))]
        message = said[-1] if said else "The process of the measurement was ended from outside."
    return Measurement(state, done, total, message, place / _RESULT)


def call_off(settings: Settings, request: Request) -> None:
    """End a measurement and forget what it left."""
    place = _locate(settings, request)
    process = _find_process(place)
    if process is not None:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
            process.wait(_PATIENCE_SECONDS)
    shutil.rmtree(place, ignore_errors=True)


def _forget_oldest(folder: Path) -> None:
    """Remove the results that were asked for longest ago, but none that is at work."""
    places = sorted(folder.iterdir(), key=lambda place: place.stat().st_mtime)
    for place in places[:-_MOST_KEPT]:
        if _find_process(place) is None:
            shutil.rmtree(place, ignore_errors=True)


def _locate(settings: Settings, request: Request) -> Path:
    text = json.dumps([_FORMAT, *map(str, astuple(request))])
    return settings.cache_dir / "evaluations" / hashlib.sha256(text.encode()).hexdigest()[:32]


def _find_process(place: Path) -> psutil.Process | None:
    """Return the process of a measurement while it lives.

    Its pid may be another's by now, so that its start is compared; a zombie is dead.
    """
    for child in list(_children):
        if child.poll() is not None:
            _children.remove(child)
    try:
        started = json.loads((place / _PROCESS).read_text("utf-8"))
        process = psutil.Process(started["pid"])
        is_same = process.create_time() == started["created"]
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, psutil.NoSuchProcess):  # not started, half written, or gone
        return None


def _find_start(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:  # ended at once; its log says why
        return 0.0


def _read_log(place: Path) -> list[str]:
    try:
        text = (place / _LOG).read_text("utf-8", errors="replace")
    except OSError:
        return []
    # A line that counts is written over and over.
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()]


def _find_progress(lines: list[str]) -> tuple[int, int]:
    for line in reversed(lines):
        if line.startswith(_READING):
            done, _, total = line.rpartition(" ")[2].partition("/")
            if done.isdecimal() and total.isdecimal():
                return int(done), int(total)
    return 0, 0

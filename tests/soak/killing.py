"""Kill a process at a random moment of its work, and inspect what is left."""

import json
import os
import random
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_START_SECONDS = 120.0  # until a process begins
_INSPECT_SECONDS = 240.0
_END_SECONDS = 10.0  # until the processes that a killed one started have ended


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    Attributes:
        name: Its name.
        num_kills: How many of 1,000 kills it gets.
        prepare: Fills a new folder before each kill.
        work: Does the work in a folder; calls its second argument when it begins in earnest.
        inspect: Starts again where the work was killed, and returns what is wrong, in sentences.
    """

    name: str
    num_kills: int
    prepare: Callable[[Path], object]
    work: Callable[[Path, Callable[[], object]], object]
    inspect: Callable[[Path], list[str]]


def measure(kind: Kind, folder: Path) -> float:
    """Do the work once without a kill, and return its seconds.

    Raises:
        AssertionError: It fails, or something is wrong after it.
    """
    kind.prepare(folder)
    process, ready = _begin(kind, folder)
    _wait_for(ready)
    started = time.monotonic()
    _, status = os.waitpid(process, 0)
    seconds = time.monotonic() - started
    assert status == 0, f"{kind.name} failed without a kill"
    assert not (wrong := _inspect(kind, folder)), wrong
    return seconds


def kill_once(kind: Kind, folder: Path, seconds: float, rng: random.Random) -> list[str]:
    """Kill the work at a random moment, and return what is left wrong."""
    kind.prepare(folder)
    process, ready = _begin(kind, folder)
    _wait_for(ready)
    time.sleep(rng.uniform(0, seconds))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return [*_find_orphans(process), *_inspect(kind, folder)]


def _begin(kind: Kind, folder: Path) -> tuple[int, int]:
    """Start the work in a process that leads a session, and return its id and a pipe."""
    ready, begun = os.pipe()
    process = os.fork()
    if process:
        os.close(begun)
        return process, ready
    os.setsid()
    _do(lambda: kind.work(folder, lambda: os.write(begun, b"1")), folder)
    raise AssertionError("unreachable")


def _do(work: Callable[[], object], folder: Path) -> None:
    """Do work in a forked process and end it, with its messages in a file."""
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _wait_for(ready: int) -> None:
    select.select([ready], [], [], _START_SECONDS)
    os.close(ready)


def _find_orphans(session: int) -> list[str]:
    """Return the processes of a session that do not end by themselves."""
    deadline = time.monotonic() + _END_SECONDS
    while left := [p for p in psutil.process_iter() if _is_in(p, session)]:
        if time.monotonic() > deadline:
            names = [f"the process {p.pid} is left" for p in left]
            for process in left:
                process.kill()
            return names
        time.sleep(0.05)
    return []


def _is_in(process: psutil.Process, session: int) -> bool:
    try:
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return os.getsid(process.pid) == session and not is_zombie
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def _inspect(kind: Kind, folder: Path) -> list[str]:
    """Inspect in a process of its own, as the next start would be one."""
    answer = folder.with_suffix(".json")
    answer.unlink(missing_ok=True)
    process = os.fork()
    if not process:
        _do(lambda: answer.write_text(json.dumps(kind.inspect(folder))), folder)
    deadline = time.monotonic() + _INSPECT_SECONDS
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return ["the next start hangs"]
        time.sleep(0.02)
    if not answer.is_file():
        last = folder.with_suffix(".log").read_text("utf-8", "replace").strip().splitlines()
        return [f"the next start fails: {last[-1] if last else 'without a word'}"]
    found: list[str] = json.loads(answer.read_text())
    return found

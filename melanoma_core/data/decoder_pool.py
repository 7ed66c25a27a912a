"""Processes that decode photographs and can be ended. Photographs pass through pipes alone."""

import atexit
import json
import os
import queue
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import ImageError
from melanoma_core.settings import make_environment

LIMIT_SECONDS = 20.0  # a photograph of 64 megapixels takes 2, as HEIC 10
_PIPE_BYTES = 2**20  # where the system allows it: fewer switches between the processes
_MODULE = "melanoma_core.data.decoder_process"

Answer = tuple[dict[str, Any], NDArray[np.uint8]]


class Process:
    """One process, which decodes one photograph after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=make_environment(),
            pipesize=_PIPE_BYTES,
        )
        # A pipe is open for as long as the process is in use.
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can decode another photograph."""
        return self._process.poll() is None

    def decode(self, data: bytes, seconds: float, max_side: int) -> Answer:
        """Decode one photograph, as `decode_apart`."""
        started = time.monotonic()
        try:
            header = {"length": len(data), "seconds": seconds, "max_side": max_side}
            self._requests.write(json.dumps(header).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
            answer = json.loads(self._answers.readline())
            if "refusal" in answer:
                raise ImageError(answer["refusal"])
            pixels = np.empty(answer.pop("shape"), np.uint8)
            self._fill(pixels.data.cast("B"))
        except (OSError, EOFError, ValueError) as error:  # the process has ended
            raise self._explain_end(time.monotonic() - started, seconds) from error
        pixels.setflags(write=False)
        return answer, pixels

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # data that the process did not take
                pipe.close()

    def _fill(self, target: memoryview) -> None:
        while target:
            number = self._answers.readinto(target)  # type: ignore[attr-defined]
            if not number:
                raise EOFError
            target = target[number:]

    def _explain_end(self, elapsed: float, seconds: float) -> ImageError:
        status = self._process.wait()
        if elapsed >= seconds:
            return ImageError(
                f"The photograph was not decoded within {seconds:g} seconds, the limit. Open it in "
                "an image program and save it as an ordinary JPEG."
            )
        return ImageError(
            f"The process that decodes photographs ended (status {status}), because memory ran out "
            "or because the file is damaged. Free some memory, or save the photograph as an "
            "ordinary JPEG."
        )


_idle: "queue.LifoQueue[Process]" = queue.LifoQueue()


def decode_apart(data: bytes, max_side: int, seconds: float = LIMIT_SECONDS) -> Answer:
    """Decode one photograph in a process of its own. Threads may call this at once.

    Args:
        data: Content of the file.
        max_side: Maximum length of the longer side in pixels, as in `images.decode_image`.
        seconds: The limit, without the time that it takes to start a process.

    Returns:
        about: The other attributes of the `images.Photograph`.
        pixels: uint8 [height, width, 3].

    Raises:
        ImageError: The photograph cannot be decoded (`images.decode_image`), not within the limit,
            or its process ended.
    """
    process = take()
    try:
        return process.decode(data, seconds, max_side)
    finally:
        if process.is_alive and _idle.qsize() < (os.cpu_count() or 1):
            _idle.put(process)
        else:
            process.end()


def take() -> Process:
    """Return an idle process, or start one."""
    while True:
        try:
            process = _idle.get_nowait()
        except queue.Empty:
            return Process()
        if process.is_alive:
            return process
        process.end()


def _forget_all() -> None:
    """Leave the processes to the one that started them: two would read the answers of one pipe."""
    global _idle  # noqa: PLW0603
    _idle = queue.LifoQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


@atexit.register
def _end_all() -> None:
    with suppress(queue.Empty):
        while True:
            _idle.get_nowait().end()

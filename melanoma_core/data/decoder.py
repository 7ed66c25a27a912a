"""Decode photographs so that none takes longer than a limit.

What declares little work is decoded at once. All else is decoded in a process that can be ended:
the budget of `formats` refuses what asks for too much, but not what no count foresees, such as a
fault in a decoder. Photographs pass through pipes and are never written to disk.
"""

import atexit
import json
import os
import queue
import subprocess
import sys
import time
from contextlib import suppress
from typing import BinaryIO, cast

import numpy as np

from melanoma_core.data.formats.budget import Budget, ExcessError
from melanoma_core.data.images import MAX_SIDE, Photograph, decode_image
from melanoma_core.errors import ImageError
from melanoma_core.settings import make_environment

LIMIT_SECONDS = 20.0  # a photograph of 64 megapixels takes 2
# What is decoded in this process, in a quarter of a second at most. A process adds 2 ms.
QUICK = Budget(pixels=8_000_000, samples=24_000_000, parts=2_000, tag_bytes=2**20)
_PIPE_BYTES = 2**20  # where the system allows it: fewer switches between the processes
_MODULE = "melanoma_core.data.decoder_process"


class _Process:
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

    def decode(self, data: bytes, seconds: float, max_side: int = MAX_SIDE) -> Photograph:
        started = time.monotonic()
        try:
            header = {"length": len(data), "seconds": seconds, "max_side": max_side}
            self._requests.write(json.dumps(header).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
            answer = json.loads(self._answers.readline())
            if "refusal" in answer:
                raise ImageError(answer["refusal"])
            pixels = np.empty(answer["shape"], np.uint8)
            self._fill(pixels.data.cast("B"))
        except (OSError, EOFError, ValueError) as error:  # the process has ended
            raise self._explain_end(time.monotonic() - started, seconds) from error
        pixels.setflags(write=False)
        return Photograph(pixels, answer["width"], answer["height"], answer["format"])

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
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


_idle: "queue.LifoQueue[_Process]" = queue.LifoQueue()


def decode_within(
    data: bytes,
    seconds: float = LIMIT_SECONDS,
    quick: Budget = QUICK,
    max_side: int = MAX_SIDE,
) -> Photograph:
    """Decode one photograph within a time limit. Threads may call this at once.

    Args:
        data: Content of the file.
        seconds: The limit, without the time that it takes to start a process.
        quick: What is decoded in this process.
        max_side: Maximum length of the longer side in pixels, as in `images.decode_image`.

    Returns:
        The photograph, as `images.decode_image` returns it.

    Raises:
        ImageError: The photograph cannot be decoded (`images.decode_image`), not within the limit,
            or its process ended.
    """
    with suppress(ExcessError):
        return decode_image(data, max_side, quick)
    process = _take()
    try:
        return process.decode(data, seconds, max_side)
    finally:
        if process.is_alive and _idle.qsize() < (os.cpu_count() or 1):
            _idle.put(process)
        else:
            process.end()


def _take() -> _Process:
    while True:
        try:
            process = _idle.get_nowait()
        except queue.Empty:
            return _Process()
        if process.is_alive:
            return process
        process.end()


@atexit.register
def _end_all() -> None:
    with suppress(queue.Empty):
        while True:
            _idle.get_nowait().end()

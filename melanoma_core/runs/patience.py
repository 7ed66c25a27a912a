"""Bounds on the time that a tracking store may take to answer.

A server that takes connections and never answers must not hold a page: MLflow bounds each of its
requests (`record`), and these two bound what several requests, sessions or drivers add to that.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from melanoma_core.errors import RunError

PAUSE_SECONDS = 8.0
_SLOW_SECONDS = 2.0  # a failure that took longer counts as no answer

_Answer = TypeVar("_Answer")


class Pause:
    """Refuses at once, for some seconds after a store did not answer.

    A page asks several times, and every open page asks every two seconds.
    """

    def __init__(self) -> None:
        self._until = 0.0
        self._message = ""

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch requests within a `with` statement.

        Raises:
            RunError: The store did not answer a moment ago.
        """
        if time.monotonic() < self._until:
            raise RunError(self._message)
        started = time.monotonic()
        try:
            yield
        except RunError as error:
            now = time.monotonic()
            if now - started > _SLOW_SECONDS:
                self._until, self._message = now + PAUSE_SECONDS, str(error)
            raise


def wait_for(work: Callable[[], _Answer], seconds: float) -> _Answer:
    """Return the result of a function, or what it raises, if it ends in time.

    The function is called in a thread, which is left alone if it takes longer.

    Args:
        work: The function.
        seconds: The longest time.

    Raises:
        TimeoutError: It takes longer.

    Example:
        >>> wait_for(lambda: 6 * 7, seconds=10.0)
        42
    """
    answers: queue.SimpleQueue[tuple[_Answer | None, BaseException | None]] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:
            answers.put((None, error))

    # A daemon, so that the end of the process does not wait for it.
    threading.Thread(target=answer, daemon=True).start()
    try:
        result, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"found no answer within {seconds:.0f} seconds") from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]

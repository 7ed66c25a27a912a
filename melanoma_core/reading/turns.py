"""Turns at work that takes much memory: a few at once, in the order in which people asked."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_REPORT_SECONDS = 0.2


class Turns:
    """A queue that threads of all sessions share.

    A person who takes one turn per photograph, and asks for the next one afterwards, lets everybody
    else have a turn in between.

    Args:
        num_slots: Number of turns at the same time.

    Example:
        >>> turns = Turns(1)
        >>> with turns.take():
        ...     print("my turn")
        my turn
    """

    def __init__(self, num_slots: int) -> None:
        self._lock = threading.Lock()
        self._num_free = num_slots
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def take(self, report: Callable[[int], object] | None = None) -> Iterator[None]:
        """Wait for a turn, and have it until the block ends.

        Args:
            report: Called a few times a second while this one waits, with the number of those
                before it. An exception that it raises leaves the queue.
        """
        called = threading.Event()
        with self._lock:
            self._waiting.append(called)
            self._call_next()
        try:
            while not called.wait(_REPORT_SECONDS):
                if report is not None:
                    report(self._count_before(called))
            yield
        finally:
            with self._lock:
                if called.is_set():
                    self._num_free += 1
                else:
                    self._waiting.remove(called)
                self._call_next()

    def _call_next(self) -> None:
        while self._num_free and self._waiting:
            self._num_free -= 1
            self._waiting.popleft().set()

    def _count_before(self, called: threading.Event) -> int:
        with self._lock:
            return self._waiting.index(called) if called in self._waiting else 0

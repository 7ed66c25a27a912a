"""The worklists of all browser sessions, in memory, with a time limit and a limit of memory."""

import threading
import time
from collections.abc import Callable

from melanoma_core.reading.removal import Limit, Loss
from melanoma_core.reading.worklist import Worklist

HOURS_KEPT = 4
MAX_BYTES = 2**30  # of the photographs of all sessions
_MAX_SESSIONS = 1000
_SWEEP_SECONDS = 60.0


class Sessions:
    """Keeps the worklist of each browser session, so that a reload of the page loses nothing.

    The photographs of a session are deleted four hours after its last use. If those of all sessions
    take too much memory, the sessions that were not used for longest lose theirs first. The
    worklist says what was lost, also after a reload.

    Args:
        max_bytes: Memory that the photographs of all sessions may take.
        clock: Seconds since any moment.

    Example:
        >>> sessions = Sessions()
        >>> sessions.find("a key") is sessions.find("a key")
        True
    """

    def __init__(
        self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes, self._clock = max_bytes, clock
        self._lock = threading.Lock()
        self._worklists: dict[str, tuple[Worklist, float]] = {}  # with the last use, oldest first
        self._losses: dict[str, Loss] = {}  # of sessions that are no longer kept, oldest first

    def find(self, key: str, own: Worklist | None = None) -> Worklist:
        """Return the worklist of a session, and count this as a use of it.

        Args:
            key: Of the session. Who knows it sees the photographs, so it must be unguessable.
            own: What the page has; kept where none is kept under this key.
        """
        with self._lock:
            self._sweep()
            kept, _ = self._worklists.pop(key, (own or Worklist(self._clock), 0.0))
            kept.loss = self._losses.pop(key, kept.loss)
            self._worklists[key] = kept, self._clock()
            self._free_memory()
            return kept

    def sweep(self) -> None:
        """Delete the photographs of sessions that were not used for four hours."""
        with self._lock:
            self._sweep()

    def start_sweeping(self) -> None:
        """Sweep every minute, also while no one uses a page."""

        def sweep_for_ever() -> None:
            while True:
                time.sleep(_SWEEP_SECONDS)
                self.sweep()

        threading.Thread(target=sweep_for_ever, daemon=True, name="sweep-sessions").start()

    def _sweep(self) -> None:
        oldest = self._clock() - HOURS_KEPT * 3600
        for key in [key for key, (_, used) in self._worklists.items() if used < oldest]:
            self._delete(key, Limit.TIME)

    def _free_memory(self) -> None:
        """Delete photographs until the limits hold; the session used last keeps its own."""
        total = sum(worklist.num_bytes for worklist, _ in self._worklists.values())
        for key in list(self._worklists)[:-1]:
            if total <= self._max_bytes and len(self._worklists) <= _MAX_SESSIONS:
                return
            total -= self._worklists[key][0].num_bytes
            self._delete(key, Limit.MEMORY)

    def _delete(self, key: str, limit: Limit) -> None:
        loss = self._worklists.pop(key)[0].lose(limit)
        if loss is not None:
            self._losses[key] = loss
        for oldest in list(self._losses)[:-_MAX_SESSIONS]:
            del self._losses[oldest]

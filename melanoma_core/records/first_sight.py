"""How long a first read takes: from the first sight of the photographs to the answer."""

import threading
import time
from collections.abc import Callable

from melanoma_core.records.loop_rules import LONGEST_READ_SECONDS

_MOST = 10_000  # sights that are remembered, the newest


class FirstSights:
    """When each person first saw the photographs of a visit. Threads may use it at once.

    It is kept in the memory of the server: a clock of the browser could be set, and a reload does
    not start it again. Where the server starts again, so does the time.

    Args:
        clock: Seconds since any moment.

    Example:
        >>> seconds = iter([10.0, 11.0, 17.5])
        >>> sights = FirstSights(lambda: next(seconds))
        >>> sights.see("dr.a", "visit"); sights.see("dr.a", "visit")
        >>> sights.measure("dr.a", "visit")
        7.5
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}

    def see(self, who: str, visit_id: str) -> None:
        """Note that a person sees the photographs of a visit; later sights change nothing."""
        now = self._clock()
        with self._lock:
            self._seen.setdefault((who, visit_id), now)
            while len(self._seen) > _MOST:
                del self._seen[next(iter(self._seen))]

    def measure(self, who: str, visit_id: str) -> float:
        """Return the seconds since a person first saw a visit, at most those of a day.

        It is 0 for what was not seen.
        """
        now = self._clock()
        with self._lock:
            seconds = now - self._seen.get((who, visit_id), now)
        return min(seconds, LONGEST_READ_SECONDS)

    def forget(self, who: str, visit_id: str) -> None:
        """Forget a sight, so that a further read of the visit is measured from its own."""
        with self._lock:
            self._seen.pop((who, visit_id), None)

"""Write a run's measurements to the tracking store in the background."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from melanoma_core.errors import RunError
from melanoma_core.runs.record import Measurement, Record, get_timestamp
from melanoma_core.runs.run import RunState

_INTERVAL_SECONDS = 2.0
_HEARTBEAT_SECONDS = 20.0
_RETRY_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Recorder:
    """Writes to the tracking store from a thread of its own, at most every two seconds.

    Training neither waits for the store nor fails with it: while the store cannot be reached,
    measurements are kept and written later.

    Args:
        record: The tracking store.
        run_id: Id of the run.
    """

    def __init__(self, record: Record, run_id: str) -> None:
        self._record = record
        self._run_id = run_id
        self._lock = threading.Lock()
        self._measurements: list[Measurement] = []
        self._tags: dict[str, str] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_repeatedly, name="recorder", daemon=True)

    def __enter__(self) -> "Recorder":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()

    def add(self, measurements: Sequence[Measurement], tags: Mapping[str, str]) -> None:
        """Queue measurements and tags for the next write. A later value of a tag replaces it."""
        with self._lock:
            self._measurements += measurements
            self._tags |= tags

    def flush(self) -> None:
        """Write everything that is queued.

        Raises:
            RunError: The store cannot be reached. The queue is kept for later.
        """
        self._write()

    def announce(self, state: RunState, tags: Mapping[str, str], patience_seconds: float) -> None:
        """Write the state of the run and everything queued, outside of the `with` statement.

        Args:
            state: The new state.
            tags: Tags that belong to the state.
            patience_seconds: How long to keep trying.

        Raises:
            RunError: The store could not be reached for that long.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                self._write()
                self._record.set_state(self._run_id, state, tags)
            except RunError as error:
                if time.monotonic() > deadline:
                    raise
                _log.warning("%s Trying again in %.0f seconds.", error, _RETRY_SECONDS)
                time.sleep(_RETRY_SECONDS)
            else:
                return

    def _write_repeatedly(self) -> None:
        written_at, wait_seconds = time.monotonic(), _INTERVAL_SECONDS
        while not self._closing.wait(wait_seconds):
            is_due = time.monotonic() - written_at > _HEARTBEAT_SECONDS
            if not (self._measurements or self._tags or is_due):
                continue
            try:
                self._write()
            except RunError as error:
                _log.warning("%s Training continues.", error)
                wait_seconds = _RETRY_SECONDS
            else:
                written_at, wait_seconds = time.monotonic(), _INTERVAL_SECONDS

    def _write(self) -> None:
        with self._lock:
            measurements, tags = self._measurements, self._tags
            self._measurements, self._tags = [], {}
        try:
            self._record.log(self._run_id, measurements, tags | {"heartbeat": get_timestamp()})
        except RunError:
            with self._lock:
                self._measurements = measurements + self._measurements
                self._tags = tags | self._tags
            raise

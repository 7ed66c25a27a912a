"""Tells the record what a run does, without the run ever waiting for it or failing by it."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from melanoma_core.errors import RunError
from melanoma_core.runs.record import Measurement, Record, tell_time
from melanoma_core.runs.run import RunState

_EVERY_SECONDS = 2.0
_HEARTBEAT_SECONDS = 20.0
_RETRY_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Recorder:
    """Writes to the record from a thread of its own, at most every two seconds.

    Where the record cannot be reached, what was measured is kept and written later, and the run
    goes on: its checkpoints lie in its own folder.

    Args:
        record: The record.
        run_id: Of the run.
    """

    def __init__(self, record: Record, run_id: str) -> None:
        self._record = record
        self._run_id = run_id
        self._lock = threading.Lock()
        self._measurements: list[Measurement] = []
        self._tags: dict[str, str] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="recorder", daemon=True)

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
        """Take over what shall be written next; of a tag that comes twice, the last one counts."""
        with self._lock:
            self._measurements += measurements
            self._tags |= tags

    def flush(self) -> None:
        """Write what waits to be written.

        Raises:
            RunError: The record cannot be reached; what waits is kept for later.
        """
        self._write()

    def announce(self, state: RunState, tags: Mapping[str, str], patience_seconds: float) -> None:
        """Write at once where the run stands, and what is left; outside of the `with` statement.

        Args:
            state: Where.
            tags: What goes with it.
            patience_seconds: How long to try.

        Raises:
            RunError: The record could not be reached for so long.
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

    def _write_on(self) -> None:
        written_at, wait_seconds = time.monotonic(), _EVERY_SECONDS
        while not self._closing.wait(wait_seconds):
            is_due = time.monotonic() - written_at > _HEARTBEAT_SECONDS
            if not (self._measurements or self._tags or is_due):
                continue
            try:
                self._write()
            except RunError as error:
                _log.warning("%s Training goes on.", error)
                wait_seconds = _RETRY_SECONDS
            else:
                written_at, wait_seconds = time.monotonic(), _EVERY_SECONDS

    def _write(self) -> None:
        with self._lock:
            measurements, tags = self._measurements, self._tags
            self._measurements, self._tags = [], {}
        try:
            self._record.log(self._run_id, measurements, tags | {"heartbeat": tell_time()})
        except RunError:
            with self._lock:
                self._measurements = measurements + self._measurements
                self._tags = tags | self._tags
            raise

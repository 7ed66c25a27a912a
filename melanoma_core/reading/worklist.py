"""The photographs of one user session: waiting, read and refused.

Everything is kept in memory only. Of a file, the worklist keeps its name, a screen-sized copy of
the photograph without metadata, and the reading.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from melanoma_core.names import neutralise
from melanoma_core.reading.entry import Entry, RefusedFile, read_file
from melanoma_core.spreadsheets import format_rows

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.reading import Reading, Refusal

_MAX_NAME_LENGTH = 120
_MAX_PHOTOGRAPHS = 200  # of one session; each keeps about half a megabyte
_MAX_WAITING_BYTES = 256 * 2**20  # of one session

_Row = dict[str, str | float]


class Worklist:
    """The photographs of one user session, read one after another.

    It is thread-safe, because Streamlit may start a new run of the page while an interrupted one
    still reads. Every photograph is read exactly once. Nothing waits for a reading except
    `read_next` itself.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._next_key = 0
        self.clear()

    def clear(self) -> None:
        """Remove all photographs, including those that wait or are being read."""
        with self._lock:
            self.drop_pending()
            self._entries: list[Entry] = []
            self._refused: list[RefusedFile] = []
            self._batch_start = self._next_key
            self._batch_size = 0
            self._opened: int | None = None

    def add(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add files to the queue. The one most likely to be a melanoma will be opened.

        Files beyond the limits of a session are not taken, and one refusal counts them.

        Args:
            files: Names and contents. Two files may have the same name.
        """
        with self._lock:
            if not self._pending and not self._reading:
                self._batch_start = self._next_key
                self._batch_size = 0
            named = ((_clean_name(name), content) for name, content in files)
            surplus = [name for name, content in named if not self._take(name, content)]
            if surplus:
                self._refused.append(_refuse_surplus(self._next_key, surplus))
                self._next_key += 1
            self._opened = None

    def _take(self, name: str, content: bytes) -> bool:
        """Put a file into the queue, unless a limit of the session is reached."""
        num_bytes = sum(len(waiting) for _, _, waiting in self._pending) + len(content)
        count = len(self._entries) + len(self._refused) + len(self._reading) + len(self._pending)
        if count >= _MAX_PHOTOGRAPHS or num_bytes > _MAX_WAITING_BYTES:
            return False
        self._pending.append((self._next_key, name, content))
        self._next_key += 1
        self._batch_size += 1
        return True

    def read_next(self, classifier: "Classifier") -> bool:
        """Read the next photograph in the queue.

        If the queue is empty while another thread reads a photograph, wait for it.

        Args:
            classifier: The model.

        Returns:
            False if there is nothing to wait for or to read.
        """
        with self._changed:
            if not self._pending:
                return bool(self._reading) and self._changed.wait()
            key, name, content = self._pending.popleft()
            self._reading[key] = name
        result = None
        try:
            result = read_file(classifier, key, name, content)
        finally:
            self._finish(key, result)
        return True

    def _finish(self, key: int, result: "Entry | RefusedFile | None") -> None:
        """Keep a result, unless its photograph was dropped while it was read."""
        with self._changed:
            if self._reading.pop(key, None) is not None:
                if isinstance(result, Entry):
                    self._keep(result)
                elif result is not None:
                    self._refused.append(result)
            self._changed.notify_all()

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._entries.sort(key=lambda each: -each.reading.melanoma_probability)

    def drop_pending(self) -> None:
        """Empty the queue, and drop what is being read. Photographs that were read stay."""
        with self._changed:
            self._pending: deque[tuple[int, str, bytes]] = deque()
            self._reading: dict[int, str] = {}  # names by key
            self._changed.notify_all()

    def dismiss_refused(self) -> None:
        """Remove the refused files."""
        with self._lock:
            self._refused.clear()

    def read_anyway(self, key: int) -> None:
        """Show the reading of a photograph that was refused as out of distribution, and open it.

        Args:
            key: Of the refused file. Files that no model can read stay refused.
        """
        with self._lock:
            for file in self._refused:
                if file.key == key and file.withheld is not None:
                    self._refused.remove(file)
                    self._keep(file.withheld)
                    self._opened = key
                    return

    def open(self, key: int) -> None:
        """Open the entry with this key."""
        self._opened = key

    @property
    def pending_name(self) -> str | None:
        """Name of the next file in the queue, or of one being read; None if all are finished."""
        with self._lock:
            if self._pending:
                return self._pending[0][1]
            return next(iter(self._reading.values()), None)

    @property
    def progress(self) -> tuple[int, int]:
        """Number of finished files in the current batch, and their total number."""
        with self._lock:
            total = self._batch_size  # without files that were not taken, which have keys too
            return total - len(self._pending) - len(self._reading), total

    @property
    def entries(self) -> list[Entry]:
        """Photographs that were read, the highest probability of melanoma first."""
        with self._lock:
            return list(self._entries)

    @property
    def refused(self) -> list[RefusedFile]:
        """Files that were refused, in their order of upload."""
        with self._lock:
            return list(self._refused)

    @property
    def position(self) -> int | None:
        """Position of the opened entry in `entries`; None if there are no entries.

        By default, this is the first entry of the last batch.
        """
        with self._lock:
            keys = [entry.key for entry in self._entries]
            if self._opened in keys:
                return keys.index(self._opened)
            newest = (place for place, key in enumerate(keys) if key >= self._batch_start)
            return next(newest, 0 if keys else None)

    @property
    def opened(self) -> Entry | None:
        """The opened entry; None if there are no entries."""
        with self._lock:
            position = self.position
            return None if position is None else self._entries[position]


def _clean_name(name: str) -> str:
    """Return a file name for display: one line without control or invisible characters.

    >>> _clean_name("left   arm.jpg")
    'left arm.jpg'
    """
    seen = " ".join(neutralise(name).split())
    if len(seen) > _MAX_NAME_LENGTH:
        seen = f"{seen[: _MAX_NAME_LENGTH // 2]}…{seen[-_MAX_NAME_LENGTH // 2 :]}"
    return seen or "unnamed photograph"


def _refuse_surplus(key: int, names: list[str]) -> RefusedFile:
    from melanoma_core.reading.reading import Refusal

    count = len(names)
    refusal = Refusal(
        f"A session holds at most {_MAX_PHOTOGRAPHS} photographs, of which at most "
        f"{_MAX_WAITING_BYTES // 2**20} MiB wait to be read. {count:,} "
        f"{'file was' if count == 1 else 'files were'} not taken. Wait for the others, download "
        "the table, clear all, then upload the rest."
    )
    if count == 1:
        return RefusedFile(key, names[0], refusal)
    return RefusedFile(key, f"{count:,} files", refusal, tuple(names))


def export_csv(worklist: Worklist) -> bytes:
    """Return a worklist as CSV with one row per file, also of files refused together.

    The columns have the names of `predict --json`, for the diagnoses of all models that read.
    """
    rows = [_describe(entry) for entry in worklist.entries]
    rows += [
        _describe_refused(name, file)
        for file in worklist.refused
        for name in file.names or (file.name,)
    ]
    return format_rows(rows)


def _describe(entry: Entry) -> _Row:
    reading = entry.reading
    row: _Row = {
        "image": entry.name,
        "status": "read",
        "reason": "",
        "model_id": reading.model_id,
        "melanoma_probability": reading.melanoma_probability,
        "threshold": reading.threshold,
        "alert": str(reading.alert).lower(),
        "conformal_set": " ".join(reading.prediction_set.members) if reading.prediction_set else "",
    }
    for name, probability in zip(reading.class_names, reading.probabilities, strict=True):
        row[f"probability_{name}"] = probability
    return row | _describe_checks(reading)


def _describe_refused(name: str, file: RefusedFile) -> _Row:
    row: _Row = {"image": name, "status": "refused", "reason": file.reason}
    return row | _describe_checks(file.refusal)


def _describe_checks(result: "Reading | Refusal") -> _Row:
    checks = {"novelty": result.novelty, "novelty_limit": result.novelty_limit}
    row: _Row = {name: value for name, value in checks.items() if value is not None}
    return row | {"quality": "; ".join(finding.text for finding in result.quality)}

"""Photographs that wait, are read one after another, and are kept in memory or refused."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count as count_up
from typing import TYPE_CHECKING

from melanoma_core.memory import return_freed_memory
from melanoma_core.reading.entry import MAX_DETAIL_BYTES, Entry, RefusedFile, clean_name, read_file
from melanoma_core.reading.ranking import measure_suspicion

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.data.crop import Crop
    from melanoma_core.models.classifier import Classifier

_MAX_PHOTOGRAPHS = 200  # of one session; each keeps half a megabyte, and its own pixels
_MAX_WAITING_BYTES = 256 * 2**20  # of one session
# A page that gets another worklist keeps heatmaps by key, so no two worklists share one.
_FIRST_KEYS = count_up(0, 2**20)


@dataclass(frozen=True)
class _Waiting:
    """A file in the queue; `refused` is what it was before a part of it was to be read."""

    key: int
    name: str
    content: bytes
    crop: "Crop | None" = None
    refused: RefusedFile | None = None


class ReadingQueue:
    """The photographs of one user session, read one after another.

    It is thread-safe, because Streamlit may start a new run of the page while an interrupted one
    still reads. Every photograph is read exactly once. Nothing waits for a reading except
    `read_next` itself.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._next_key = next(_FIRST_KEYS)
        self.clear()

    def clear(self) -> None:
        """Remove all photographs for good, including those that wait or are being read."""
        with self._changed:
            self._pending: deque[_Waiting] = deque()
            self._reading: dict[int, _Waiting] = {}
            self._entries: list[Entry] = []
            self._refused: list[RefusedFile] = []
            self._batch_start = self._next_key
            self._batch_size = 0
            self._changed.notify_all()

    def add(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add files to the queue; of a DICOM file with several frames each as a photograph.

        Files beyond the limits of a session are not taken, and one refusal counts them.

        Args:
            files: Names and contents. Two files may have the same name.
        """
        with self._lock:
            if not self._pending and not self._reading:
                self._batch_start = self._next_key
                self._batch_size = 0
            surplus = [name for each in files for name in self._take_file(*each)]
            if surplus:
                self._refused.append(_refuse_surplus(self._next_key, surplus))
                self._next_key += 1

    def _take_file(self, name: str, content: bytes) -> list[str]:
        """Put the photographs of a file into the queue, and return the names of those left out."""
        from melanoma_core.data.formats.dicom_frames import list_photographs

        first = self._next_key
        photographs = [(clean_name(own), data) for own, data in list_photographs(name, content)]
        surplus = [own for own, data in photographs if not self._take(own, data)]
        if len(photographs) > 1:
            self._combine_frames(range(first, self._next_key), clean_name(name))
        return surplus

    def _combine_frames(self, keys: Iterable[int], name: str) -> None:
        """Take note that photographs are frames of one file."""

    def _take(self, name: str, content: bytes) -> bool:
        """Put a file into the queue, unless a limit of the session is reached."""
        num_bytes = sum(len(waiting.content) for waiting in self._pending) + len(content)
        count = len(self._entries) + len(self._refused) + len(self._reading) + len(self._pending)
        if count >= _MAX_PHOTOGRAPHS or num_bytes > _MAX_WAITING_BYTES:
            return False
        self._pending.append(_Waiting(self._next_key, name, content))
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
            file = self._pending.popleft()
            self._reading[file.key] = file
        result = None
        try:
            result = read_file(classifier, file.key, file.name, file.content, file.crop)
        finally:
            self._finish(file.key, result)
        return True

    def _finish(self, key: int, result: "Entry | RefusedFile | None") -> None:
        """Keep a result, unless its photograph was dropped while it was read."""
        with self._changed:
            file = self._reading.pop(key, None)
            if file is not None:
                result = self._limit_detail(result)
                if isinstance(result, Entry):
                    self._keep(result)
                elif result is not None:
                    self._refused.append(result)
                elif file.refused is not None:  # an error while a part of it was read
                    self._refused.append(file.refused)
            self._changed.notify_all()
        if self.pending_name is None:
            return_freed_memory()  # decoded photographs took much more than what is kept

    def _limit_detail(self, result: "Entry | RefusedFile | None") -> "Entry | RefusedFile | None":
        """Return a result without its own pixels where those of the session take too much memory.

        Args:
            result: What was read or refused.
        """
        kept: list[Entry | RefusedFile] = [*self._entries, *self._refused]
        if result is None or not result.detail:
            return result
        if sum(len(each.detail) for each in kept) + len(result.detail) <= MAX_DETAIL_BYTES:
            return result
        if isinstance(result, RefusedFile) and result.withheld:
            result = replace(result, withheld=replace(result.withheld, detail=b""))
        return replace(result, detail=b"")

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._entries.sort(key=lambda each: measure_suspicion(each.reading), reverse=True)

    def drop_pending(self) -> None:
        """Empty the queue, and drop what is being read. Photographs that were read stay.

        A refused photograph, of which a part was to be read, is refused as before.
        """
        with self._changed:
            waiting = [*self._reading.values(), *self._pending]
            self._refused += [file.refused for file in waiting if file.refused]
            self._pending.clear()
            self._reading.clear()
            self._changed.notify_all()

    def dismiss_refused(self) -> None:
        """Remove the refused files."""
        with self._lock:
            self._refused.clear()

    def _show_withheld(self, key: int) -> bool:
        """Show the reading of a photograph that was refused as out of distribution.

        Args:
            key: Of the refused file. Files that no model can read stay refused.

        Returns:
            Whether it was shown.
        """
        with self._lock:
            for file in self._refused:
                if file.key == key and file.withheld is not None:
                    self._refused.remove(file)
                    self._keep(file.withheld)
                    return True
            return False

    def _queue_crop(self, key: int, crop: "Crop") -> int | None:
        """Let a part of a refused photograph be read next.

        Args:
            key: Of the refused file. A file that is no image stays refused.
            crop: The part.

        Returns:
            Key of the result; None if nothing is read.
        """
        with self._lock:
            for file in self._refused:
                if file.key == key and file.can_be_cropped:
                    self._refused.remove(file)
                    if not self._pending and not self._reading:
                        self._batch_start, self._batch_size = self._next_key, 0
                    # A key of its own: another part may still be read after it was cancelled.
                    waiting = _Waiting(
                        self._next_key, file.name, file.detail or file.photograph, crop, file
                    )
                    self._pending.appendleft(waiting)
                    self._next_key += 1
                    self._batch_size += 1
                    return waiting.key
            return None

    @property
    def pending_name(self) -> str | None:
        """Name of the next file in the queue, or of one being read; None if all are finished."""
        with self._lock:
            if self._pending:
                return self._pending[0].name
            return next((file.name for file in self._reading.values()), None)

    @property
    def progress(self) -> tuple[int, int]:
        """Number of finished files in the current batch, and their total number."""
        with self._lock:
            total = self._batch_size  # without files that were not taken, which have keys too
            return total - len(self._pending) - len(self._reading), total

    @property
    def entries(self) -> list[Entry]:
        """Photographs that were read, the most suspicious first."""
        with self._lock:
            return list(self._entries)

    @property
    def refused(self) -> list[RefusedFile]:
        """Files that were refused, in their order of upload."""
        with self._lock:
            return list(self._refused)

    @property
    def num_bytes(self) -> int:
        """Memory that the photographs take, also those that wait."""
        with self._lock:
            waiting = [*self._pending, *self._reading.values()]
            kept: list[Entry | RefusedFile] = [*self._entries, *self._refused]
            return sum(each.num_bytes for each in kept) + sum(len(w.content) for w in waiting)


def _refuse_surplus(key: int, names: list[str]) -> RefusedFile:
    from melanoma_core.reading.reading import Refusal

    count = len(names)
    refusal = Refusal(
        f"A session holds at most {_MAX_PHOTOGRAPHS} photographs, of which at most "
        f"{_MAX_WAITING_BYTES // 2**20} MiB wait to be read. {count:,} "
        f"{'file was' if count == 1 else 'files were'} not taken. Wait for the others, download "
        "the table, forget all, then upload the rest."
    )
    if count == 1:
        return RefusedFile(key, names[0], refusal)
    return RefusedFile(key, f"{count:,} files", refusal, tuple(names))

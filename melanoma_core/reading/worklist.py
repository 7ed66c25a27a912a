"""The photographs of one user session: waiting, read and refused.

Everything is kept in memory only. Of a file, the worklist keeps its name, a screen-sized copy of
the photograph without metadata, and the reading.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import count as count_up
from typing import TYPE_CHECKING

from melanoma_core.errors import LesionError
from melanoma_core.names import neutralise
from melanoma_core.reading.entry import Entry, RefusedFile, read_file
from melanoma_core.reading.grouping import Grouping, Lesion, TableUse
from melanoma_core.reading.ranking import measure_suspicion
from melanoma_core.spreadsheets import format_rows

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.models.classifier import Classifier

_MAX_NAME_LENGTH = 120
_MAX_PHOTOGRAPHS = 200  # of one session; each keeps about half a megabyte
_MAX_WAITING_BYTES = 256 * 2**20  # of one session


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
            self._opened_alone = False
            self._grouping = Grouping()

    def add(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add files to the queue. The most suspicious one will be opened.

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
        self._entries.sort(key=lambda each: measure_suspicion(each.reading), reverse=True)

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
                    self.open(key)
                    return

    def open(self, key: int) -> None:
        """Open the photograph with this key, with its own reading."""
        with self._lock:
            self._opened, self._opened_alone = key, True

    def open_lesion(self, key: int) -> None:
        """Open the lesion of the photograph with this key, with the reading of all of them."""
        with self._lock:
            self._opened, self._opened_alone = key, False

    def combine(self, keys: Iterable[int], name: str) -> None:
        """Put photographs together as one lesion, and open it.

        Args:
            keys: Of entries; all photographs of their lesions come along.
            name: Of the lesion, cleaned here; an empty one is replaced.

        Raises:
            LesionError: Another lesion has this name.
        """
        with self._lock:
            chosen = set(keys)
            groups = [lesion for lesion in self.lesions if lesion.keys & chosen]
            members = set().union(*(lesion.keys for lesion in groups))
            if members:
                cleaned = _clean_name(name) if name.strip() else self.propose_name(members)
                if self._grouping.is_taken(self._entries, members, cleaned):
                    raise LesionError(
                        f'Found another lesion with the name "{cleaned}", in the list or in the '
                        "table of lesions. Each lesion needs a name of its own. Enter another "
                        "name, or select the photographs of both lesions to make them one."
                    )
                self._grouping.combine(members, cleaned)
                self.open_lesion(min(members))

    def separate(self, keys: Iterable[int]) -> None:
        """Take photographs out of their lesion, and open the first of them."""
        with self._lock:
            chosen = sorted(keys)
            self._grouping.separate(chosen)
            if chosen:
                self.open_lesion(chosen[0])

    def assign_lesions(self, lesions: Mapping[str, str]) -> None:
        """Put photographs together as a table says, also those that are added later.

        Args:
            lesions: Lesion id by image; see `data.lesion_table`.
        """
        with self._lock:
            self._grouping.assign(
                {_clean_name(image): _clean_name(lesion) for image, lesion in lesions.items()}
            )

    def propose_name(self, keys: Iterable[int]) -> str:
        """Return a name for the lesion that these entries would make."""
        with self._lock:
            chosen = set(keys)
            known = (
                lesion.name
                for lesion in self.lesions
                if len(lesion.entries) > 1 and lesion.keys & chosen
            )
            numbered = (f"Lesion {number}" for number in count_up(1))
            free = (
                name
                for name in numbered
                if not self._grouping.is_taken(self._entries, chosen, name)
            )
            return next(known, None) or next(free)

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
        """Photographs that were read, the most suspicious first."""
        with self._lock:
            return list(self._entries)

    @property
    def refused(self) -> list[RefusedFile]:
        """Files that were refused, in their order of upload."""
        with self._lock:
            return list(self._refused)

    @property
    def lesions(self) -> list[Lesion]:
        """The rows of the list: lesions, the most suspicious first.

        A photograph that was not put together with others is a lesion of its own.
        """
        with self._lock:
            lesions = self._grouping.group(self._entries)
            return sorted(
                lesions, key=lambda lesion: measure_suspicion(lesion.reading), reverse=True
            )

    @property
    def divided_lesions(self) -> list[str]:
        """Names of lesions whose photographs stay apart, as different models read them."""
        with self._lock:
            return self._grouping.find_divided(self._entries)

    @property
    def table_use(self) -> TableUse | None:
        """What the table of lesions says about the photographs; None without a table."""
        with self._lock:
            return self._grouping.count_table(self._entries)

    @property
    def position(self) -> int | None:
        """Position of the opened lesion in `lesions`; None if there are none.

        By default, this is the first lesion with a photograph of the last batch.
        """
        with self._lock:
            return self._find_opened(self.lesions)

    def _find_opened(self, lesions: list[Lesion]) -> int | None:
        keys = [lesion.keys for lesion in lesions]
        chosen = (place for place, each in enumerate(keys) if self._opened in each)
        newest = (place for place, each in enumerate(keys) if max(each) >= self._batch_start)
        return next(chosen, next(newest, 0 if keys else None))

    @property
    def opened_lesion(self) -> Lesion | None:
        """The opened lesion; None if there are no entries."""
        with self._lock:
            lesions = self.lesions
            position = self._find_opened(lesions)
            return None if position is None else lesions[position]

    @property
    def opened(self) -> Entry | None:
        """The photograph whose own reading is open; None if there is none.

        It is None, too, while the reading of several photographs of a lesion is open.
        """
        with self._lock:
            lesion = self.opened_lesion
            if lesion is None:
                return None
            if len(lesion.entries) == 1:
                return lesion.entries[0]
            opened = (entry for entry in lesion.entries if entry.key == self._opened)
            return next(opened, None) if self._opened_alone else None


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


def export_csv(worklist: Worklist, prevalence: "Prevalence | None" = None) -> bytes:
    """Return a worklist as CSV with one row per file, also of files refused together.

    The columns have the names of `predict --json`, for the diagnoses of all models that read. The
    photographs of a lesion follow each other, with the reading of all of them in columns that
    begin with `lesion_`.

    Args:
        worklist: The worklist.
        prevalence: Of the clinic; None for no adapted probabilities.
    """
    # Imported here, so that a page appears before NumPy is imported.
    from melanoma_core.reading.rows import describe_lesion_columns, describe_photograph, flatten_row

    rows = [
        describe_photograph(entry.name, entry.reading, entry.card, prevalence)
        | (describe_lesion_columns(lesion.name, lesion.reading) if len(lesion.entries) > 1 else {})
        for lesion in worklist.lesions
        for entry in lesion.entries
    ]
    rows += [
        describe_photograph(name, file.refusal, None)
        for file in worklist.refused
        for name in file.names or (file.name,)
    ]
    return format_rows([flatten_row(row) for row in rows])

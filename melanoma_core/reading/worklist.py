"""The list of one user session: its lesions, which is open, what was looked at and removed.

Everything is kept in memory only. Of a file, the worklist keeps its name, a screen-sized copy of
the photograph without metadata, and the reading.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from itertools import count as count_up
from typing import TYPE_CHECKING

from melanoma_core.errors import LesionError
from melanoma_core.memory import return_freed_memory
from melanoma_core.reading.entry import Entry, RefusedFile, clean_name
from melanoma_core.reading.grouping import Grouping, Lesion, TableUse
from melanoma_core.reading.queue import ReadingQueue
from melanoma_core.reading.ranking import measure_suspicion
from melanoma_core.reading.removal import Limit, Loss, Removal

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.data.crop import Crop

UNDO_SECONDS = 10.0  # in which all that was forgotten can be brought back


class Worklist(ReadingQueue):
    """The photographs of one user session, as lesions.

    Args:
        clock: Seconds since any moment.

    Attributes:
        loss: What a limit of the server has deleted, until a person has seen it; else None.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        super().__init__()

    def clear(self) -> None:
        """Remove all photographs for good, including those that wait or are being read."""
        super().clear()
        with self._lock:
            self._looked_at: set[int] = set()
            self._last_shown: int | None = None
            self._removal: Removal | None = None
            self.loss: Loss | None = None
            self._opened: int | None = None
            self._opened_alone = False
            self._grouping = Grouping()
            self._combined: tuple[object, list[Lesion]] | None = None

    def lose(self, limit: Limit) -> Loss | None:
        """Remove all photographs for good because of a limit; keep for the person what was lost.

        Args:
            limit: Which one.

        Returns:
            What was lost; None if there was nothing.
        """
        with self._lock:
            waiting = len(self._pending) + len(self._reading)
            count = len(self._entries) + len(self._refused) + waiting
            earlier = self.loss
            self.clear()
            self.loss = Loss(count, limit) if count else earlier
            return self.loss

    def add(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Add files to the queue. The most suspicious one will be opened.

        Files beyond the limits of a session are not taken, and one refusal counts them.

        Args:
            files: Names and contents. Two files may have the same name.
        """
        with self._lock:
            super().add(files)
            self._opened = self.loss = None

    def _combine_frames(self, keys: Iterable[int], name: str) -> None:
        self._grouping.combine_frames(keys, name)

    def read_anyway(self, key: int) -> None:
        """Show the reading of a photograph that was refused as out of distribution, and open it.

        Args:
            key: Of the refused file. Files that no model can read stay refused.
        """
        with self._lock:
            if self._show_withheld(key):
                self.open(key)

    def read_crop(self, key: int, crop: "Crop") -> None:
        """Let a part of a refused photograph be read next, and open it.

        Args:
            key: Of the refused file. A file that is no image stays refused.
            crop: The part.
        """
        with self._lock:
            new = self._queue_crop(key, crop)
            if new is not None:
                self.open(new)

    def remove(self, keys: Iterable[int]) -> None:
        """Remove lesions with all their photographs, until `undo`.

        The lesion that takes the place of the first one is open then.

        Args:
            keys: Of photographs of the lesions.
        """
        with self._lock:
            chosen, lesions = set(keys), self.lesions
            kept = [lesion for lesion in lesions if not lesion.keys & chosen]
            removed = {key for lesion in lesions if lesion.keys & chosen for key in lesion.keys}
            position = self._find_opened(lesions) or 0
            if lesions and removed & lesions[position].keys:
                following = [lesion for lesion in lesions[position:] if lesion in kept]
                following += kept[::-1]
                self._opened = following[0].key if following else None
                self._opened_alone = False
            self._removal = Removal(tuple(e for e in self._entries if e.key in removed))
            self._entries = [entry for entry in self._entries if entry.key not in removed]

    def forget(self) -> None:
        """Remove all photographs and what is known of them; for ten seconds, `undo` is possible.

        What waits is dropped. A timer frees the memory, also if no page asks for it.
        """
        with self._lock:
            self.drop_pending()
            removal = Removal(
                tuple(self._entries),
                tuple(self._refused),
                self._grouping,
                frozenset(self._looked_at),
                self._clock() + UNDO_SECONDS,
            )
            self.clear()
            self._removal = removal
            timer = threading.Timer(UNDO_SECONDS, self._drop, (weakref.ref(removal),))
            timer.daemon = True
            timer.start()

    def _drop(self, removal: "weakref.ref[Removal]") -> None:
        """Free what was forgotten; a timer that held it would hold it beyond this call."""
        with self._lock:
            if self._removal is removal():
                self._removal = None
        return_freed_memory()

    def undo(self) -> None:
        """Bring back what was last removed or forgotten, beside what was added since."""
        with self._lock:
            removal = self.removal
            if removal is not None:
                self._refused = [*removal.refused, *self._refused]
                self._looked_at |= removal.looked_at
                self._grouping.restore(removal.grouping)
                for entry in removal.entries:
                    self._keep(entry)
                self._removal = None

    @property
    def removal(self) -> Removal | None:
        """What was last removed or forgotten, as long as it can be brought back."""
        with self._lock:
            removal = self._removal
            expired = removal is not None and removal.is_over(self._clock())
            return None if expired else removal

    @property
    def seconds_to_undo(self) -> float:
        """Seconds for which what was forgotten can be brought back; 0 if nothing was."""
        removal = self.removal
        return 0.0 if removal is None or removal.until is None else removal.until - self._clock()

    def look_at_opened(self) -> None:
        """Mark what is open as looked at, once each time that it is opened.

        While photographs wait, another one may take its place, so nothing is marked.
        """
        with self._lock:
            opened = self.opened_lesion if self.pending_name is None else None
            if opened is not None and opened.key != self._last_shown:
                self._last_shown = opened.key
                self._looked_at.add(opened.key)

    def mark(self, key: int, *, looked_at: bool) -> None:
        """Mark a lesion as looked at or as not yet looked at, as a person says."""
        with self._lock:
            self._looked_at = self._looked_at | {key} if looked_at else self._looked_at - {key}

    @property
    def looked_at(self) -> frozenset[int]:
        """Keys of the lesions that were looked at."""
        with self._lock:
            return frozenset(self._looked_at)

    @property
    def num_bytes(self) -> int:
        """Memory that the photographs take, also those that wait or can be brought back."""
        with self._lock:
            removal = self.removal
            removed: list[Entry | RefusedFile] = []
            if removal is not None:
                removed = [*removal.entries, *removal.refused]
            return super().num_bytes + sum(each.num_bytes for each in removed)

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
                cleaned = clean_name(name) if name.strip() else self.propose_name(members)
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
                {clean_name(image): clean_name(lesion) for image, lesion in lesions.items()}
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
    def lesions(self) -> list[Lesion]:
        """The rows of the list: lesions, the most suspicious first.

        A photograph that was not put together with others is a lesion of its own.
        """
        with self._lock:
            # Combined once for all that ask in a run of the page.
            state = (self._grouping.version, tuple(entry.key for entry in self._entries))
            if self._combined is None or self._combined[0] != state:
                lesions = self._grouping.group(self._entries)
                lesions.sort(key=lambda each: measure_suspicion(each.reading), reverse=True)
                self._combined = state, lesions
            return list(self._combined[1])

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

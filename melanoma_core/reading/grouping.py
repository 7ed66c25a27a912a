"""Which photographs of a worklist show the same lesion, as a person or a table says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from melanoma_core.reading.entry import Entry

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.reading.lesion import LesionReading
    from melanoma_core.reading.reading import Reading


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion of the worklist with its photographs.

    Attributes:
        name: Its name; of a photograph that was not put together with others, its file name.
        entries: Its photographs, all read with one model, the most suspicious first.
        reading: The reading of all photographs; of a single one, its own.
    """

    name: str
    entries: tuple[Entry, ...]
    reading: "Reading | LesionReading"

    @property
    def key(self) -> int:
        """Key of its earliest photograph, unique in the worklist."""
        return min(entry.key for entry in self.entries)

    @property
    def keys(self) -> set[int]:
        """Keys of its photographs."""
        return {entry.key for entry in self.entries}


class Grouping:
    """The lesions of a worklist's photographs.

    What a person said about a photograph overrules the table. Photographs that were read with
    different models stay apart, because their probabilities cannot be averaged.
    """

    def __init__(self) -> None:
        self._chosen: dict[int, str | None] = {}  # None: by a person taken out of its lesion
        self._named: dict[str, str] = {}

    def combine(self, keys: Iterable[int], name: str) -> None:
        """Put photographs together as one lesion, with those that already have this name.

        Args:
            keys: Of the entries.
            name: Of the lesion.
        """
        self._chosen |= dict.fromkeys(keys, name)

    def separate(self, keys: Iterable[int]) -> None:
        """Take photographs out of their lesions."""
        self._chosen |= dict.fromkeys(keys)

    def assign(self, lesions: Mapping[str, str]) -> None:
        """Take the lesions of a table, also for photographs that are read later.

        Args:
            lesions: Lesion id by the name of a file, with or without its suffix.
        """
        self._named |= lesions

    def find(self, entry: Entry) -> str | None:
        """Return the name of the lesion of a photograph; None if it has no lesion."""
        if entry.key in self._chosen:
            return self._chosen[entry.key]
        return self._named.get(entry.name, self._named.get(PurePath(entry.name).stem))

    def find_divided(self, entries: Sequence[Entry]) -> list[str]:
        """Return the lesions whose photographs stay apart, as different models read them."""
        names = [self.find(entry) for entry in entries]
        lesions = self.group(entries)
        placed = [self.find(lesion.entries[0]) for lesion in lesions]
        return sorted({name for name in names if name is not None and placed.count(name) > 1})

    def group(self, entries: Iterable[Entry]) -> list[Lesion]:
        """Return the lesions, in the order of their first photograph."""
        groups: list[tuple[str | None, list[Entry]]] = []
        for entry in entries:
            name = self.find(entry)
            same = (
                members
                for other, members in groups
                if name is not None and other == name and members[0].card == entry.card
            )
            members = next(same, None)
            if members is None:
                groups.append((name, [entry]))
            else:
                members.append(entry)
        return [_make_lesion(name, members) for name, members in groups]


def _make_lesion(name: str | None, entries: Sequence[Entry]) -> Lesion:
    if len(entries) == 1:
        return Lesion(entries[0].name, tuple(entries), entries[0].reading)
    # Imported here, so that a page appears before NumPy is imported.
    from melanoma_core.reading.lesion import combine_readings

    readings = [entry.reading for entry in entries]
    return Lesion(name or "", tuple(entries), combine_readings(entries[0].card, readings))

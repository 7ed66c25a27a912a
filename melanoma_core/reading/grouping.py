"""Which photographs of a worklist show the same lesion, as a person or a table says."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_up
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.reading.entry import Entry

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.reading.lesion import LesionReading


@dataclass(frozen=True, eq=False)
class Lesion:
    """A lesion of the worklist with its photographs.

    Attributes:
        name: Its name; of a photograph that was not put together with others, its file name.
        entries: Its photographs, all read with one model, the most suspicious first.
        reading: The reading of all photographs. For a single one, it has the probabilities of
            that photograph.
    """

    name: str
    entries: tuple[Entry, ...]
    reading: "LesionReading"

    @property
    def key(self) -> int:
        """Key of its earliest photograph, unique in the worklist."""
        return min(entry.key for entry in self.entries)

    @property
    def keys(self) -> set[int]:
        """Keys of its photographs."""
        return {entry.key for entry in self.entries}


@dataclass(frozen=True)
class TableUse:
    """What a table of lesions says about the photographs of a worklist.

    Attributes:
        num_images: Images that the table names.
        example: One of them.
        num_matched: Photographs of the worklist that the table names.
        num_overruled: Those of them that a person has placed otherwise.
    """

    num_images: int
    example: str
    num_matched: int
    num_overruled: int


class Grouping:
    """The lesions of a worklist's photographs.

    What a person said about a photograph overrules the table. Photographs that were read with
    different models stay apart, because their probabilities cannot be averaged.
    """

    def __init__(self) -> None:
        self._chosen: dict[int, str | None] = {}  # None: by a person taken out of its lesion
        self._table: dict[str, str] = {}
        self._matched: tuple[tuple[str, ...], dict[str, str]] | None = None
        self.version = object()  # another one after each change

    def count_table(self, entries: Sequence[Entry]) -> TableUse | None:
        """Return what the table says about photographs; None without a table."""
        if not self._table:
            return None
        of_file = self._match_files(entries)
        names = self._find_names(entries)
        matched = [entry for entry in entries if entry.name in of_file]
        overruled = [entry for entry in matched if names[entry.key] != of_file[entry.name]]
        return TableUse(len(self._table), next(iter(self._table)), len(matched), len(overruled))

    def is_taken(self, entries: Sequence[Entry], keys: Collection[int], name: str) -> bool:
        """Return whether a lesion of this name would get other photographs than these.

        Args:
            entries: The photographs of the worklist.
            keys: Of those that are to have the name. If one of them has it already, it is free.
            name: Of the lesion.
        """
        names, of_file = self._find_names(entries), self._match_files(entries)
        if name in [names.get(key) for key in keys]:
            return False
        own = [of_file.get(entry.name) for entry in entries if entry.key in keys]
        # The table may name photographs that are read later.
        return name in names.values() or (name in self._table.values() and name not in own)

    def combine(self, keys: Iterable[int], name: str) -> None:
        """Put photographs together as one lesion, with those that already have this name.

        Args:
            keys: Of the entries.
            name: Of the lesion.
        """
        self._chosen |= dict.fromkeys(keys, name)
        self.version = object()

    def combine_frames(self, keys: Iterable[int], name: str) -> None:
        """Put the frames of one file together as one lesion, apart from all others.

        Args:
            keys: Of the entries.
            name: Of the file; a number follows it where a lesion has this name.
        """
        taken = {*self._chosen.values(), *self._table.values()}
        others = (f"{name} ({number})" for number in count_up(2))
        self.combine(keys, name if name not in taken else next(o for o in others if o not in taken))

    def separate(self, keys: Iterable[int]) -> None:
        """Take photographs out of their lesions."""
        self._chosen |= dict.fromkeys(keys)
        self.version = object()

    def assign(self, lesions: Mapping[str, str]) -> None:
        """Take the lesions of a table, also for photographs that are read later.

        Args:
            lesions: Lesion id by image, as `lesion_table.read_lesion_table` returns it. Images are
                matched with file names by `matching.match_files`.
        """
        self._table |= lesions
        self._matched = None
        self.version = object()

    def restore(self, other: "Grouping | None") -> None:
        """Take back the lesions of photographs that were forgotten; newer ones stay as they are."""
        if other is not None:
            self._chosen = other._chosen | self._chosen
            self._table = other._table | self._table
            self._matched = None
            self.version = object()

    def find_divided(self, entries: Sequence[Entry]) -> list[str]:
        """Return the lesions whose photographs stay apart, as different models read them."""
        names = self._find_names(entries)
        placed = [names[lesion.entries[0].key] for lesion in self.group(entries)]
        known = {name for name in names.values() if name is not None}
        return sorted(name for name in known if placed.count(name) > 1)

    def group(self, entries: Sequence[Entry]) -> list[Lesion]:
        """Return the lesions, in the order of their first photograph."""
        names = self._find_names(entries)
        groups: list[list[Entry]] = []
        for entry in entries:
            name = names[entry.key]
            same = (
                members
                for members in groups
                if name is not None
                and names[members[0].key] == name
                and members[0].card == entry.card
            )
            members = next(same, None)
            if members is None:
                groups.append([entry])
            else:
                members.append(entry)
        return [_make_lesion(names[members[0].key], members) for members in groups]

    def _find_names(self, entries: Sequence[Entry]) -> dict[int, str | None]:
        """Return the name of the lesion of each photograph by key; None if it has no lesion."""
        of_file = self._match_files(entries)
        found = {entry.key: of_file.get(entry.name) for entry in entries}
        return found | {key: name for key, name in self._chosen.items() if key in found}

    def _match_files(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Return the lesion of each file that the table names, computed once for these files."""
        if not self._table:
            return {}
        files = tuple(dict.fromkeys(entry.name for entry in entries))
        if self._matched is None or self._matched[0] != files:
            # Imported here, so that a page appears before pandas is imported.
            from melanoma_core.data.matching import match_files

            rows = match_files(list(self._table), [Path(file) for file in files]).rows
            lesions = list(self._table.values())
            pairs = zip(files, rows, strict=True)
            self._matched = files, {file: lesions[row] for file, row in pairs if row is not None}
        return self._matched[1]


def _make_lesion(name: str | None, entries: Sequence[Entry]) -> Lesion:
    # Imported here, so that a page appears before NumPy is imported.
    from melanoma_core.reading.lesion import combine_readings

    reading = combine_readings(entries[0].card, [entry.reading for entry in entries])
    shown = name if name is not None and len(entries) > 1 else entries[0].name
    return Lesion(shown, tuple(entries), reading)

"""What was taken out of a worklist and can still be brought back, and what was lost."""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.reading.entry import Entry, RefusedFile
from melanoma_core.reading.grouping import Grouping


class Limit(StrEnum):
    """A limit for which the server deletes photographs by itself."""

    TIME = "time"
    MEMORY = "memory"


@dataclass(frozen=True)
class Loss:
    """Photographs of a session that the server deleted by itself, for good.

    Attributes:
        count: Number of photographs and files, at least 1.
        limit: Why.
    """

    count: int
    limit: Limit


@dataclass(frozen=True, eq=False)
class Removal:
    """Photographs that were removed from a worklist, or all that were forgotten.

    Attributes:
        entries: Photographs that were read.
        refused: Files that were refused.
        grouping: The lesions that were forgotten; None if only photographs were removed.
        looked_at: Keys of the lesions that had been looked at.
        until: Until when it can be brought back, by the clock of the worklist; None for as long as
            nothing else is removed.
    """

    entries: tuple[Entry, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    grouping: Grouping | None = None
    looked_at: frozenset[int] = frozenset()
    until: float | None = None

    @property
    def count(self) -> int:
        """Number of photographs and files."""
        return len(self.entries) + len(self.refused)

    def is_over(self, now: float) -> bool:
        """Return whether it can no longer be brought back.

        Args:
            now: By the clock of the worklist.
        """
        return self.until is not None and now >= self.until

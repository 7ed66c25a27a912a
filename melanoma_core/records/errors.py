"""What can go wrong with a record; each says what was found, what is needed and what to do."""

from typing import Any

from melanoma_core.errors import RecordError
from melanoma_core.records.dates import write_moment
from melanoma_core.records.entry import Entry


class NoRecordError(RecordError):
    """There is no record at this place."""


class RecordVersionError(RecordError):
    """The record was written by another version of this software."""


class RecordReadOnlyError(RecordError):
    """The record can be read, but not written."""


class RecordBusyError(RecordError):
    """Another program has held the record for too long."""


class RecordFullError(RecordError):
    """The disk of the record is full."""


class RecordDamagedError(RecordError):
    """What the record holds is not what was written."""


class UnknownEntryError(RecordError):
    """An entry, or one that it names, is not in the record."""


class PseudonymError(RecordError):
    """Another patient has this pseudonym."""


class ForeignDrawingError(RecordError):
    """A drawn lesion was to be kept for a patient, or a photograph for an invented one."""


class EditConflict(RecordError):  # noqa: N818  # the name of what happened, as pages show it
    """Another person has written the next version of an entry first.

    Attributes:
        current: The version that came first, with who wrote it and when.
        refused: The value that the second person entered, which was not written.
    """

    def __init__(self, current: Entry[Any], refused: object) -> None:
        self.current = current
        self.refused = refused
        kind = type(current.value).__name__.lower()
        done = "withdrew" if current.withdrawn else "changed"
        super().__init__(
            f"{current.by} {done} this {kind} on {write_moment(current.at)} UTC, while you "
            "edited it. Your entries were not written and are still here. Compare them with what "
            "is there now, then save again."
        )

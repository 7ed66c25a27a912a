"""The lesion that is open: what every view of the page shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.shared.record import may_write

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.case import LesionCase
    from melanoma_core.records.steps import AtVisit
    from melanoma_core.records.store import Record


@dataclass(frozen=True)
class OpenedLesion:
    """The lesion that is open.

    Attributes:
        record: The record.
        case: Everything of the lesion.
        at_visit: What there is of it at its current visit; None if it was never photographed.
    """

    record: "Record"
    case: "LesionCase"
    at_visit: "AtVisit | None"

    @property
    def id(self) -> str:
        """Id of the lesion."""
        return self.case.lesion.id

    @property
    def can_write(self) -> bool:
        """Whether entries of the lesion can be written, by the person who uses the page."""
        return may_write(self.record)

    @property
    def hides_ai(self) -> bool:
        """Whether nothing of an AI reading may be shown: the doctor reads first."""
        return self.at_visit is not None and self.at_visit.hides_ai

    def name_form(self, name: str) -> str:
        """Return the name of a form of this lesion, unique in the dashboard."""
        return f"lesion-{self.id}-{name}"

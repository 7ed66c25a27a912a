"""Melanomas that were missed, one by one: who said what, and how it became known."""

from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import Judge


@dataclass(frozen=True)
class MissedMelanoma:
    """A melanoma that the first read, the network or the decision missed.

    Attributes:
        case: The lesion.
        missed_by: Who or what missed it.
        days: Days from the visit to the specimen; None if it is not known.
        sentences: What each said, and how it became known, one sentence each.
    """

    case: AuditCase
    missed_by: tuple[Judge, ...]
    days: int | None
    sentences: tuple[str, ...]


def list_missed(cases: Sequence[AuditCase]) -> tuple[MissedMelanoma, ...]:
    """Return the missed melanomas: those of the decision first, then the latest visit first."""
    raise NotImplementedError

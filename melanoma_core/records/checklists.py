"""The scores of two checklists of dermoscopy: seven points, and ABCD."""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.records.loop import AbcdRule, SevenPointChecklist


@dataclass(frozen=True)
class SevenPointScore:
    """The score of a seven-point checklist, 0 to 10, and whether it is suspicious (3 or more)."""

    points: int
    is_suspicious: bool


class AbcdBand(StrEnum):
    """What a total dermoscopy score means."""

    BENIGN = "benign"
    SUSPICIOUS = "suspicious"
    MELANOMA = "melanoma"


@dataclass(frozen=True)
class AbcdScore:
    """The total dermoscopy score (TDS), 1.0 to 8.9, and what it means."""

    total: float
    band: AbcdBand


def score_seven_points(checklist: SevenPointChecklist) -> SevenPointScore:
    """Return the score of a seven-point checklist."""
    raise NotImplementedError


def score_abcd(rule: AbcdRule) -> AbcdScore:
    """Return the total dermoscopy score of an ABCD rule."""
    raise NotImplementedError

"""The scores of two checklists of dermoscopy: seven points, and ABCD.

Both were made for melanocytic lesions. They say nothing of other lesions.
"""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.records.loop import AbcdRule, SevenPointChecklist

SEVEN_POINT_THRESHOLD = 3
"""Points from which a melanocytic lesion is suspicious (Argenziano et al. 1998)."""


@dataclass(frozen=True)
class SevenPointScore:
    """The score of a seven-point checklist, 0 to 10, and whether it is suspicious (3 or more)."""

    points: int
    is_suspicious: bool


class AbcdBand(StrEnum):
    """What a total dermoscopy score means (Stolz et al. 1994)."""

    BENIGN = "benign"
    SUSPICIOUS = "suspicious"
    MELANOMA = "highly suspicious of melanoma"


@dataclass(frozen=True)
class AbcdScore:
    """The total dermoscopy score (TDS), 1.0 to 8.9, and what it means."""

    total: float
    band: AbcdBand


def score_seven_points(checklist: SevenPointChecklist) -> SevenPointScore:
    """Return the score of a seven-point checklist.

    Each major criterion counts 2 points and each minor one 1; 3 or more are suspicious
    (Argenziano et al. 1998, Archives of Dermatology 134:1563, doi:10.1001/archderm.134.12.1563).

    Args:
        checklist: Which criteria are present.

    >>> from dataclasses import fields
    >>> names = [field.name for field in fields(SevenPointChecklist)]
    >>> score_seven_points(SevenPointChecklist(**dict.fromkeys(names, True)))
    SevenPointScore(points=10, is_suspicious=True)
    """
    major = (checklist.atypical_network, checklist.blue_white_veil, checklist.atypical_vessels)
    minor = (
        checklist.irregular_streaks,
        checklist.irregular_dots,
        checklist.irregular_blotches,
        checklist.regression,
    )
    points = 2 * sum(major) + sum(minor)
    return SevenPointScore(points, points >= SEVEN_POINT_THRESHOLD)


def score_abcd(rule: AbcdRule) -> AbcdScore:
    """Return the total dermoscopy score of an ABCD rule.

    TDS = 1.3 × asymmetry + 0.1 × border + 0.5 × colours + 0.5 × structures. Below 4.75 the lesion
    is taken for benign, from 4.75 to 5.45 it is suspicious, above 5.45 highly suspicious (Stolz et
    al. 1994, European Journal of Dermatology 4:521; Nachbar et al. 1994, doi:10.1016/
    S0190-9622(94)70061-3).

    Args:
        rule: The four counts.

    >>> score_abcd(AbcdRule(asymmetry=2, border=4, colours=3, structures=3)).total
    6.0
    """
    # In tenths, because 4.75 and 5.45 lie between two of them: no rounding moves a lesion.
    tenths = 13 * rule.asymmetry + rule.border + 5 * (rule.colours + rule.structures)
    if tenths < 47.5:
        band = AbcdBand.BENIGN
    else:
        band = AbcdBand.SUSPICIOUS if tenths <= 54.5 else AbcdBand.MELANOMA
    return AbcdScore(tenths / 10, band)

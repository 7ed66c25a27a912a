"""Which rows of the list are shown: by a text, and by what was found or looked at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.reading.grouping import Lesion
from melanoma_core.taxonomy import RiskTier


class RowFilter(StrEnum):
    """What a row must be to be shown, as displayed."""

    ALL = "All"
    ALERT = "Alert"
    MALIGNANT = "Malignant"
    NOT_LOOKED_AT = "Not looked at"


@dataclass(frozen=True)
class FilteredList:
    """The rows that are shown, and how many are not.

    Attributes:
        lesions: The rows that are shown, in the order of the list.
        num_hidden: Number of rows that are not shown.
        num_hidden_alerts: Number of those with an alert.
    """

    lesions: tuple[Lesion, ...]
    num_hidden: int
    num_hidden_alerts: int


def filter_lesions(
    lesions: Sequence[Lesion],
    text: str = "",
    row_filter: RowFilter = RowFilter.ALL,
    looked_at: Collection[int] = (),
) -> FilteredList:
    """Choose the rows of the list that are shown.

    Args:
        lesions: All rows.
        text: Words, each of which the name, a file, the leading diagnosis or its risk tier has;
            case does not matter.
        row_filter: What a row must be.
        looked_at: Keys of the lesions that were looked at.

    Returns:
        The rows. What is hidden is counted, so that no alert is overlooked.
    """
    shown = tuple(
        lesion
        for lesion in lesions
        if _passes(lesion, row_filter, looked_at) and _contains(lesion, text)
    )
    hidden_alerts = sum(_has_alert(lesion) for lesion in lesions if lesion not in shown)
    return FilteredList(shown, len(lesions) - len(shown), hidden_alerts)


def find_step(
    lesions: Sequence[Lesion], shown: Sequence[Lesion], opened: int, step: int
) -> Lesion | None:
    """Return the row that comes after or before the opened one among those that are shown.

    Args:
        lesions: All rows.
        shown: Those that are shown, in the same order; the opened one need not be among them.
        opened: Position of the opened row in `lesions`.
        step: 1 for the next row, -1 for the previous one.

    Returns:
        None at the end of the list.
    """
    following = lesions[opened + 1 :] if step > 0 else lesions[:opened][::-1]
    return next((lesion for lesion in following if lesion in shown), None)


def _has_alert(lesion: Lesion) -> bool:
    return lesion.reading.alert or bool(lesion.reading.skin_cancer_alert)


def _passes(lesion: Lesion, row_filter: RowFilter, looked_at: Collection[int]) -> bool:
    match row_filter:
        case RowFilter.ALERT:
            return _has_alert(lesion)
        case RowFilter.MALIGNANT:
            return lesion.reading.risk_tier is RiskTier.MALIGNANT
        case RowFilter.NOT_LOOKED_AT:
            return lesion.key not in looked_at
        case _:
            return True


def _contains(lesion: Lesion, text: str) -> bool:
    top, tier = lesion.reading.top_diagnosis, lesion.reading.risk_tier
    files = [entry.name for entry in lesion.entries]
    searched = " ".join([lesion.name, *files, str(top), top.title, str(tier)]).casefold()
    return all(word in searched for word in text.casefold().split())

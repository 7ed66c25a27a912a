"""The same figures for the young and the old, for each site and each source."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.discrimination import measure_roc_auc
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import Draws, measure_shares

# The rule of three (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?",
# 1983): where all of 30 melanomas were found, up to 3 / 30, one in ten, may still be missed.
FEWEST_LESIONS = 30
UNKNOWN = "not recorded"
ATTRIBUTES = ("age", "sex", "site", "source")
_AGES = {"under 30": 0, "30 to 44": 30, "45 to 59": 45, "60 to 74": 60, "75 and over": 75}


@dataclass(frozen=True)
class Slice:
    """The images that have something in common.

    Attributes:
        attribute: One of `ATTRIBUTES`.
        value: What they share; "not recorded" where nobody knows.
        num_images: How many.
        num_melanomas: Lesions among them that are melanomas.
        num_others: Lesions that are not.
        figures: "accuracy", "sensitivity", "specificity" and "melanoma_roc_auc".
        warning: Why it says little; empty where it does not.
    """

    attribute: str
    value: str
    num_images: int
    num_melanomas: int
    num_others: int
    figures: dict[str, Figure]
    warning: str


def measure_slices(
    draws: Draws,
    attributes: pd.DataFrame,
    is_right: NDArray[np.bool_],
    alert: NDArray[np.bool_],
    melanoma_probability: NDArray[np.float64],
    is_melanoma: NDArray[np.bool_],
) -> tuple[Slice, ...]:
    """Measure every slice.

    Args:
        draws: The resamples.
        attributes: N rows, with any of the columns `ATTRIBUTES`; age in years.
        is_right: bool [N], whether the class put first is the true one.
        alert: bool [N].
        melanoma_probability: float64 [N].
        is_melanoma: bool [N].

    Returns:
        By attribute and value; none of an attribute that no image has.
    """
    slices = _list_slices(attributes)
    shares: dict[str, Any] = {}
    for place, (_, _, among) in enumerate(slices):
        shares[f"accuracy {place}"] = is_right, among
        shares[f"sensitivity {place}"] = alert, among & is_melanoma
        shares[f"specificity {place}"] = ~alert, among & ~is_melanoma
    figures = measure_shares(draws, shares)
    result = []
    for place, (attribute, value, among) in enumerate(slices):
        part = draws.take(among)
        roc_auc = measure_roc_auc(part, melanoma_probability[among], is_melanoma[among])
        names = ("accuracy", "sensitivity", "specificity")
        measured = {name: figures[f"{name} {place}"] for name in names}
        num_melanomas = measured["sensitivity"].num_lesions
        num_others = measured["specificity"].num_lesions
        result.append(
            Slice(
                attribute,
                value,
                int(among.sum()),
                num_melanomas,
                num_others,
                measured | {"melanoma_roc_auc": roc_auc},
                warn_if_small(num_melanomas, num_others),
            )
        )
    return tuple(result)


def warn_if_small(num_melanomas: int, num_others: int) -> str:
    """Say what so few lesions cannot show; empty where both kinds have `FEWEST_LESIONS`."""
    small = [
        f"{count} {kind if count != 1 else kind.removesuffix('s')}"
        for count, kind in ((num_melanomas, "melanomas"), (num_others, "other lesions"))
        if count < FEWEST_LESIONS
    ]
    if not small:
        return ""
    return f"Too small to say: {' and '.join(small)}"


def _list_slices(attributes: pd.DataFrame) -> list[tuple[str, str, NDArray[np.bool_]]]:
    slices = []
    for attribute in ATTRIBUTES:
        if attribute not in attributes or attributes[attribute].isna().all():
            continue
        column = attributes[attribute]
        names = _name_ages(column) if attribute == "age" else column.astype(object)
        names = names.where(column.notna(), UNKNOWN).astype(str)
        known = _AGES if attribute == "age" else sorted(set(names) - {UNKNOWN})
        slices += [
            (attribute, value, (names == value).to_numpy())
            for value in (*known, UNKNOWN)
            if (names == value).any()
        ]
    return slices


def _name_ages(ages: pd.Series) -> pd.Series:
    years = ages.astype(np.float64)
    places = np.searchsorted(list(_AGES.values()), years.to_numpy(), side="right") - 1
    return pd.Series([list(_AGES)[max(0, place)] for place in places], ages.index, dtype=object)

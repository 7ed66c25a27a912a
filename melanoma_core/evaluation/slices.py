"""Metrics of subgroups: by age, sex, body site and source."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.discrimination import measure_roc_auc
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import Resamples, measure_shares
from melanoma_core.evaluation.rules import DecisionRules

# The rule of three (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?",
# 1983): if all of 30 melanomas were found, up to 3 / 30, one in ten, may still be missed.
FEWEST_LESIONS = 30
UNKNOWN = "not recorded"
ATTRIBUTES = ("age", "sex", "site", "source")
_AGES = {"under 30": 0, "30 to 44": 30, "45 to 59": 45, "60 to 74": 60, "75 and over": 75}


@dataclass(frozen=True)
class Slice:
    """The images with the same value of an attribute.

    Attributes:
        attribute: One of `ATTRIBUTES`.
        value: The value; "not recorded" if it is missing.
        num_images: Number of images.
        num_melanomas: Number of lesions that are melanomas.
        num_others: Number of other lesions.
        figures: "accuracy", "sensitivity", "specificity" and "melanoma_roc_auc".
        warning: Why the slice is too small; empty if it is not.
    """

    attribute: str
    value: str
    num_images: int
    num_melanomas: int
    num_others: int
    figures: dict[str, Figure]
    warning: str


def measure_slices(
    resamples: Resamples, predictions: LabelledPredictions, rules: DecisionRules
) -> tuple[Slice, ...]:
    """Compute the metrics of every slice.

    Args:
        resamples: Of the N images.
        predictions: For these images; age in years.
        rules: Of the model.

    Returns:
        The slices by attribute and value. An attribute that no image has gives no slice.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> predictions = LabelledPredictions(
        ...     np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]]),
        ...     np.array([0, 1, 1]),
        ...     np.arange(3),
        ...     pd.DataFrame({"sex": ["male", "male", "female"]}),
        ... )
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> slices = measure_slices(resample_lesions(np.arange(3)), predictions, rules)
        >>> [(each.value, each.num_images, each.figures["accuracy"].value) for each in slices]
        [('female', 1, 1.0), ('male', 2, 1.0)]
    """
    if predictions.attributes is None:
        return ()
    slices = _list_slices(predictions.attributes)
    is_melanoma = predictions.labels == rules.melanoma_index
    probability = predictions.probabilities[:, rules.melanoma_index]
    is_right, alert = predictions.predicted == predictions.labels, predictions.alerts(rules)
    shares: dict[str, Any] = {}
    for place, (_, _, among) in enumerate(slices):
        shares[f"accuracy {place}"] = is_right, among
        shares[f"sensitivity {place}"] = alert, among & is_melanoma
        shares[f"specificity {place}"] = ~alert, among & ~is_melanoma
    figures = measure_shares(resamples, shares)
    result = []
    for place, (attribute, value, among) in enumerate(slices):
        part = resamples.select(among)
        roc_auc = measure_roc_auc(part, probability[among], is_melanoma[among])
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
                _warn_if_small(num_melanomas, num_others),
            )
        )
    return tuple(result)


def _warn_if_small(num_melanomas: int, num_others: int) -> str:
    """Return a warning if there are fewer than `FEWEST_LESIONS` of either kind, else ""."""
    small = [
        f"{count} {kind if count != 1 else kind.removesuffix('s')}"
        for count, kind in ((num_melanomas, "melanomas"), (num_others, "other lesions"))
        if count < FEWEST_LESIONS
    ]
    return f"Too few lesions: {' and '.join(small)}" if small else ""


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

"""Metrics of subgroups: by age, sex, body site, source, confirmation and skin tone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.skin_tone import name_skin_tone
from melanoma_core.evaluation.discrimination import measure_roc_auc
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import Resamples, measure_shares
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.taxonomy import Confirmation

# The rule of three (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?",
# 1983): if all of 30 melanomas were found, up to 3 / 30, one in ten, may still be missed.
FEWEST_LESIONS = 30
_PLURALS = {"lesion without skin cancer": "lesions without skin cancer"}
UNKNOWN = "not recorded"
ATTRIBUTES = ("age", "sex", "site", "source", "confirmation", "skin_tone")
_AGES = {"under 30": 0, "30 to 44": 30, "45 to 59": 45, "60 to 74": 60, "75 and over": 75}
_ANGLES = (90.0, 50.0, 35.0, 20.0, 0.0, -90.0)  # degrees, one in each class of skin tone
# Of attributes whose values have an order that is not alphabetic.
_ORDERS = {
    "age": tuple(_AGES),
    "confirmation": tuple(map(str, Confirmation)),
    "skin_tone": (
        *(name_skin_tone(number, None) for number in ("I", "II", "III", "IV", "V", "VI")),
        *(name_skin_tone(None, angle) for angle in _ANGLES),
    ),
}


@dataclass(frozen=True)
class Slice:
    """The images with the same value of an attribute.

    Attributes:
        attribute: One of `ATTRIBUTES`.
        value: The value; "not recorded" if it is missing.
        num_images: Number of images.
        num_melanomas: Number of lesions that are melanomas.
        num_others: Number of lesions that are known not to be melanomas.
        figures: "accuracy", "sensitivity", "specificity" and "melanoma_roc_auc"; if the model
            knows other skin cancers, "skin_cancer_roc_auc"; with a threshold for them also
            "skin_cancer_sensitivity" and "skin_cancer_specificity".
        warning: Why the slice is too small; empty if it is not.
        num_skin_cancers: Number of lesions that are skin cancers; 0 if it was not counted.
    """

    attribute: str
    value: str
    num_images: int
    num_melanomas: int
    num_others: int
    figures: dict[str, Figure]
    warning: str
    num_skin_cancers: int = 0


def gather_attributes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the attributes of the images of a table, for `LabelledPredictions`.

    Args:
        table: N rows with any of age, sex, site, source, confirmation, fitzpatrick and ita.

    Returns:
        N rows with `ATTRIBUTES`, index 0…N-1. `skin_tone` is the skin type where the table has it,
        else the class of the angle, which its name calls an estimate.

    Example:
        >>> table = pd.DataFrame({"fitzpatrick": ["II", None], "ita": [50.0, 50.0]})
        >>> gather_attributes(table)["skin_tone"].tolist()
        ['Fitzpatrick II', 'light (estimate)']
    """
    known = table.reindex(columns=[*ATTRIBUTES, "fitzpatrick", "ita"]).reset_index(drop=True)
    pairs = zip(known["fitzpatrick"], known["ita"].astype(float), strict=True)
    tones = pd.Series([name_skin_tone(*pair) for pair in pairs], known.index, dtype=object)
    return known.assign(skin_tone=tones)[list(ATTRIBUTES)]


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
    is_known = predictions.is_known(rules.class_names[rules.melanoma_index])
    is_other = is_known & ~is_melanoma
    is_cancer, suspected = predictions.is_skin_cancer(rules), predictions.skin_cancer_alerts(rules)
    events = {
        "accuracy": (is_right, predictions.is_classified),
        "sensitivity": (alert, is_melanoma),
        "specificity": (~alert, is_other),
    }
    if suspected is not None:
        events["skin_cancer_sensitivity"] = suspected, is_cancer
        events["skin_cancer_specificity"] = ~suspected, ~is_cancer
    shares = {
        f"{name} {place}": (event, among & members)
        for place, (_, _, among) in enumerate(slices)
        for name, (event, members) in events.items()
    }
    figures = measure_shares(resamples, shares)
    scores = {"melanoma_roc_auc": (probability, is_melanoma, is_known)}
    if rules.knows_other_skin_cancers:
        every_image = np.ones(len(alert), dtype=bool)
        score = predictions.skin_cancer_probability(rules)
        scores["skin_cancer_roc_auc"] = score, is_cancer, every_image
    result = []
    for place, (attribute, value, among) in enumerate(slices):
        part = resamples.select(among)
        areas = {
            name: measure_roc_auc(
                part if is_asked[among].all() else part.select(is_asked[among]),
                score[among & is_asked],
                is_positive[among & is_asked],
            )
            for name, (score, is_positive, is_asked) in scores.items()
        }
        measured = {name: figures[f"{name} {place}"] for name in events}
        counts = {
            "melanoma": resamples.count_lesions(among & is_melanoma),
            "other lesion": resamples.count_lesions(among & is_other),
        }
        num_skin_cancers = resamples.count_lesions(among & is_cancer)
        if rules.knows_other_skin_cancers:
            counts["skin cancer"] = num_skin_cancers
            counts["lesion without skin cancer"] = resamples.count_lesions(among & ~is_cancer)
        result.append(
            Slice(
                attribute,
                value,
                int(among.sum()),
                counts["melanoma"],
                counts["other lesion"],
                measured | areas,
                _warn_if_small(counts),
                num_skin_cancers,
            )
        )
    return tuple(result)


def _warn_if_small(counts: Mapping[str, int]) -> str:
    """Return a warning if there are fewer than `FEWEST_LESIONS` of a kind, else ""."""
    small = [
        f"{count} {kind}" if count == 1 else f"{count} {_PLURALS.get(kind, f'{kind}s')}"
        for kind, count in counts.items()
        if count < FEWEST_LESIONS
    ]
    *others, last = small or [""]
    listed = " and ".join(filter(None, (", ".join(others), last)))
    return f"Too few lesions: {listed}" if small else ""


def _list_slices(attributes: pd.DataFrame) -> list[tuple[str, str, NDArray[np.bool_]]]:
    slices = []
    for attribute in ATTRIBUTES:
        if attribute not in attributes or attributes[attribute].isna().all():
            continue
        column = attributes[attribute]
        names = _name_ages(column) if attribute == "age" else column.astype(object)
        names = names.where(column.notna(), UNKNOWN).astype(str)
        known = _ORDERS.get(attribute) or sorted(set(names) - {UNKNOWN})
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

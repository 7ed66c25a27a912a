"""The headline metrics as tiles: a label, a value, its interval and what it was measured on.

Every function returns plain text. The caller escapes it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card_text.formats import (
    UNDEFINED,
    format_interval,
    format_number,
    format_percent,
)

_HEADLINES = {
    "melanoma_roc_auc": "Melanoma ROC AUC",
    "sensitivity": "Melanoma alert: sensitivity",
    "specificity": "Melanoma alert: specificity",
    "balanced_accuracy": "Balanced accuracy",
    "skin_cancer_roc_auc": "Skin cancer ROC AUC",
    "skin_cancer_sensitivity": "Skin cancer alert: sensitivity",
    "skin_cancer_specificity": "Skin cancer alert: specificity",
    "calibration_error": "Calibration error (ECE)",
}


@dataclass(frozen=True)
class Tile:
    """A headline metric in words.

    Attributes:
        label: What it is.
        value: The metric, as a percentage or, if it is an area, as a number.
        interval: Its 95% confidence interval; empty where the metric is undefined.
        basis: Numbers of photographs and lesions.
    """

    label: str
    value: str
    interval: str
    basis: str


def list_tiles(figures: Mapping[str, Figure]) -> list[Tile]:
    """Return the headline metrics of one subset that it has, those of melanoma first.

    Args:
        figures: Of one subset, by name, as in `ModelCard.metrics`.

    >>> list_tiles({"sensitivity": Figure(0.9, 0.8, 0.95, 90, 100, 80)})[0].basis
    '90 of 100 photographs, 80 lesions'
    """
    return [
        _describe(label, "roc_auc" in name, figures[name])
        for name, label in _HEADLINES.items()
        if name in figures
    ]


def _describe(label: str, is_area: bool, figure: Figure) -> Tile:
    counted = "" if figure.count is None else f"{figure.count:,} of "
    basis = f"{counted}{figure.total:,} photographs, {figure.num_lesions:,} lesions"
    if math.isnan(figure.value):
        return Tile(label, UNDEFINED, "", basis)
    if not is_area:
        return Tile(label, format_percent(figure.value), format_interval(figure), basis)
    interval = f"95% CI {format_number(figure.low)}–{format_number(figure.high)}"
    if math.isnan(figure.low):
        interval = f"95% CI {UNDEFINED}"
    return Tile(label, format_number(figure.value), interval, basis)

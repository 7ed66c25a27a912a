"""Where a model is no better than chance, in words. Every function returns plain text."""

import math
from collections.abc import Mapping

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card_text.formats import format_percent, format_value
from melanoma_core.models.card_text.prevalence import MELANOMA, SKIN_CANCER, AlertKind

_CHANCE = 0.5  # the ROC AUC of a random ranking


def describe_chance(figures: Mapping[str, Figure]) -> list[str]:
    """Return where metrics are worse than chance, or not shown to be better, a sentence each.

    A ROC AUC of 0.5 is that of a random ranking. An alert as frequent in other lesions as in those
    that it looks for carries no information (Youden, "Index for rating diagnostic tests", 1950).

    Args:
        figures: Of one subset, by name, as in `ModelCard.metrics`.

    >>> describe_chance({"melanoma_roc_auc": Figure(0.41, 0.35, 0.47, None, 100, 90)})[0][:55]
    'Worse than chance: melanomas are ranked below other les'
    >>> describe_chance({"melanoma_roc_auc": Figure(0.81, 0.75, 0.87, None, 100, 90)})
    []
    """
    found = [_describe_area(figures, MELANOMA, "melanoma_roc_auc")]
    found += [_describe_alert(figures, MELANOMA)]
    found += [_describe_area(figures, SKIN_CANCER, "skin_cancer_roc_auc")]
    found += [_describe_alert(figures, SKIN_CANCER)]
    return [each for each in found if each]


def _describe_area(figures: Mapping[str, Figure], kind: AlertKind, name: str) -> str:
    area = figures.get(name)
    if area is None or math.isnan(area.value) or area.low > _CHANCE:
        return ""
    value = f"ROC AUC {format_value(area.value, area.low, area.high)}; chance is {_CHANCE}"
    if area.high < _CHANCE:
        return f"Worse than chance: {kind.title}s are ranked below other lesions ({value})."
    return f"Not shown to be better than chance at ranking {kind.title}s ({value})."


def _describe_alert(figures: Mapping[str, Figure], kind: AlertKind) -> str:
    sensitivity = figures.get(f"{kind.prefix}sensitivity")
    specificity = figures.get(f"{kind.prefix}specificity")
    if sensitivity is None or specificity is None:
        return ""
    if math.isnan(sensitivity.value) or math.isnan(specificity.value):
        return ""
    false_alerts = 1 - specificity.value
    if sensitivity.value > false_alerts:
        return ""
    return (
        f"The {kind.name} is no better than chance: {format_percent(sensitivity.value)} of "
        f"{kind.title}s get one, and {format_percent(false_alerts)} of other lesions."
    )

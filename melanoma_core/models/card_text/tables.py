"""A model card as tables: rows of plain values, for a page or a spreadsheet.

What the card lacks makes no row.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_figure, format_size
from melanoma_core.models.card_text.wording import (
    describe_model,
    name_class,
    name_figure,
    name_subset,
)

if TYPE_CHECKING:  # so that a page appears before pandas is imported
    from melanoma_core.evaluation.evaluation import Evaluation

Row = dict[str, Any]
_BY_LESION = "lesion_"  # metrics whose total counts lesions
_SUBSETS = ("train", "validation", "test")
_MAIN_FIGURES = (
    "melanoma_roc_auc",
    "sensitivity",
    "specificity",
    "skin_cancer_roc_auc",
    "skin_cancer_sensitivity",
    "skin_cancer_specificity",
    "lesion_melanoma_roc_auc",
    "lesion_skin_cancer_roc_auc",
    "lesion_alerts_differ",
    "balanced_accuracy",
    "balanced_accuracy_even",
    "balanced_accuracy_seven",
    "calibration_error",
)


def tabulate_figures(card: ModelCard, subset: str) -> list[Row]:
    """Return the metrics of a subset with their 95% confidence intervals.

    All values are percentages; NaN where undefined.
    """
    return [
        {
            "Metric": name_figure(name),
            "Value": 100 * figure.value,
            "95% CI from": 100 * figure.low,
            "95% CI to": 100 * figure.high,
            "Count": "–" if figure.count is None else f"{figure.count:,}",
            "Photographs": None if name.startswith(_BY_LESION) else figure.total,
            "Lesions": figure.num_lesions,
        }
        for name, figure in card.metrics[subset].items()
    ]


def tabulate_sizes(card: ModelCard) -> list[Row]:
    """Return the number of photographs and lesions per subset."""
    counts = {
        unit.capitalize(): card.data[unit] for unit in ("images", "lesions") if unit in card.data
    }
    return _cross(counts, "Count of")


def tabulate_labels(card: ModelCard) -> list[Row]:
    """Return the number of photographs per diagnosis and subset."""
    by_label: dict[str, Row] = {}
    for subset, counts in card.data.get("images_by_label", {}).items():
        for label, count in counts.items():
            by_label.setdefault(name_class(label), {})[subset] = count
    return _cross(by_label, "Diagnosis")


def tabulate_sources(card: ModelCard) -> list[Row]:
    """Return the number of photographs per collection and subset."""
    return _tabulate_counts(card.data.get("images_by_source", {}), "Collection")


def tabulate_confirmations(card: ModelCard) -> list[Row]:
    """Return the number of photographs per confirmation and subset."""
    return _tabulate_counts(card.data.get("images_by_confirmation", {}), "Confirmed by")


def tabulate_skin_tones(card: ModelCard) -> list[Row]:
    """Return the number of photographs per tone of skin and subset."""
    return _tabulate_counts(card.data.get("images_by_skin_tone", {}), "Skin tone")


def _tabulate_counts(by_subset: Mapping[str, Mapping[str, int]], heading: str) -> list[Row]:
    rows: dict[str, Row] = {}
    for subset, counts in by_subset.items():
        for value, count in counts.items():
            rows.setdefault(value, {})[subset] = count
    return _cross(rows, heading)


def tabulate_confirmed(evaluation: "Evaluation") -> list[Row]:
    """Return how often each alert is right, by diagnosis and confirmation.

    For melanomas, that is the sensitivity of the melanoma alert; for other diagnoses, its
    specificity. The same holds for skin cancers and the skin cancer alert.
    """
    has_second = any(each.skin_cancer_alert for each in evaluation.confirmed)
    return [
        {
            "Diagnosis": name_class(each.diagnosis),
            "Confirmed by": each.confirmation,
            "Melanoma alert right": format_figure("", each.melanoma_alert),
        }
        | (
            {"Skin cancer alert right": format_figure("", each.skin_cancer_alert)}
            if has_second
            else {}
        )
        for each in evaluation.confirmed
    ]


def tabulate_decisions(card: ModelCard) -> list[Row]:
    """Return the number of files that were relabelled or left out, by reason."""
    decisions = card.data.get("file_decisions", {})
    return [{"Decision": reason, "Files": count} for reason, count in decisions.items()]


def tabulate_recipe(card: ModelCard) -> list[Row]:
    """Return the training recipe, one row per setting."""
    return [
        {"Setting": name.replace("_", " "), "Value": str(value)}
        for name, value in _flatten(card.recipe).items()
    ]


def tabulate_versions(card: ModelCard) -> list[Row]:
    """Return the library versions that the model was made with."""
    return [{"Library": name, "Version": version} for name, version in card.versions.items()]


def write_figures(card: ModelCard) -> str:
    """Return the main metrics of every subset as a Markdown table, which README shows too."""
    if not card.metrics:
        return describe_model(card)
    head = ["Metric (95% CI)", *map(name_subset, card.metrics)]
    rows = [
        [name_figure(name), *(format_figure(name, each[name]) for each in card.metrics.values())]
        for name in _MAIN_FIGURES
        if all(name in each for each in card.metrics.values())
    ]
    sizes = [format_size(figures.get("accuracy")) for figures in card.metrics.values()]
    lines = [head, ["---"] * len(head), *rows, ["Photographs", *sizes]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cross(counts: dict[str, Row], head: str) -> list[Row]:
    return [
        {head: name} | {subset: by_subset.get(subset, 0) for subset in _SUBSETS}
        for name, by_subset in counts.items()
    ]


def _flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name} ")
        else:
            flat[f"{prefix}{name}"] = value
    return flat

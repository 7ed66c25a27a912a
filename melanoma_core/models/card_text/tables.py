"""A model card as tables: rows of plain values, for a page or a spreadsheet.

The data and recipe of a card are what its maker wrote there: what it lacks makes no row.
"""

from typing import Any

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.models.card_text.wording import describe_model, name_figure, name_subset
from melanoma_core.taxonomy import parse_diagnosis

Row = dict[str, Any]
_SUBSETS = ("train", "validation", "test")
_MAIN_FIGURES = (
    "melanoma_roc_auc",
    "sensitivity",
    "specificity",
    "balanced_accuracy",
    "balanced_accuracy_even",
    "balanced_accuracy_seven",
    "calibration_error",
)


def tabulate_figures(card: ModelCard, subset: str) -> list[Row]:
    """Return the figures of a subset with their 95% intervals, all in percent; NaN if undefined."""
    return [
        {
            "Figure": name_figure(name),
            "Value": 100 * figure.value,
            "95% from": 100 * figure.low,
            "95% to": 100 * figure.high,
            "Count": "–" if figure.count is None else f"{figure.count:,}",
            "Photographs": figure.total,
            "Lesions": figure.num_lesions,
        }
        for name, figure in card.metrics[subset].items()
    ]


def tabulate_sizes(card: ModelCard) -> list[Row]:
    """Return how many photographs and lesions each subset held."""
    counts = {
        unit.capitalize(): card.data[unit] for unit in ("images", "lesions") if unit in card.data
    }
    return _cross(counts, "Held")


def tabulate_labels(card: ModelCard) -> list[Row]:
    """Return how many photographs of each diagnosis each subset held."""
    by_label: dict[str, Row] = {}
    for subset, counts in card.data.get("images_by_label", {}).items():
        for label, count in counts.items():
            by_label.setdefault(_name_label(label), {})[subset] = count
    return _cross(by_label, "Diagnosis")


def tabulate_sources(card: ModelCard) -> list[Row]:
    """Return how many photographs of each collection each subset held."""
    by_source: dict[str, Row] = {}
    for subset, counts in card.data.get("images_by_source", {}).items():
        for source, count in counts.items():
            by_source.setdefault(source, {})[subset] = count
    return _cross(by_source, "Collection")


def tabulate_decisions(card: ModelCard) -> list[Row]:
    """Return what was decided on files whose label was missing or contradicted, and how often."""
    decisions = card.data.get("file_decisions", {})
    return [{"Decision": reason, "Files": count} for reason, count in decisions.items()]


def tabulate_recipe(card: ModelCard) -> list[Row]:
    """Return the training recipe, one row per setting."""
    return [
        {"Setting": name.replace("_", " "), "Value": str(value)}
        for name, value in _flatten(card.recipe).items()
    ]


def tabulate_versions(card: ModelCard) -> list[Row]:
    """Return the libraries that made the model."""
    return [{"Library": name, "Version": version} for name, version in card.versions.items()]


def _cross(counts: dict[str, Row], head: str) -> list[Row]:
    return [
        {head: name} | {subset: by_subset.get(subset, 0) for subset in _SUBSETS}
        for name, by_subset in counts.items()
    ]


def _name_label(label: str) -> str:
    diagnosis = parse_diagnosis(label)
    return diagnosis.title if diagnosis else label


def _flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name} ")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def write_figures(card: ModelCard) -> str:
    """Return the main figures of every subset as a Markdown table, as README shows it."""
    if not card.metrics:
        return describe_model(card)
    head = ["on lesions it had never seen", *map(name_subset, card.metrics)]
    rows = [
        [name_figure(name), *(format_figure(name, each[name]) for each in card.metrics.values())]
        for name in _MAIN_FIGURES
        if all(name in each for each in card.metrics.values())
    ]
    sizes = [figures["accuracy"] for figures in card.metrics.values()]
    counts = [f"{size.total:,} of {size.num_lesions:,} lesions" for size in sizes]
    lines = [head, ["---"] * len(head), *rows, ["Photographs", *counts]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""Compare runs: their recipes, and their predictions for the same images."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import pandas as pd

from melanoma_core.errors import ModelError, RunError
from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.evaluation.metrics import compare
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.card import load_card
from melanoma_core.models.predictions import (
    get_probabilities,
    index_labels,
    index_truths,
    list_classes,
)
from melanoma_core.models.registry import find_model
from melanoma_core.runs.run import Run
from melanoma_core.settings import Settings
from melanoma_core.training.classes import find_positive
from melanoma_core.training.predictions import select_subset
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.targets import select_classes


def tabulate_differences(recipes: Mapping[str, Recipe]) -> pd.DataFrame:
    """Return the fields in which recipes differ, except the name of the preset.

    Args:
        recipes: Recipes by the name of their run.

    Returns:
        One row per field, in the order of `Recipe`, and one column per run; empty if the recipes
        are equal.

    Example:
        >>> from melanoma_core.training.recipe import make_recipe
        >>> one, other = make_recipe("baseline", []), make_recipe("baseline", ["epochs=3"])
        >>> tabulate_differences({"one": one, "other": other}).loc["epochs", "other"]
        3
    """
    table = pd.DataFrame({name: asdict(recipe) for name, recipe in recipes.items()}, dtype=object)
    table = table.drop(index="name", errors="ignore").rename_axis("field")
    return table[table.nunique(axis=1) > 1]


def explain_incomparable(runs: Sequence[Run]) -> str:
    """Return why the test metrics of runs cannot be compared; empty if they can."""
    if len({run.test_sha256 for run in runs}) > 1:
        return (
            "These runs were evaluated on different test images, so their metrics cannot be "
            "compared. Choose runs of the same dataset and seed."
        )
    if len({run.spec.class_names for run in runs}) > 1:
        return (
            "These runs have different classes, so their metrics cannot be compared. Choose runs "
            "with the same classes."
        )
    return ""


def read_card_figures(settings: Settings, run: Run) -> Mapping[str, Figure]:
    """Return the test metrics on the card of the model that a run produced, by name.

    Unlike the predictions of a run, a model has operating points: its "sensitivity" is the share
    of melanomas with an alert.

    Returns:
        Nothing if the run produced no model, or its card cannot be read or has no metrics.
    """
    if not run.model_id:
        return {}
    with suppress(ModelError):
        return load_card(find_model(settings, run.model_id)).metrics.get(TEST, {})
    return {}


def count_confusions(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> pd.DataFrame:
    """Return the confusion matrix of a subset.

    Args:
        predictions: A table of `training.predictions.tabulate_predictions`.
        subset: "published", "validation" or "test".
        without_leaked: Whether to leave out the images that were seen in training.

    Returns:
        Counts with index `label`, the true class, and one column per predicted class; all classes
        on both, in the network's order.
    """
    chosen = select_subset(predictions, subset, without_leaked=without_leaked)
    class_names = list_classes(predictions)
    chosen = select_classes(chosen, class_names)
    counts = np.zeros((len(class_names), len(class_names)), dtype=np.int64)
    labels, predicted = index_labels(chosen, class_names), get_probabilities(chosen).argmax(axis=1)
    np.add.at(counts, (labels, predicted), 1)
    return pd.DataFrame(counts, pd.Index(class_names, name="label"), list(class_names))


def normalise_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Divide each row of a confusion matrix by its sum; NaN for a class without images.

    Example:
        >>> normalise_rows(pd.DataFrame([[3, 1], [0, 2]])).values.tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    totals = counts.sum(axis=1)
    return counts.div(totals.where(totals > 0), axis=0)


def compare_predictions(
    one: pd.DataFrame, other: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> dict[str, Figure]:
    """Compute how far one run is ahead of another on the same images; see `metrics.compare`.

    Args:
        one: Predictions of one run.
        other: Predictions of the other.
        subset: "published", "validation" or "test".
        without_leaked: Whether to leave out the images that were seen in training.

    Returns:
        The differences by metric, each with its 95% CI.

    Raises:
        RunError: The images or the classes differ.
    """
    rows = [select_subset(each, subset, without_leaked=without_leaked) for each in (one, other)]
    rows = [each.sort_values("image_id", ignore_index=True) for each in rows]
    same = ["image_id", "sha256", "label"]
    if list_classes(one) != list_classes(other) or not rows[0][same].equals(rows[1][same]):
        raise RunError(
            f"Found different images or classes in the {subset} subset of the two runs. A "
            "comparison needs the same. Choose runs of the same dataset and seed."
        )
    if rows[0].empty:
        names = ("accuracy", "melanoma_roc_auc", "sensitivity", "specificity")
        return dict.fromkeys(names, UNDEFINED)
    class_names = list_classes(one)
    labels, lesion_ids = index_truths(rows[0], class_names), rows[0]["group"].to_numpy()
    first, second = (
        LabelledPredictions(get_probabilities(each), labels, lesion_ids) for each in rows
    )
    rules = DecisionRules(class_names, find_positive(class_names))
    return compare(first, second, rules, rules)

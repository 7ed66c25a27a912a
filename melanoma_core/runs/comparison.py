"""Runs beside one another: what differs in how they were trained, and in what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.errors import RunError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.metrics import compare
from melanoma_core.models.predictions import get_probabilities, index_labels, list_classes
from melanoma_core.runs.run import Run
from melanoma_core.training.predictions import (
    find_melanoma,
    select_subset,
)
from melanoma_core.training.recipe import Recipe


def tabulate_differences(recipes: Mapping[str, Recipe]) -> pd.DataFrame:
    """Return the fields in which recipes differ, but for the name of the preset.

    Args:
        recipes: By the name of their run.

    Returns:
        A row per field, in the order of `Recipe`, and a column per run; empty if they are alike.
    """
    table = pd.DataFrame({name: asdict(recipe) for name, recipe in recipes.items()}, dtype=object)
    table = table.drop(index="name", errors="ignore").rename_axis("field")
    return table[table.nunique(axis=1) > 1]


def explain_incomparable(runs: Sequence[Run]) -> str:
    """Say why test figures of runs cannot be compared; empty where they can."""
    if len({run.test_sha256 for run in runs}) > 1:
        return (
            "These runs were not measured on the same test images, so that their figures cannot be "
            "compared. Choose runs of the same data and seed."
        )
    if len({run.spec.class_names for run in runs}) > 1:
        return (
            "These runs tell other classes apart, so that their figures cannot be compared. "
            "Choose runs with the same classes."
        )
    return ""


def count_confusions(
    predictions: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> pd.DataFrame:
    """Count which class was put first for the images of each class.

    Args:
        predictions: As `predictions.tabulate_predictions` gives.
        subset: "published", "validation" or "test".
        without_leaked: Whether to leave out the images that were no news to the network.

    Returns:
        Index `label`, the true class; columns, the class put first; all classes on both, in the
        network's order.
    """
    chosen = select_subset(predictions, subset, without_leaked=without_leaked)
    class_names = list_classes(predictions)
    counts = np.zeros((len(class_names), len(class_names)), dtype=np.int64)
    labels, predicted = index_labels(chosen, class_names), get_probabilities(chosen).argmax(axis=1)
    np.add.at(counts, (labels, predicted), 1)
    return pd.DataFrame(counts, pd.Index(class_names, name="label"), list(class_names))


def share_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each true class that was put into each; NaN for one without images."""
    totals = counts.sum(axis=1)
    return counts.div(totals.where(totals > 0), axis=0)


def compare_predictions(
    one: pd.DataFrame, other: pd.DataFrame, subset: str, *, without_leaked: bool = False
) -> dict[str, Figure]:
    """Measure how far one run is ahead of another on the same images; see `metrics.compare`.

    Raises:
        RunError: The images or the classes are not the same.
    """
    rows = [select_subset(each, subset, without_leaked=without_leaked) for each in (one, other)]
    rows = [each.sort_values("image_id", ignore_index=True) for each in rows]
    same = ["image_id", "sha256", "label"]
    if list_classes(one) != list_classes(other) or not rows[0][same].equals(rows[1][same]):
        raise RunError(
            f"Found other images or classes in the {subset} subset of the two runs. To be compared "
            "they must be the same. Choose runs of the same data and seed."
        )
    if rows[0].empty:
        undefined = Figure(np.nan, np.nan, np.nan, None, 0, 0)
        names = ("accuracy", "melanoma_roc_auc", "sensitivity", "specificity")
        return dict.fromkeys(names, undefined)
    return compare(
        get_probabilities(rows[0]),
        get_probabilities(rows[1]),
        index_labels(rows[0], list_classes(one)),
        rows[0]["group"].to_numpy(),
        find_melanoma(list_classes(one)),
    )


_WINDOW = 3  # epochs that are averaged: one alone goes up and down by chance
_MIN_EPOCHS = 2 * _WINDOW
_RISE = 0.05  # of the validation loss above its best, as a share, that is more than chance
_FALL = 0.01  # of the loss from window to window, as a share, that is still learning
_ABOVE_GUESSING = 0.05  # of the balanced accuracy, that is hardly more


def judge_fit(curves: pd.DataFrame) -> str:
    """Say in a sentence whether a network overfits, underfits or still learns.

    The first of these rules that holds, L being the loss and an average one over 3 epochs:

    1. A loss that is no number: it has broken down.
    2. Fewer than 6 epochs: nothing is said.
    3. Validation L has been more than 5% above its lowest in each of the last 3 epochs, while
       train L is lower than it was then: it overfits.
    4. The last average of train L is more than 1% below the one before. If that of validation is
       so too: it still learns. Otherwise it learns by heart.
    5. The balanced accuracy on train images is at most 5 points above guessing, one over the
       number of classes: it underfits.
    6. Otherwise neither loss falls any more.

    Train figures are measured as those of validation are, without augmentation or dropout, so
    that the two can be compared.

    Args:
        curves: `epoch, subset, metric, value` of whole epochs, in any order; "loss",
            "balanced_accuracy" and "recall/<class>" of "train" and "loss" of "validation" count.

    Returns:
        The sentence; empty without a measured epoch.
    """
    table = _spread(curves)
    if table.empty:
        return ""
    broken = table.index[~np.isfinite(table.to_numpy()).all(axis=1)]
    if len(broken):
        return (
            f"Broken down in epoch {broken[0]:.0f}: its loss is no number any more. Lower the "
            "learning rate."
        )
    if len(table) < _MIN_EPOCHS:
        return f"Too early to say: {len(table)} of {_MIN_EPOCHS} epochs that it takes are done."
    return (
        _find_overfitting(table)
        or _find_learning(table)
        or _find_guessing(curves)
        or (
            f"Settled: neither loss falls any more{_tell_losses(table)}. More epochs of this will "
            "change little."
        )
    )


def _find_overfitting(table: pd.DataFrame) -> str:
    train, validation = table["train"].to_numpy(), table["validation"].to_numpy()
    best = int(validation.argmin())
    risen = validation[-_WINDOW:].min() > (1 + _RISE) * validation[best]
    if not risen or train[-1] >= train[best]:
        return ""
    return (
        f"Overfits since epoch {table.index[best]:.0f}: the validation loss rose from "
        f"{validation[best]:.3f} to {validation[-1]:.3f}, while the train loss fell from "
        f"{train[best]:.3f} to {train[-1]:.3f}. End training there (early stopping), or add "
        "augmentation, dropout or photographs."
    )


def _find_learning(table: pd.DataFrame) -> str:
    if not _falls(table["train"].to_numpy()):
        return ""
    if _falls(table["validation"].to_numpy()):
        return f"Still learning: both losses fall{_tell_losses(table)}. More epochs may help."
    return (
        "Learns by heart: the train loss still falls, the validation loss no "
        f"more{_tell_losses(table)}. Add augmentation, dropout or photographs."
    )


def _find_guessing(curves: pd.DataFrame) -> str:
    """Tell whether the balanced accuracy on train is about that of guessing."""
    train = curves[curves["subset"] == "train"].sort_values("epoch", kind="stable")
    is_recall = train["metric"].str.startswith("recall/") & train["value"].notna()
    num_classes = train.loc[is_recall, "metric"].nunique()
    reached = train.loc[train["metric"] == "balanced_accuracy", "value"]
    if not num_classes or reached.empty or reached.iloc[-1] > 1 / num_classes + _ABOVE_GUESSING:
        return ""
    return (
        f"Underfits: on the train images themselves its balanced accuracy is "
        f"{reached.iloc[-1]:.1%}, hardly above the {1 / num_classes:.1%} of guessing, and the loss "
        "falls no more. Try another learning rate, less augmentation or a larger network."
    )


def _tell_losses(table: pd.DataFrame) -> str:
    last = table.iloc[-1]
    return f" (now {last['train']:.3f} on train, {last['validation']:.3f} on validation)"


def _spread(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the losses of the epochs that both subsets were measured in, a row per epoch."""
    losses = curves[(curves["metric"] == "loss") & curves["subset"].isin(["train", "validation"])]
    losses = losses.drop_duplicates(["epoch", "subset"], keep="last")
    both = losses.groupby("epoch")["subset"].transform("size") == 2
    return losses[both].pivot(index="epoch", columns="subset", values="value")


def _falls(losses: NDArray[np.float64]) -> bool:
    before, last = losses[-2 * _WINDOW : -_WINDOW].mean(), losses[-_WINDOW:].mean()
    return bool(last < (1 - _FALL) * before)

"""Judge from the learning curves whether a network overfits or underfits."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_WINDOW = 3  # epochs that are averaged, because single epochs fluctuate
_MIN_EPOCHS = 2 * _WINDOW
_RISE = 0.05  # relative rise of the validation loss above its lowest that counts
_FALL = 0.01  # relative fall of the loss from window to window that counts as learning
_ABOVE_GUESSING = 0.05  # balanced accuracy above guessing that is hardly better


def judge_fit(curves: pd.DataFrame) -> str:
    """Describe in a sentence whether a network overfits, underfits or still learns.

    The first rule that applies decides. Averages are over 3 epochs.

    1. A loss is not a finite number: training has diverged.
    2. There are fewer than 6 epochs: too early to say.
    3. The validation loss has been more than 5% above its lowest value in each of the last 3
       epochs, and the training loss is lower than it was then: it overfits.
    4. The last average of the training loss is more than 1% below the one before. If the same
       holds for the validation loss, it still learns. Otherwise it memorises.
    5. The balanced accuracy on training images is at most 5 percentage points above guessing
       (one over the number of classes): it underfits.
    6. Otherwise it has converged.

    Training metrics are computed like those of validation, without augmentation or dropout.

    Args:
        curves: Columns epoch, subset, metric, value of whole epochs, in any order. Used are
            "loss", "balanced_accuracy" and "recall/<class>" of "train" and "loss" of
            "validation".

    Returns:
        The sentence; empty without a finished epoch.
    """
    table = _spread(curves)
    if table.empty:
        return ""
    broken = table.index[~np.isfinite(table.to_numpy()).all(axis=1)]
    if len(broken):
        return (
            f"Diverged in epoch {broken[0]:.0f}: the loss is no longer a number. Lower the "
            "learning rate."
        )
    if len(table) < _MIN_EPOCHS:
        return f"Too early to say: {len(table)} of the {_MIN_EPOCHS} epochs needed are done."
    return (
        _find_overfitting(table)
        or _find_learning(table)
        or _find_guessing(curves)
        or (
            f"Converged: neither loss falls any more{_format_losses(table)}. More epochs would "
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
        f"{validation[best]:.3f} to {validation[-1]:.3f}, while the training loss fell from "
        f"{train[best]:.3f} to {train[-1]:.3f}. Use early stopping, or add augmentation, dropout "
        "or images."
    )


def _find_learning(table: pd.DataFrame) -> str:
    if not _falls(table["train"].to_numpy()):
        return ""
    if _falls(table["validation"].to_numpy()):
        return f"Still learning: both losses fall{_format_losses(table)}. More epochs may help."
    return (
        "Memorises: the training loss still falls, the validation loss no "
        f"longer{_format_losses(table)}. Add augmentation, dropout or images."
    )


def _find_guessing(curves: pd.DataFrame) -> str:
    """Return a sentence if the balanced accuracy on training images is near guessing."""
    train = curves[curves["subset"] == "train"].sort_values("epoch", kind="stable")
    is_recall = train["metric"].str.startswith("recall/") & train["value"].notna()
    num_classes = train.loc[is_recall, "metric"].nunique()
    reached = train.loc[train["metric"] == "balanced_accuracy", "value"]
    if not num_classes or reached.empty or reached.iloc[-1] > 1 / num_classes + _ABOVE_GUESSING:
        return ""
    return (
        f"Underfits: the balanced accuracy on the training images is {reached.iloc[-1]:.1%}, "
        f"hardly above the {1 / num_classes:.1%} of guessing, and the loss no longer falls. Try "
        "another learning rate, less augmentation or a larger network."
    )


def _format_losses(table: pd.DataFrame) -> str:
    last = table.iloc[-1]
    return f" (now {last['train']:.3f} in training, {last['validation']:.3f} in validation)"


def _spread(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the losses of the epochs that have both, one row per epoch."""
    losses = curves[(curves["metric"] == "loss") & curves["subset"].isin(["train", "validation"])]
    losses = losses.drop_duplicates(["epoch", "subset"], keep="last")
    both = losses.groupby("epoch")["subset"].transform("size") == 2
    return losses[both].pivot(index="epoch", columns="subset", values="value")


def _falls(losses: NDArray[np.float64]) -> bool:
    before, last = losses[-2 * _WINDOW : -_WINDOW].mean(), losses[-_WINDOW:].mean()
    return bool(last < (1 - _FALL) * before)

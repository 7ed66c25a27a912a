"""The learning curves of a run, continuous across interruptions."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.runs.record import (
    BATCH_LOSS,
    LEARNING_RATE,
    Record,
    RecordedRun,
    name_metric,
)

STEPS_PER_EPOCH = 100  # of the metric BATCH_LOSS; all others have one step per epoch
COLUMNS = ("epoch", "subset", "metric", "value")


def gather_curves(record: Record, recorded: RecordedRun) -> pd.DataFrame:
    """Return the curves of a run so far; see `control.read_curves`."""
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    class_names = json.loads(recorded.tags.get("class_names", "[]"))
    recalls = {name_metric("recall", name): f"recall/{name}" for name in class_names}
    for name, stamp in recorded.latest.items():
        is_within = name == BATCH_LOSS
        # A resumed run repeats batches, during which the last step stays the same.
        now = recorded.tags.get("progress") if is_within else None
        history = record.read_history(recorded.run_id, name, (stamp, now))
        steps, values = keep_valid(history)
        subset, _, metric = ("", "", name) if name == LEARNING_RATE else name.partition("/")
        columns["epoch"] += (steps / (STEPS_PER_EPOCH if is_within else 1)).tolist()
        columns["subset"] += [subset] * len(steps)
        columns["metric"] += [recalls.get(metric, metric)] * len(steps)
        columns["value"] += values.tolist()
    table = pd.DataFrame(columns).astype({"epoch": float, "value": float})
    return table.sort_values(["epoch", "subset", "metric"], ignore_index=True)


def gather_epochs(record: Record, recorded: RecordedRun) -> list[dict[str, Any]]:
    """Return the metrics of each epoch as rows of plain values, without single classes."""
    curves = gather_curves(record, recorded)
    is_of_epoch = curves["subset"].isin(["train", "validation"]) & curves["value"].notna()
    rows = curves[is_of_epoch & ~curves["metric"].str.startswith("recall/")]
    plain = rows.astype({"epoch": int}).to_dict("list")
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def keep_valid(
    history: Sequence[tuple[int, int, float]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Drop the measurements that a resumed run repeated later.

    Args:
        history: Time (ms), step and value of each measurement, in any order.

    Returns:
        The steps in strictly increasing order, int64 [N], and their values, float64 [N].

    Example:
        The run was interrupted in step 3 and resumed from step 2.

        >>> keep_valid([(0, 1, 0.9), (1, 2, 0.8), (2, 3, 0.7), (9, 2, 0.6)])
        (array([1, 2]), array([0.9, 0.6]))
    """
    # A resumed run may report epochs within the same millisecond: then they are ordered by step.
    ordered = sorted(history)
    steps = np.array([step for _, step, _ in ordered], dtype=np.int64)
    values = np.array([value for _, _, value in ordered], dtype=np.float64)
    lowest_later = np.minimum.accumulate(np.append(steps, np.iinfo(np.int64).max)[::-1])[::-1][1:]
    valid = steps < lowest_later
    return steps[valid], values[valid]

"""The curves of a run, as they go on through its interruptions."""

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

STEPS_PER_EPOCH = 100  # of the metric BATCH_LOSS; of all others 1
COLUMNS = ("epoch", "subset", "metric", "value")


def gather_curves(record: Record, recorded: RecordedRun) -> pd.DataFrame:
    """Return what was measured of a run so far; see `control.read_curves`."""
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    class_names = json.loads(recorded.tags.get("class_names", "[]"))
    recalls = {name_metric("recall", name): f"recall/{name}" for name in class_names}
    for name, stamp in recorded.latest.items():
        is_within = name == BATCH_LOSS
        # A resumed run goes over batches anew, before which its last one stays the same.
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
    """Return what was measured after each epoch as rows of plain values, without single classes."""
    curves = gather_curves(record, recorded)
    is_of_epoch = curves["subset"].isin(["train", "validation"]) & curves["value"].notna()
    rows = curves[is_of_epoch & ~curves["metric"].str.startswith("recall/")]
    plain = rows.astype({"epoch": int}).to_dict("list")
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def keep_valid(
    history: Sequence[tuple[int, int, float]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Leave out what a run measured after the epoch that it was resumed from later.

    Args:
        history: Time, step and value of each measurement.

    Returns:
        Steps, each greater than the one before, and their values.
    """
    # Epochs that a resumed run tells again come within a millisecond: then by step.
    ordered = sorted(history)
    steps = np.array([step for _, step, _ in ordered], dtype=np.int64)
    values = np.array([value for _, _, value in ordered], dtype=np.float64)
    lowest_later = np.minimum.accumulate(np.append(steps, np.iinfo(np.int64).max)[::-1])[::-1][1:]
    valid = steps < lowest_later
    return steps[valid], values[valid]

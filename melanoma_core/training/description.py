"""Describe the training data of a network for its model card."""

import json
from typing import Any

from melanoma_core.data.cleaning import Action
from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split


def describe_data(dataset: Dataset, split: Split, left_out: str | None = None) -> dict[str, Any]:
    """Return hash, counts, sources, sizes and licences of a split, as JSON values.

    Args:
        dataset: The dataset, with its decision on each file.
        split: The split before any rebalancing.
        left_out: The source that `splitting.leave_out` moved to test, if any.
    """
    table, decisions = split.table, dataset.decisions
    changed = decisions[decisions["action"] != Action.KEEP]
    counts = table.groupby(["subset", "label"]).size().unstack(fill_value=0)
    description = {} if left_out is None else {"left_out": left_out}
    return description | {
        "sha256": split.sha256,
        "split_seed": split.seed,
        "images": {str(k): int(v) for k, v in table["subset"].value_counts().items()},
        "lesions": {str(k): int(v) for k, v in table.groupby("subset")["group"].nunique().items()},
        "images_by_label": json.loads(counts.to_json(orient="index")),
        "images_by_source": json.loads(
            table.groupby(["subset", "source"]).size().unstack(fill_value=0).to_json(orient="index")
        ),
        "images_without": {
            name: int(table[name].isna().sum()) for name in ("lesion_id", "patient_id")
        },
        "longer_side_pixels": {
            name: float(table[["width", "height"]].max(axis=1).agg(name))
            for name in ("min", "median", "max")
        },
        "licences": [
            *sorted(set(table["licence"].dropna())),
            "ISIC Archive, licence by image, where a table names none",
        ],
        "licence_of_the_model": "CC BY-NC 4.0 (non-commercial), as its training data's",
        "file_decisions": json.loads(
            changed.groupby("reason").size().sort_index().to_json(orient="index")
        ),
    }

"""Cheap models for tests: the bundled network with another id and invented test predictions."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.lineage import (
    PREDICTIONS_NAME,
    SPLIT_NAME,
    describe_predictions,
    describe_split,
    write_table,
)
from melanoma_core.models.registry import BUNDLED

NUM_MELANOMAS, NUM_OTHERS = 200, 400
CLEAN = Leakage(("photograph (SHA-256)", "lesion"), 600, 1200, 0)
LEAKING = Leakage(("lesion",), 600, 1200, 7, ("t1 in test and r1 in train: the same lesion",))
THRESHOLD = 0.4


def write_model(
    models_dir: Path,
    model_id: str,
    *,
    missed: int = 10,
    false_alerts: int = 120,
    leakage: Leakage | None = CLEAN,
    first_test: int = 0,
    with_lineage: bool = True,
) -> Path:
    """Write a copy of the bundled model with invented test predictions.

    Args:
        models_dir: Parent folder of the new model folder.
        model_id: The id and folder name.
        missed: Number of test melanomas, of 200, below the alert threshold.
        false_alerts: Number of test nevi, of 400, above the alert threshold.
        leakage: The leakage recorded in the model card.
        first_test: Number of the first test image; other numbers give other images.
        with_lineage: Whether to write the split and the test predictions.
    """
    folder = models_dir / model_id
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes((BUNDLED / "model.onnx").read_bytes())
    raw = to_jsonable(load_card(BUNDLED)) | {"model_id": model_id}
    raw["operating_point"] |= {"threshold": THRESHOLD}
    raw["leakage"] = asdict(leakage) if leakage else None
    raw["files"] = {"model.onnx": raw["files"]["model.onnx"]}
    if with_lineage:
        raw["files"] |= _write_lineage(folder, missed, false_alerts, first_test)
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return folder


def make_split(first_test: int = 0) -> pd.DataFrame:
    """Return 600 test and 1,200 train images, one per lesion."""
    num_test, num_train = NUM_MELANOMAS + NUM_OTHERS, 1200
    test = [f"t{first_test + number:04d}" for number in range(num_test)]
    ids = test + [f"r{number:04d}" for number in range(num_train)]
    labels = ["MEL"] * NUM_MELANOMAS + ["NV"] * NUM_OTHERS + ["MEL", "NV"] * (num_train // 2)
    return pd.DataFrame(
        {
            "image_id": ids,
            "sha256": [f"hash-{each}" for each in ids],
            "lesion_id": [f"lesion-{each}" for each in ids],
            "group": range(len(ids)),
            "source": "drawn",
            "label": labels,
            "subset": ["test"] * num_test + ["train"] * num_train,
        }
    )


def _write_lineage(folder: Path, missed: int, false_alerts: int, first_test: int) -> dict[str, str]:
    split = make_split(first_test)
    test = split[split["subset"] == "test"]
    alert = np.r_[np.arange(NUM_MELANOMAS) >= missed, np.arange(NUM_OTHERS) < false_alerts]
    # A small distinct offset per image avoids ties.
    melanoma = np.where(alert, 0.7, 0.1) + np.arange(len(test)) / 1e4
    names = load_card(BUNDLED).class_names
    probabilities = np.zeros((len(test), len(names)))
    probabilities[:, names.index("MEL")] = melanoma
    probabilities[:, names.index("NV")] = 1 - melanoma
    return {
        SPLIT_NAME: write_table(describe_split(split), folder / SPLIT_NAME),
        PREDICTIONS_NAME: write_table(
            describe_predictions(test, probabilities, names), folder / PREDICTIONS_NAME
        ),
    }

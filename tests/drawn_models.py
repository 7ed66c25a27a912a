"""Models that cost nothing: the bundled network under another name, with a past that is made up."""

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
    keeps: bool = True,
) -> Path:
    """Write a model that reads as the bundled one, and that says it had these results in test.

    Args:
        models_dir: Gets a folder of the model's id.
        model_id: For people.
        missed: Of 200 melanomas, one photograph each: the first of them get no alert.
        false_alerts: Of 400 nevi, likewise: the first of them get one.
        leakage: For the card.
        first_test: Number of the first test photograph: other numbers are other photographs.
        keeps: Whether it keeps its split and its readings of test.
    """
    folder = models_dir / model_id
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes((BUNDLED / "model.onnx").read_bytes())
    raw = to_jsonable(load_card(BUNDLED)) | {"model_id": model_id}
    raw["operating_point"] |= {"threshold": THRESHOLD}
    raw["leakage"] = asdict(leakage) if leakage else None
    raw["files"] = {"model.onnx": raw["files"]["model.onnx"]}
    if keeps:
        raw["files"] |= _write_past(folder, missed, false_alerts, first_test)
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return folder


def make_split(first_test: int = 0) -> pd.DataFrame:
    """Return 600 test photographs and 1,200 to train on, one of each lesion."""
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


def _write_past(folder: Path, missed: int, false_alerts: int, first_test: int) -> dict[str, str]:
    split = make_split(first_test)
    test = split[split["subset"] == "test"]
    alert = np.r_[np.arange(NUM_MELANOMAS) >= missed, np.arange(NUM_OTHERS) < false_alerts]
    # A little of its own for every photograph, so that it ranks them.
    melanoma = np.where(alert, 0.7, 0.1) + np.arange(len(test)) / 1e4
    names = load_card(BUNDLED).class_names
    said = np.zeros((len(test), len(names)))
    said[:, names.index("MEL")] = melanoma
    said[:, names.index("NV")] = 1 - melanoma
    return {
        SPLIT_NAME: write_table(describe_split(split), folder / SPLIT_NAME),
        PREDICTIONS_NAME: write_table(
            describe_predictions(test, said, names), folder / PREDICTIONS_NAME
        ),
    }

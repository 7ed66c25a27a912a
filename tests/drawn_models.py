"""Cheap models for tests: the bundled network with another id and invented test predictions."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import OperatingPoint, load_card
from melanoma_core.models.identifiers import IdKey
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
    can_read: bool = True,
    split: pd.DataFrame | None = None,
    key: IdKey | None = None,
    skin_cancer_threshold: float | None = None,
    outline_side: int = 0,
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
        can_read: Whether the network is the bundled one. If not, it has the same inputs and
            outputs but meaningless values, and loads at once.
        split: The split (`make_split`); None for one that begins with `first_test`.
        key: Hashes the ids of lesions; None keeps them plain, as older versions did.
        skin_cancer_threshold: Of the skin cancer alert; None for no such alert, as in older cards.
        outline_side: Side of the outline, which is the whole photograph; 0 for none. Only of a
            network with meaningless values.
    """
    folder = models_dir / model_id
    folder.mkdir(parents=True)
    network = (
        (BUNDLED / "model.onnx").read_bytes() if can_read else _make_small_network(outline_side)
    )
    (folder / "model.onnx").write_bytes(network)
    raw = to_jsonable(load_card(BUNDLED)) | {"model_id": model_id}
    raw["operating_point"] |= {"threshold": THRESHOLD}
    point = OperatingPoint(skin_cancer_threshold or 0.0, 0.95, "validation")
    raw["skin_cancer_operating_point"] = asdict(point) if skin_cancer_threshold else None
    raw["leakage"] = asdict(leakage) if leakage else None
    raw["files"] = {"model.onnx": hashlib.sha256(network).hexdigest()}
    if with_lineage:
        raw["files"] |= _write_lineage(
            folder,
            make_split(first_test) if split is None else split,
            missed,
            false_alerts,
            key,
        )
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return folder


def make_network(
    outputs: Mapping[str, Sequence[int]], image_size: int, *, takes_floats: bool = False
) -> bytes:
    """Return a small valid ONNX network, whose outputs mean nothing.

    Args:
        outputs: Shapes by name; -1 is the number of photographs.
        image_size: Side of the input in pixels.
        takes_floats: Whether the input is float32 instead of uint8.
    """
    import onnx

    helper, kinds = onnx.helper, onnx.TensorProto
    kind = kinds.FLOAT if takes_floats else kinds.UINT8
    shape = ["N", image_size, image_size, 3]
    photograph = helper.make_tensor_value_info("photograph", kind, shape)
    nodes = [
        helper.make_node("Cast", ["photograph"], ["floats"], to=kinds.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
    ]
    values, constants = [], []
    for name, shape in outputs.items():
        width = abs(math.prod(shape))
        weights, target = np.ones((3, width), np.float32), np.array(shape, np.int64)
        constants += [
            onnx.numpy_helper.from_array(weights, f"{name} weights"),
            onnx.numpy_helper.from_array(target, f"{name} shape"),
        ]
        nodes += [
            helper.make_node("MatMul", ["means", f"{name} weights"], [f"{name} flat"]),
            helper.make_node("Reshape", [f"{name} flat", f"{name} shape"], [name]),
        ]
        sizes = ["N" if size == -1 else size for size in shape]
        values.append(helper.make_tensor_value_info(name, kinds.FLOAT, sizes))
    graph = helper.make_graph(nodes, "small", [photograph], values, constants)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


@cache
def _make_small_network(outline_side: int) -> bytes:
    card = load_card(BUNDLED)
    num_classes = len(card.class_names)
    outputs = {
        "probabilities": [-1, num_classes],
        "embedding": [-1, 1280],
        "activation_maps": [-1, num_classes, 1, 1],
        "novelty": [-1],
        "untuned_features": [-1, 96],
    }
    if outline_side:
        outputs["outline"] = [-1, outline_side, outline_side]
    return make_network(outputs, card.image_size)


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


def _write_lineage(
    folder: Path, split: pd.DataFrame, missed: int, false_alerts: int, key: IdKey | None
) -> dict[str, str]:
    test = split[split["subset"] == "test"]
    alert = np.r_[np.arange(NUM_MELANOMAS) >= missed, np.arange(NUM_OTHERS) < false_alerts]
    # A small distinct offset per image avoids ties.
    melanoma = np.where(alert, 0.7, 0.1) + np.arange(len(test)) / 1e4
    names = load_card(BUNDLED).class_names
    probabilities = np.zeros((len(test), len(names)))
    probabilities[:, names.index("MEL")] = melanoma
    probabilities[:, names.index("NV")] = 1 - melanoma
    recorded = describe_split(split)
    return {
        SPLIT_NAME: write_table(key.hash_ids(recorded) if key else recorded, folder / SPLIT_NAME),
        PREDICTIONS_NAME: write_table(
            describe_predictions(test, probabilities, names), folder / PREDICTIONS_NAME
        ),
    }

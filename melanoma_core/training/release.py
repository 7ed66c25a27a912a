"""A trained network -> a model folder: both forms, and the card with its measured figures."""

import hashlib
import importlib.metadata
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.cleaning import Action
from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split
from melanoma_core.evaluation.calibration import choose_threshold, fit_temperature
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.metrics import evaluate
from melanoma_core.models.card import KERAS_NAME, ONNX_NAME, ModelCard, OperatingPoint
from melanoma_core.models.classifier import Classifier, Outputs, load_classifier
from melanoma_core.models.export import check_agreement, export_onnx
from melanoma_core.training.batches import image_weights
from melanoma_core.training.network import LOGITS_LAYER, add_probabilities
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.trainer import (
    CLASS_NAMES,
    MELANOMA_INDEX,
    label_indices,
    load_pixels,
)

TARGET_SENSITIVITY = 0.95
_NUM_COMPARED = 64
_BATCH = 64
_INTENDED_USE = (
    "Research and education: to explore how a network reads dermoscopic photographs. Not a "
    "medical device; no diagnosis and no treatment may rest on it."
)
_LIMITATIONS = (
    "Trained on dermoscopic photographs alone; photographs taken without a dermoscope were not.",
    "Most photographs come from Austria, Australia, Spain and the United States, of light skin; "
    "how it reads dark skin was not measured.",
    "The melanomas and the other diagnoses come in part from different collections, which a "
    "network can learn instead of the disease; the figures by collection show how it fares in "
    "each.",
    "It knows eight diagnoses and names one of them for whatever it is shown.",
    "Lesions were kept apart where their names or pictures tell them; no table names the patients, "
    "so that two lesions of one patient may lie on both sides.",
    "It was measured at the size of the photographs that it learned from; larger and sharper ones "
    "look different to it, and how it reads them was not measured.",
)


@dataclass(frozen=True)
class Origin:
    """Where a network comes from, for its card.

    Attributes:
        recipe: How it was trained.
        weights: The backbone's weights at the start: "imagenet", a file, or None.
        dataset: On what.
        split: In which subsets.
    """

    recipe: Recipe
    weights: Path | str | None
    dataset: Dataset
    split: Split


def release_network(network: keras.Model, origin: Origin, models_dir: Path) -> Path:
    """Write a trained network as a model that can be served.

    Temperature, operating point and heatmap scale are fitted on the validation subset, and the
    figures are measured on test, with the ONNX form that will read.

    Args:
        network: uint8 photographs -> logits, as `trainer.train_network` returns it.
        origin: What the card tells of it.
        models_dir: Folder of models; the new one gets a folder of its own, named by its id.

    Returns:
        The new folder.

    Raises:
        ModelError: The two forms of the network differ.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    # Begins with a dot, so that no list of models shows it before it is whole.
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=models_dir) as draft_name:
        draft = Path(draft_name)
        _restore_frequencies(network, origin)
        card = _write_network(network, origin, draft)
        card = _calibrate(card, origin.split.subset("validation"), draft)
        card = _measure(card, origin.split.subset("test"), draft)
        card.save(draft)
        folder = models_dir / card.model_id
        # All or nothing: a folder with a card is a whole model.
        draft.rename(folder)
        draft.mkdir()  # for the context manager to remove
    folder.chmod(0o755)
    return folder


def _restore_frequencies(network: keras.Model, origin: Origin) -> None:
    """Undo the balanced draw: probabilities are those of the train subset's own mix.

    A class that was drawn more often than it occurs is expected too often by that factor, which
    the bias of the head takes back exactly (Saerens et al. 2002, doi:10.1162/089976602753284446).
    """
    labels = label_indices(origin.split.subset("train"))
    drawn = np.bincount(
        labels, image_weights(labels, origin.recipe.class_balance), minlength=len(CLASS_NAMES)
    )
    occurring = np.bincount(labels, minlength=len(CLASS_NAMES)) / len(labels)
    present = occurring > 0
    correction = np.zeros(len(CLASS_NAMES))
    correction[present] = np.log(occurring[present] / drawn[present])
    head = network.get_layer(LOGITS_LAYER)
    head.bias.assign(keras.ops.convert_to_numpy(head.bias) + correction.astype(np.float32))


def _write_network(network: keras.Model, origin: Origin, draft: Path) -> ModelCard:
    saved = add_probabilities(network)
    saved.save(draft / KERAS_NAME)
    export_onnx(saved, draft / ONNX_NAME)
    compared = origin.split.subset("validation").head(_NUM_COMPARED)
    difference = check_agreement(
        saved, draft / ONNX_NAME, load_pixels(compared, origin.recipe.image_size)
    )
    files = {
        name: hashlib.sha256((draft / name).read_bytes()).hexdigest()
        for name in (KERAS_NAME, ONNX_NAME)
    }
    now = datetime.now(UTC)
    # Of the time too: the same network with another threshold is another model.
    digest = hashlib.sha256(f"{files[ONNX_NAME]} {now.isoformat()}".encode()).hexdigest()
    card = ModelCard(
        model_id=f"{origin.recipe.architecture.lower()}-{now:%Y%m%d}-{digest[:8]}",
        created_at=now.isoformat(timespec="seconds"),
        class_names=CLASS_NAMES,
        melanoma_index=MELANOMA_INDEX,
        image_size=origin.recipe.image_size,
        heatmap="activation-maps",
        heatmap_scale=1.0,
        temperature=1.0,
        operating_point=OperatingPoint(0.5, TARGET_SENSITIVITY, "validation"),
        metrics={},
        files=files,
        data=_describe_data(origin) | {"keras_onnx_difference": difference},
        recipe=asdict(origin.recipe) | {"weights": _describe_weights(origin.weights)},
        versions={
            name: importlib.metadata.version(name)
            for name in ("keras", "tensorflow", "onnxruntime", "numpy", "pillow")
        },
        intended_use=_INTENDED_USE,
        limitations=_LIMITATIONS,
    )
    card.save(draft)
    return card


def _calibrate(card: ModelCard, validation: pd.DataFrame, draft: Path) -> ModelCard:
    labels = label_indices(validation)
    outputs = read_table(load_classifier(draft), validation)
    temperature = fit_temperature(np.log(outputs.probabilities.clip(1e-12)), labels)
    card = replace(card, temperature=temperature)
    card.save(draft)
    outputs = read_table(load_classifier(draft), validation)
    threshold = choose_threshold(
        outputs.probabilities[:, MELANOMA_INDEX], labels == MELANOMA_INDEX, TARGET_SENSITIVITY
    )
    # The strongest place of the diagnosis put first, in the median photograph. Melanoma's own is
    # about half of it on most alerts: a larger scale would leave them without a visible map.
    first = outputs.probabilities.argmax(axis=1)
    peaks = outputs.activation_maps[np.arange(len(first)), first].max(axis=(1, 2))
    scale = float(np.median(peaks))
    return replace(
        card,
        # Where no place speaks for anything, every map is dark at any scale.
        heatmap_scale=scale if scale > 0 else 1.0,
        operating_point=replace(card.operating_point, threshold=threshold),
    )


def _measure(card: ModelCard, test: pd.DataFrame, draft: Path) -> ModelCard:
    card.save(draft)
    outputs = read_table(load_classifier(draft), test)
    subsets = {"test": np.ones(len(test), dtype=bool)} | {
        f"test/{source}": (test["source"] == source).to_numpy()
        for source in sorted(test["source"].unique())
    }
    return replace(
        card,
        metrics={
            name: measure_readings(card, outputs, test, rows) for name, rows in subsets.items()
        },
    )


def measure_readings(
    card: ModelCard, outputs: Outputs, table: pd.DataFrame, rows: NDArray[np.bool_]
) -> dict[str, Figure]:
    """Measure what the classifier said of some rows of a table; see `metrics.evaluate`."""
    return evaluate(
        outputs.probabilities[rows],
        label_indices(table)[rows],
        table["group"].to_numpy()[rows],
        card.class_names,
        card.melanoma_index,
        card.operating_point.threshold,
    )


def read_table(classifier: Classifier, table: pd.DataFrame) -> Outputs:
    """Read every photograph of a table, in its order."""
    pixels = load_pixels(table, classifier.card.image_size)
    parts = [classifier.classify(pixels[i : i + _BATCH]) for i in range(0, len(pixels), _BATCH)]
    return Outputs(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.activation_maps for part in parts]),
    )


def _describe_data(origin: Origin) -> dict[str, Any]:
    table, decisions = origin.split.table, origin.dataset.decisions
    changed = decisions[decisions["action"] != Action.KEEP]
    counts = table.groupby(["subset", "label"]).size().unstack(fill_value=0)
    return {
        "sha256": origin.split.sha256,
        "split_seed": origin.split.seed,
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


def _describe_weights(weights: Path | str | None) -> dict[str, str] | str | None:
    if not isinstance(weights, Path):
        return weights
    return {"file": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}

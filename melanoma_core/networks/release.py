"""A trained network -> a model folder: both forms, and the card with its measured figures."""

import hashlib
import importlib.metadata
import tempfile
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import ExplanationError, RecipeError
from melanoma_core.evaluation.calibration import choose_threshold, fit_temperature
from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leak_check import find_leaks
from melanoma_core.evaluation.metrics import evaluate
from melanoma_core.models.card import (
    CARD_NAME,
    KERAS_NAME,
    ONNX_NAME,
    ModelCard,
    OperatingPoint,
    load_card,
)
from melanoma_core.models.classifier import Classifier, Outputs, load_classifier
from melanoma_core.models.evidence import TrainingLog, write_evidence
from melanoma_core.models.lineage import (
    PREDICTIONS_NAME,
    SPLIT_NAME,
    describe_predictions,
    describe_split,
    was_trained_on,
    write_table,
)
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.evidence_pack import gather_evidence
from melanoma_core.networks.explainer import Explainer
from melanoma_core.networks.export import check_agreement, describe_heatmap, export_onnx
from melanoma_core.networks.hardware import list_accelerators
from melanoma_core.networks.network import LOGITS_LAYER, add_probabilities
from melanoma_core.networks.novelty import NoveltyCheck, choose_novelty_limit, fit_novelty
from melanoma_core.reading.faithfulness import MapMaker, measure_maps
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.batches import correct_frequencies
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.weights import KERAS_SUFFIX

CLASS_NAMES = tuple(Diagnosis)
MELANOMA_INDEX = CLASS_NAMES.index(Diagnosis.MEL)
_NUM_COMPARED = 64
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
    "Lesions were kept apart where their names or pictures tell them; no table names the patients, "
    "so that two lesions of one patient may lie on both sides.",
    "It was measured at the size of the photographs that it learned from; larger and sharper ones "
    "look different to it, and how it reads them was not measured.",
)
_KNOWS_EIGHT = "It knows eight diagnoses and names one of them for whatever it is shown."
_REFUSES = (
    "It knows eight diagnoses and names one of them for whatever it reads. It refuses photographs "
    "that look unlike all that it learned from; what looks like a lesion and is none is read."
)


@dataclass(frozen=True)
class Origin:
    """Where a network comes from, for its card.

    Attributes:
        recipe: How it was trained.
        class_names: Its outputs, in order.
        data: What `description.describe_data` told of the data before anything was trained.
        split: In which subsets, as they were trained on (`preparation.prepare_split`).
        ancestor: The split (`lineage.read_split`) of the model whose weights the training began
            with, or None where it began with none of ours.
        training: How the training went, for the evidence; None where nobody recorded it.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    data: Mapping[str, Any]
    split: Split
    ancestor: pd.DataFrame | None = None
    training: TrainingLog | None = None


def release_network(
    network: keras.Model,
    origin: Origin,
    models_dir: Path,
    novelty_weights: Path | str | None = None,
) -> Path:
    """Write a trained network as a model that can be served.

    Temperature, operating point and heatmap scale are fitted on the validation subset, and the
    figures are measured on test, with the ONNX form that will read.

    Args:
        network: uint8 photographs -> logits, as `trainer.train_network` returns it.
        origin: What the card tells of it.
        models_dir: Folder of models; the new one gets a folder of its own, named by its id.
        novelty_weights: Of MobileNetV2 without its head (`weights.find_novelty_weights`); None
            makes a model that never refuses what is no lesion, and says so.

    Returns:
        The new folder.

    Raises:
        RecipeError: The network may not be kept (`check_release`).
        ModelError: The two forms of the network differ.
    """
    check_release(origin.recipe, origin.class_names)
    models_dir.mkdir(parents=True, exist_ok=True)
    # Begins with a dot, so that no list of models shows it before it is whole.
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=models_dir) as draft_name:
        draft = Path(draft_name)
        size, check = origin.recipe.image_size, None
        if novelty_weights is not None:
            check = fit_novelty(origin.split.table, size, novelty_weights)
        with _natural_frequencies(network, origin):
            card = _write_network(network, origin, draft, check)
        card = _calibrate(card, origin.split.subset("validation"), draft)
        card = _measure(card, origin.split.subset("test"), draft)
        card = _trace(card, origin, draft)
        card.save(draft)
        card = _test_heatmaps(card, origin.split.subset("test"), draft)
        card.save(draft)
        write_evidence(
            draft,
            card,
            gather_evidence(card, origin.split.table, draft, origin.training, list_accelerators()),
        )
        folder = models_dir / card.model_id
        # All or nothing: a folder with a card is a whole model.
        draft.rename(folder)
        draft.mkdir()  # for the context manager to remove
    folder.chmod(0o755)
    return folder


def check_release(recipe: Recipe, class_names: Sequence[str]) -> None:
    """Find out, before anything is trained, whether its network may be kept as a model.

    Raises:
        RecipeError: It may not.
    """
    if recipe.leaks:
        raise RecipeError(
            f'The recipe "{recipe.name}" oversamples before it splits, so that its network was '
            "chosen by images that it had learned. It can be looked at and is never kept as a "
            "model. Use rebalancing=oversampling instead."
        )
    if tuple(class_names) != CLASS_NAMES:
        raise RecipeError(
            f"Found the classes {', '.join(class_names)}. A model answers with "
            f"{', '.join(CLASS_NAMES)}, in this order. Train on the diagnoses of the data."
        )


@contextmanager
def _natural_frequencies(network: keras.Model, origin: Origin) -> Generator[None, None, None]:
    """Let a network give the probabilities of the train subset's own mix, for a while."""
    bias = network.get_layer(LOGITS_LAYER).bias
    trained = keras.ops.convert_to_numpy(bias).copy()
    bias.assign(
        trained
        + correct_frequencies(origin.recipe, origin.split.subset("train"), origin.class_names)
    )
    try:
        yield
    finally:
        bias.assign(trained)


def _write_network(
    network: keras.Model, origin: Origin, draft: Path, check: NoveltyCheck | None
) -> ModelCard:
    saved, novelty = add_probabilities(network), check.network if check else None
    num_views = origin.recipe.num_views
    saved.save(draft / KERAS_NAME)
    export_onnx(saved, draft / ONNX_NAME, novelty, num_views)
    compared = origin.split.subset("validation").head(_NUM_COMPARED)
    pixels = load_pixels(compared, origin.recipe.image_size)
    difference = check_agreement(saved, draft / ONNX_NAME, pixels, novelty, num_views)
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
        heatmap=describe_heatmap(saved),
        heatmap_scale=1.0,
        temperature=1.0,
        operating_point=OperatingPoint(0.5, origin.recipe.target_sensitivity, "validation"),
        metrics={},
        files=files,
        data={**origin.data, "keras_onnx_difference": difference},
        recipe=asdict(origin.recipe) | {"weights": describe_weights(origin.recipe.weights)},
        versions={
            name: importlib.metadata.version(name)
            for name in ("keras", "tensorflow", "onnxruntime", "numpy", "pillow")
        },
        intended_use=_INTENDED_USE,
        limitations=(*_LIMITATIONS, _REFUSES if check else _KNOWS_EIGHT),
        novelty=choose_novelty_limit(check) if check else None,
    )
    card.save(draft)
    return card


def _calibrate(card: ModelCard, validation: pd.DataFrame, draft: Path) -> ModelCard:
    labels = index_labels(validation, CLASS_NAMES)
    outputs = read_table(load_classifier(draft), validation)
    temperature = fit_temperature(np.log(outputs.probabilities.clip(1e-12)), labels)
    card = replace(card, temperature=temperature)
    card.save(draft)
    outputs = read_table(load_classifier(draft), validation)
    threshold = choose_threshold(
        outputs.probabilities[:, MELANOMA_INDEX],
        labels == MELANOMA_INDEX,
        card.operating_point.target_sensitivity,
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
        conformal=fit_bounds(
            outputs.probabilities, labels, validation["group"].to_numpy(), CLASS_NAMES, "validation"
        ),
    )


def _measure(card: ModelCard, test: pd.DataFrame, draft: Path) -> ModelCard:
    card.save(draft)
    outputs = read_table(load_classifier(draft), test)
    subsets = {"test": np.ones(len(test), dtype=bool)} | {
        f"test/{source}": (test["source"] == source).to_numpy()
        for source in sorted(test["source"].unique())
    }
    predictions = describe_predictions(test, outputs.probabilities, CLASS_NAMES)
    digest = write_table(predictions, draft / PREDICTIONS_NAME)
    return replace(
        card,
        files=card.files | {PREDICTIONS_NAME: digest},
        metrics={
            name: measure_readings(card, outputs, test, rows) for name, rows in subsets.items()
        },
    )


def _trace(card: ModelCard, origin: Origin, draft: Path) -> ModelCard:
    """Keep what the network learned from, and withhold its figures if that leaks into test."""
    table, ancestor = origin.split.table, origin.ancestor
    learned = None if ancestor is None else ancestor[was_trained_on(ancestor)]
    leakage = find_leaks(table, learned)
    digest = write_table(describe_split(table, ancestor), draft / SPLIT_NAME)
    return replace(
        card,
        files=card.files | {SPLIT_NAME: digest},
        metrics={} if leakage.found else card.metrics,
        leakage=leakage,
    )


def _test_heatmaps(card: ModelCard, test: pd.DataFrame, draft: Path) -> ModelCard:
    """Measure the maps that a reading shows, on the photographs that have an outline beside them.

    Where the process with TensorFlow cannot be had, the card says that they were not tested: a
    training is not lost for it. Nor were they where test leaks: they would be on what it learned.
    """
    if card.leakage is not None and card.leakage.found:
        return card
    explainer = Explainer()
    try:
        maker = MapMaker(load_classifier(draft), draft, explainer)
        figures = measure_maps(maker, test)
    except ExplanationError as error:
        warnings.warn(f"The heatmaps were not tested. {error}", stacklevel=2)
        return card
    finally:
        explainer.close()
    return card if figures is None else replace(card, explanation={str(maker.method): figures})


def measure_readings(
    card: ModelCard, outputs: Outputs, table: pd.DataFrame, rows: NDArray[np.bool_]
) -> dict[str, Figure]:
    """Measure what the classifier said of some rows of a table; see `metrics.evaluate`."""
    return evaluate(
        outputs.probabilities[rows],
        index_labels(table, CLASS_NAMES)[rows],
        table["group"].to_numpy()[rows],
        card.class_names,
        card.melanoma_index,
        card.operating_point.threshold,
        conformal=card.conformal,
        frequencies=card.frequencies,
    )


def read_table(classifier: Classifier, table: pd.DataFrame) -> Outputs:
    """Return the outputs of a model for every photograph of a table, in its order."""
    batches = decode_table(table, classifier.card.image_size)
    parts = [classifier.classify(pixels) for _, pixels in batches]
    return Outputs(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.activation_maps for part in parts]),
    )


def describe_weights(weights: str) -> dict[str, str | None] | str:
    """Return the weights of a recipe without the path, which is nobody's business."""
    if weights in {"imagenet", "none"}:
        return weights
    path = Path(weights)
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    told = {"file": path.name, "sha256": digest}
    is_model = path.suffix == KERAS_SUFFIX and (path.parent / CARD_NAME).is_file()
    return told | ({"model_id": load_card(path.parent).model_id} if is_model else {})

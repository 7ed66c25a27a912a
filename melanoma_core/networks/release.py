"""Release a trained network as a model: both of its forms, card, split, predictions, evidence."""

import hashlib
import importlib.metadata
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from melanoma_core.data.decoding import decode_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import ExplanationError, RecipeError
from melanoma_core.evaluation.calibration import choose_threshold, fit_temperature
from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.temperature import apply_temperature
from melanoma_core.files import make_draft
from melanoma_core.models.card import (
    CARD_NAME,
    KERAS_NAME,
    ONNX_NAME,
    ExplanationFigures,
    ModelCard,
    OperatingPoint,
    load_card,
)
from melanoma_core.models.classifier import Classifier, Outputs, load_classifier
from melanoma_core.models.evidence import Evidence, TrainingLog, describe_machine, write_evidence
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import (
    PREDICTIONS_NAME,
    SPLIT_NAME,
    describe_predictions,
    describe_split,
    hash_images,
    write_table,
)
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.evidence_pack import evaluate_test, select_card_metrics
from melanoma_core.networks.explainer import Explainer
from melanoma_core.networks.export import check_agreement, describe_heatmap, export_onnx
from melanoma_core.networks.hardware import list_accelerators
from melanoma_core.networks.network import LOGITS_LAYER, add_softmax
from melanoma_core.networks.novelty import NoveltyCheck, choose_novelty_limit, fit_novelty
from melanoma_core.reading.faithfulness import MapMaker, measure_maps
from melanoma_core.reading.flow import count_readings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.ancestry import search_leaks
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.description import list_limitations
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.preparation import TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.weights import KERAS_SUFFIX

_CLASS_NAMES = tuple(Diagnosis)
_MELANOMA_INDEX = _CLASS_NAMES.index(Diagnosis.MEL)
_ADVICE = "or set MELANOMA_MODELS_DIR to another folder"
_NUM_COMPARED = 64  # photographs on which both forms of the network are compared
_INTENDED_USE = (
    "Research and education: to explore how a neural network classifies dermoscopic photographs. "
    "This is not a medical device. Do not base a diagnosis or treatment on it."
)
_WITHOUT_CHECK = "It knows eight diagnoses and assigns one of them to any photograph."
_WITH_CHECK = (
    "It knows eight diagnoses and assigns one of them to each photograph that it accepts. It "
    "refuses photographs that are unlike its training data, but an object that resembles a lesion "
    "can pass."
)


@dataclass(frozen=True)
class Origin:
    """How a network was made, for its card and evidence.

    Attributes:
        recipe: The training configuration.
        class_names: Outputs of the network, in order.
        data: Description of the data before training (`description.describe_data`).
        split: The prepared split (`preparation.prepare_split`).
        ancestor: Split (`lineage.read_split`) of the model that the training started from; None
            if it did not start from a released model.
        training: Log of the training; None if there is none.
        key: Hashes the ids of lesions and patients; by default one that is not kept.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    data: Mapping[str, Any]
    split: Split
    ancestor: pd.DataFrame | None = None
    training: TrainingLog | None = None
    key: IdKey = field(default_factory=IdKey)


def release_network(
    network: keras.Model,
    origin: Origin,
    models_dir: Path,
    novelty_weights: Path | str | None = None,
) -> Path:
    """Write a trained network as a model.

    Temperature, operating point, prediction sets and heatmap scale are fitted on validation. The
    metrics are computed on test, with the ONNX form that is used for readings.

    Args:
        network: uint8 [N, size, size, 3] -> logits, as `trainer.train_network` returns it.
        origin: How it was made.
        models_dir: Folder of models. The new model gets its own folder, named by its id.
        novelty_weights: Weights of MobileNetV2 without its head (`weights.find_novelty_weights`).
            Without them, the model has no out-of-distribution check, and its card says so.

    Returns:
        The new folder.

    Raises:
        RecipeError: The network must not be released (`check_release`).
        ModelError: The two forms of the network differ.
    """
    check_release(origin.recipe, origin.class_names)
    with make_draft(models_dir, _ADVICE) as draft:
        card = _write_network(network, origin, draft, novelty_weights)
        classifier = load_classifier(draft, card=card)
        card = _calibrate(classifier, origin.split.subset(VALIDATION))
        card, evidence = _evaluate(classifier.with_card(card), origin, draft)
        card.save(draft)
        write_evidence(draft, card, evidence)
        # Atomic: a folder with a card is always a complete model.
        return draft.rename(models_dir / card.model_id)


def check_release(recipe: Recipe, class_names: Sequence[str]) -> None:
    """Check before the training if its network may be released as a model.

    Raises:
        RecipeError: It may not.
    """
    if recipe.leaks:
        raise RecipeError(
            f'The recipe "{recipe.name}" oversamples before it splits, so its network is selected '
            "on near copies of its training images. Such a network is never released as a model. "
            "Use rebalancing=oversampling instead."
        )
    if tuple(class_names) != _CLASS_NAMES:
        raise RecipeError(
            f"Found the classes {', '.join(class_names)}. A model needs the classes "
            f"{', '.join(_CLASS_NAMES)}, in this order. Train on the diagnoses of the data."
        )


def classify_table(classifier: Classifier, table: pd.DataFrame) -> Outputs:
    """Return the outputs of a classifier for the photographs of a table, in its order.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """
    batches = [
        classifier.classify(pixels) for _, pixels in decode_table(table, classifier.card.image_size)
    ]
    distances = [batch.novelty for batch in batches if batch.novelty is not None]
    return Outputs(
        np.concatenate([batch.probabilities for batch in batches]),
        np.concatenate([batch.uncalibrated for batch in batches]),
        np.concatenate([batch.embeddings for batch in batches]),
        np.concatenate([batch.activation_maps for batch in batches]),
        np.concatenate(distances) if distances else None,
    )


def describe_weights(weights: str) -> dict[str, str | None] | str:
    """Return the initial weights of a recipe for a card, without the private path of the file."""
    if weights in {"imagenet", "none"}:
        return weights
    path = Path(weights)
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    description = {"file": path.name, "sha256": digest}
    if path.suffix == KERAS_SUFFIX and (path.parent / CARD_NAME).is_file():
        return description | {"model_id": load_card(path.parent).model_id}
    return description


def _write_network(
    network: keras.Model, origin: Origin, draft: Path, novelty_weights: Path | str | None
) -> ModelCard:
    """Write both forms of the network, and return its card without calibration and metrics."""
    recipe = origin.recipe
    check: NoveltyCheck | None = None
    if novelty_weights is not None:
        check = fit_novelty(origin.split.table, recipe.image_size, novelty_weights)
    with _corrected_bias(network, origin):
        saved = add_softmax(network)
        difference = _write_both_forms(saved, origin, draft, check)
    files = {
        name: hashlib.sha256((draft / name).read_bytes()).hexdigest()
        for name in (KERAS_NAME, ONNX_NAME)
    }
    now = datetime.now(UTC)
    # The time is part of the id: the same network with another threshold is another model.
    digest = hashlib.sha256(f"{files[ONNX_NAME]} {now.isoformat()}".encode()).hexdigest()
    return ModelCard(
        model_id=f"{recipe.architecture.lower()}-{now:%Y%m%d}-{digest[:8]}",
        created_at=now.isoformat(timespec="seconds"),
        class_names=_CLASS_NAMES,
        melanoma_index=_MELANOMA_INDEX,
        image_size=recipe.image_size,
        heatmap=describe_heatmap(saved),
        heatmap_scale=1.0,
        temperature=1.0,
        operating_point=OperatingPoint(0.5, recipe.target_sensitivity, VALIDATION),
        metrics={},
        files=files,
        data={**origin.data, "keras_onnx_difference": difference},
        recipe=asdict(recipe) | {"weights": describe_weights(recipe.weights)},
        versions={
            name: importlib.metadata.version(name)
            for name in ("keras", "tensorflow", "onnxruntime", "numpy", "pillow")
        },
        intended_use=_INTENDED_USE,
        limitations=(*list_limitations(origin.data), _WITH_CHECK if check else _WITHOUT_CHECK),
        novelty=choose_novelty_limit(check) if check else None,
    )


@contextmanager
def _corrected_bias(network: keras.Model, origin: Origin) -> Generator[None, None, None]:
    """Temporarily undo the rebalancing of the recipe in the output bias of a network."""
    bias = network.get_layer(LOGITS_LAYER).bias
    trained = keras.ops.convert_to_numpy(bias).copy()
    train = origin.split.subset(TRAIN)
    bias.assign(trained + compute_bias_correction(origin.recipe, train, origin.class_names))
    try:
        yield
    finally:
        bias.assign(trained)


def _write_both_forms(
    saved: keras.Model, origin: Origin, draft: Path, check: NoveltyCheck | None
) -> float:
    """Write the Keras and the ONNX form, and return their largest difference."""
    novelty, num_views = check.network if check else None, origin.recipe.num_views
    saved.save(draft / KERAS_NAME)
    export_onnx(saved, draft / ONNX_NAME, novelty, num_views)
    compared = origin.split.subset(VALIDATION).head(_NUM_COMPARED)
    pixels = load_pixels(compared, origin.recipe.image_size)
    return check_agreement(saved, draft / ONNX_NAME, pixels, novelty, num_views)


def _calibrate(classifier: Classifier, validation: pd.DataFrame) -> ModelCard:
    """Return the card with everything that is fitted on the validation subset."""
    card = classifier.card
    labels = index_labels(validation, _CLASS_NAMES)
    outputs = classify_table(classifier, validation)
    temperature = fit_temperature(np.log(outputs.probabilities.clip(1e-12)), labels)
    probabilities = apply_temperature(outputs.uncalibrated, temperature)
    threshold = choose_threshold(
        probabilities[:, _MELANOMA_INDEX],
        labels == _MELANOMA_INDEX,
        card.operating_point.target_sensitivity,
    )
    # The median over photographs of the peak of the top-1 diagnosis. The peak of melanoma is about
    # half of it on most alerts: a larger scale would leave them without a visible heatmap.
    top1 = probabilities.argmax(axis=1)
    peaks = outputs.activation_maps[np.arange(len(top1)), top1].max(axis=(1, 2))
    scale = float(np.median(peaks))
    predictions = LabelledPredictions(probabilities, labels, validation["group"].to_numpy())
    return replace(
        card,
        temperature=temperature,
        # If no position is evidence for any class, all maps are dark at any scale.
        heatmap_scale=scale if scale > 0 else 1.0,
        operating_point=replace(card.operating_point, threshold=threshold),
        conformal=fit_bounds(predictions, _CLASS_NAMES, VALIDATION),
    )


def _evaluate(classifier: Classifier, origin: Origin, draft: Path) -> tuple[ModelCard, Evidence]:
    """Write split and test predictions, and return the finished card and its evidence.

    Metrics and heatmap tests are withheld if there is leakage into the test subset.
    """
    table, ancestor, card = origin.split.table, origin.ancestor, classifier.card
    test = origin.split.subset(TEST)
    outputs = classify_table(classifier, test)
    predictions = describe_predictions(test, outputs.probabilities, _CLASS_NAMES)
    split = origin.key.hash_ids(describe_split(table, ancestor))
    files = card.files | {
        PREDICTIONS_NAME: write_table(predictions, draft / PREDICTIONS_NAME),
        SPLIT_NAME: write_table(split, draft / SPLIT_NAME),
    }
    tested = split[split["subset"] == TEST].merge(predictions, on="image_id", validate="one_to_one")
    leakage = search_leaks(table, ancestor, origin.key)
    evaluations = {} if leakage.found else evaluate_test(tested, table, card.rules)
    card = replace(
        card,
        files=files,
        metrics=select_card_metrics(evaluations),
        leakage=leakage,
        explanation=None if leakage.found else _test_heatmaps(classifier, test, draft),
    )
    evidence = Evidence(
        evaluations=evaluations,
        test_sha256=hash_images(tested),
        split={str(name): int(count) for name, count in split["subset"].value_counts().items()},
        training=origin.training,
        machine=describe_machine(list_accelerators()),
        flow=None if leakage.found else count_readings(card, test, outputs),
    )
    return card, evidence


def _test_heatmaps(
    classifier: Classifier, test: pd.DataFrame, draft: Path
) -> dict[str, ExplanationFigures] | None:
    """Run the faithfulness tests of heatmaps on test photographs that have an outline.

    If the process with TensorFlow fails, the tests are skipped with a warning: a finished training
    must not be lost for it.
    """
    explainer = Explainer()
    try:
        maker = MapMaker(classifier, draft, explainer)
        figures = measure_maps(maker, test)
    except ExplanationError as error:
        warnings.warn(f"The heatmaps were not tested. {error}", stacklevel=2)
        return None
    finally:
        explainer.close()
    return None if figures is None else {str(maker.method): figures}

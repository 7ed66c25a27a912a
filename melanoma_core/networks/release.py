"""Release a trained network as a model: both of its forms, card, split, predictions, evidence."""

import hashlib
import importlib.metadata
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from melanoma_core.data.splitting import Split
from melanoma_core.errors import RecipeError
from melanoma_core.files import make_draft
from melanoma_core.models.card import (
    CARD_NAME,
    KERAS_NAME,
    ONNX_NAME,
    ModelCard,
    OperatingPoint,
    OutlineFacts,
    load_card,
)
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.evidence import TrainingLog, describe_machine
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.identity import make_model_id
from melanoma_core.networks.export import check_agreement, describe_heatmap, export_onnx
from melanoma_core.networks.hardware import list_accelerators
from melanoma_core.networks.measurement import Material, measure_model
from melanoma_core.networks.network import LOGITS_LAYER, add_softmax
from melanoma_core.networks.novelty import NoveltyCheck, choose_novelty_limit, fit_novelty
from melanoma_core.networks.outline import find_weight_outside
from melanoma_core.software import VERSION
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.ancestry import search_leaks
from melanoma_core.training.description import INTENDED_USE, list_limitations
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.observer import OnPhase, Phase, ignore_phase
from melanoma_core.training.outlines import find_outline_side
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.preparation import TRAIN, VALIDATION
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.weights import KERAS_SUFFIX

_CLASS_NAMES = tuple(Diagnosis)
_MELANOMA_INDEX = _CLASS_NAMES.index(Diagnosis.MEL)
_ADVICE = "or set MELANOMA_MODELS_DIR to another folder"
_NUM_COMPARED = 64  # photographs on which both forms of the network are compared


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
        skips_tests: Whether the tests of heatmaps and robustness are left out.
        on_phase: Receives the progress of the release.
    """

    recipe: Recipe
    class_names: tuple[str, ...]
    data: Mapping[str, Any]
    split: Split
    ancestor: pd.DataFrame | None = None
    training: TrainingLog | None = None
    key: IdKey = field(default_factory=IdKey)
    skips_tests: bool = False
    on_phase: OnPhase = ignore_phase


def release_network(
    network: keras.Model,
    origin: Origin,
    models_dir: Path,
    novelty_weights: Path | str | None = None,
) -> Path:
    """Write a trained network as a model.

    Temperatures, operating points, prediction sets and heatmap scale are fitted on validation. The
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
        card = write_network(network, origin, draft, novelty_weights)
        classifier = load_classifier(draft, card=card)
        card = measure_model(classifier, _gather_material(origin), draft)
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


def _gather_material(origin: Origin) -> Material:
    table, ancestor = origin.split.table, origin.ancestor
    return Material(
        table=table,
        ancestor=ancestor,
        key=origin.key,
        leakage=search_leaks(table, ancestor, origin.key),
        training=origin.training,
        machine=describe_machine(list_accelerators()),
        on_phase=origin.on_phase,
        skips_tests=origin.skips_tests,
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


def write_network(
    network: keras.Model, origin: Origin, draft: Path, novelty_weights: Path | str | None
) -> ModelCard:
    """Write both forms of a trained network, and return its card without calibration and metrics.

    Args:
        network: uint8 [N, size, size, 3] -> logits, as `trainer.train_network` returns it.
        origin: How it was made.
        draft: Folder of the files.
        novelty_weights: As for `release_network`.

    Raises:
        ModelError: The two forms of the network differ.
    """
    recipe = origin.recipe
    check: NoveltyCheck | None = None
    if novelty_weights is not None:
        progress = partial(origin.on_phase, Phase.FITTING)
        check = fit_novelty(origin.split.table, recipe.image_size, novelty_weights, progress)
    origin.on_phase(Phase.RELEASING, 0, 0)
    with _corrected_bias(network, origin):
        saved = add_softmax(network)
        difference = _write_both_forms(saved, origin, draft, check)
    files = {
        name: hashlib.sha256((draft / name).read_bytes()).hexdigest()
        for name in (KERAS_NAME, ONNX_NAME)
    }
    now = datetime.now(UTC)
    return ModelCard(
        model_id=make_model_id(recipe.architecture, files, now),
        created_at=now.isoformat(timespec="seconds"),
        class_names=_CLASS_NAMES,
        melanoma_index=_MELANOMA_INDEX,
        image_size=recipe.image_size,
        heatmap=describe_heatmap(saved),
        heatmap_scale=1.0,
        temperature=1.0,
        operating_point=OperatingPoint(0.5, recipe.target_sensitivity, VALIDATION),
        skin_cancer_operating_point=OperatingPoint(
            0.5, recipe.skin_cancer_target_sensitivity, VALIDATION
        ),
        metrics={},
        files=files,
        data={**origin.data, "keras_onnx_difference": difference},
        recipe=asdict(recipe) | {"weights": describe_weights(recipe.weights)},
        versions={"melanoma-dashboard": VERSION}
        | {
            name: importlib.metadata.version(name)
            for name in ("keras", "tensorflow", "onnxruntime", "numpy", "pillow")
        },
        intended_use=INTENDED_USE,
        limitations=list_limitations(origin.data, has_check=check is not None),
        novelty=choose_novelty_limit(check) if check else None,
        outline=_describe_outline(recipe) if recipe.outline_weight else None,
    )


def _describe_outline(recipe: Recipe) -> OutlineFacts:
    """Return the facts of an outline that was not measured yet."""
    side = find_outline_side(recipe)
    description = (
        f"Drawn by the network on {side} × {side} cells in the pass that reads the photograph; "
        "learned from the photographs of the train subset with a manually drawn outline."
    )
    if recipe.outline_pooling:
        description += (
            f" Features outside the outline count for the diagnosis with a share of "
            f"{find_weight_outside(recipe.outline_pooling):.0%} of those inside."
        )
    return OutlineFacts(side, 0.5, VALIDATION, {}, description)


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

"""Average the weights of a model with those of the model that its training started from.

Such an average can keep what both know: it often generalises better than either (WiSE-FT, Wortsman
et al. 2022, arXiv:2109.01903). The share is chosen on validation, and everything else is then
computed as for any other release.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import ModelError
from melanoma_core.files import make_draft
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import KERAS_NAME, ModelCard, load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.found import Photographs, find_split
from melanoma_core.networks.inference import BATCH_SIZE, predict
from melanoma_core.networks.measurement import Material, measure_model
from melanoma_core.networks.network import LOGITS_LAYER, build_network
from melanoma_core.networks.outline import is_of_outline
from melanoma_core.networks.release import Origin, write_network
from melanoma_core.progress import Progress
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.epoch_metrics import measure_epoch
from melanoma_core.training.preparation import TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import Recipe

_ADVICE = "or set MELANOMA_MODELS_DIR to another folder"
_ALL = "all"


@dataclass(frozen=True, eq=False)
class Sources:
    """What a release needs besides the weights.

    Attributes:
        photographs: Those of train, validation and test.
        models_dir: Folder of models. The new model gets its own folder, named by its id.
        novelty_weights: As for `release.release_network`.
    """

    photographs: Photographs
    models_dir: Path
    novelty_weights: Path | str | None


@dataclass(frozen=True, eq=False)
class Pair:
    """A model and the weights of the one that its training started from.

    Attributes:
        card: Card of the model.
        network: The model, uint8 [N, size, size, 3] -> logits, as `network.build_network` builds
            it. Its weights change with each average.
        own: Its weights as trained, by path.
        parent: The weights of the other, by path.
    """

    card: ModelCard
    network: keras.Model
    own: Mapping[str, NDArray[np.float32]]
    parent: Mapping[str, NDArray[np.float32]]


def load_pair(folder: Path, parent: Path) -> Pair:
    """Load a model and the one that its training started from.

    Args:
        folder: Folder of the model.
        parent: Folder of the other.

    Raises:
        ModelError: The training did not start from it.
        RecipeError: Their layers differ.
    """
    card = load_card(folder)
    origin = find_parent(card)
    parent_id = load_card(parent).model_id
    if origin != parent_id:
        raise ModelError(
            f"The training of {card.model_id} started from {origin or 'no model'}, not from "
            f"{parent_id}. Only weights with a common start can be averaged."
        )
    recipe = read_recipe(card)
    network, other = (
        build_network(recipe, len(card.class_names), each / KERAS_NAME) for each in (folder, parent)
    )
    return Pair(card, network, _copy_weights(network), _copy_weights(other))


def find_parent(card: ModelCard) -> str | None:
    """Return the id of the model that a training started from; None if it started from none."""
    weights = card.recipe.get("weights")
    return weights.get("model_id") if isinstance(weights, dict) else None


def read_recipe(card: ModelCard) -> Recipe:
    """Return the recipe of a model, without its initial weights."""
    return Recipe.from_json(dump_json({**card.recipe, "weights": "none"}))


def average(pair: Pair, share: float) -> keras.Model:
    """Return the network with a share of the parent's weights; the outline head keeps its own.

    Args:
        pair: Both networks.
        share: Of the parent's weights, in [0, 1].

    Returns:
        The network of the pair, changed in place.
    """
    for weight in pair.network.weights:
        if not is_of_outline(weight):
            own, initial = pair.own[weight.path], pair.parent[weight.path]
            weight.assign((1 - share) * own + share * initial)
    return pair.network


def compare_shares(
    pair: Pair, validation: pd.DataFrame, shares: Sequence[float], progress: Progress | None = None
) -> pd.DataFrame:
    """Measure averages on validation photographs, one view each.

    Args:
        pair: Both networks.
        validation: Photographs with path, label and source.
        shares: Of the parent's weights, each in [0, 1].
        progress: Called with the photographs that are done, and all of them.

    Returns:
        One row per share and source, and one for all: share, source, num_images, melanomas, and
        the metrics "roc_auc", "balanced_accuracy" and "loss" (NaN where undefined).
    """
    logits: list[list[NDArray[np.float32]]] = [[] for _ in shares]
    for _, pixels in decode_table(
        validation, pair.card.image_size, batch_size=BATCH_SIZE, progress=progress
    ):
        for share, parts in zip(shares, logits, strict=True):
            parts.append(predict(average(pair, share), pixels))
    names = pair.card.class_names
    labels = index_labels(validation, names)
    groups = {_ALL: np.ones(len(validation), dtype=bool)}
    groups |= {
        name: (validation["source"] == name).to_numpy()
        for name in sorted(set(validation["source"]))
    }
    rows = []
    for share, parts in zip(shares, logits, strict=True):
        found = np.concatenate(parts)
        for name, chosen in groups.items():
            figures = measure_epoch(found[chosen], labels[chosen], names)
            rows.append(
                {
                    "share": share,
                    "source": name,
                    "num_images": int(chosen.sum()),
                    "melanomas": int((labels[chosen] == pair.card.melanoma_index).sum()),
                    **{key: figures[key] for key in ("roc_auc", "balanced_accuracy", "loss")},
                }
            )
    return pd.DataFrame(rows)


def release_average(
    folder: Path,
    parent: Path,
    share: float,
    sources: Sources,
) -> Path:
    """Write the average of a model and its parent as a new model.

    It is calibrated on the validation subset and measured on the test subset of the model, as any
    other release.

    Args:
        folder: Folder of the model.
        parent: Folder of the model that its training started from.
        share: Of the parent's weights, in [0, 1].
        sources: Where photographs and weights are, and where the model is written.

    Returns:
        The new folder.

    Raises:
        ModelError: The two do not fit, the model keeps no split, or a photograph is missing.
        FolderError: The new folder cannot be written.
    """
    pair, evidence = load_pair(folder, parent), read_evidence(folder)
    card = pair.card
    found = find_split(folder, card, sources.photographs, (TRAIN, VALIDATION, TEST))
    recipe = replace(read_recipe(card), weights=str(parent / KERAS_NAME), start_share=share)
    split = Split(found.table, recipe.seed, card.data["sha256"])
    data = {**card.data, "averaged_from": [card.model_id, load_card(parent).model_id]}
    origin = Origin(recipe, card.class_names, data, split, on_phase=sources.photographs.on_phase)
    network = average(pair, share)
    bias = network.get_layer(LOGITS_LAYER).bias  # the release corrects it for the draw once more
    correction = compute_bias_correction(recipe, split.subset(TRAIN), card.class_names)
    bias.assign(bias - correction)
    with make_draft(sources.models_dir, _ADVICE) as draft:
        written = write_network(network, origin, draft, sources.novelty_weights)
        material = Material(
            table=found.table,
            ancestor=found.ancestor,
            key=None,  # with another key, they could no longer be compared
            leakage=card.leakage,
            training=evidence.training if evidence else None,
            machine=evidence.machine if evidence else None,
            on_phase=sources.photographs.on_phase,
        )
        written = measure_model(load_classifier(draft, card=written), material, draft)
        return draft.rename(sources.models_dir / written.model_id)


def _copy_weights(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    return {weight.path: keras.ops.convert_to_numpy(weight) for weight in network.weights}

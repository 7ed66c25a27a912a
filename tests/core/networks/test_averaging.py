"""The weights of a model are averaged with those of the model that its training started from."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split
from melanoma_core.errors import ModelError
from melanoma_core.models.card import KERAS_NAME, load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.lineage import read_split
from melanoma_core.networks.averaging import (
    Sources,
    average,
    compare_shares,
    find_parent,
    load_pair,
    release_average,
)
from melanoma_core.networks.found import Photographs
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import build_network
from melanoma_core.networks.release import Origin, release_network
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.recipe import PRESETS

pytestmark = pytest.mark.tensorflow

RECIPE = replace(PRESETS["augmented"], image_size=64)


@pytest.fixture(scope="module")
def models(
    drawn_dataset: Dataset, drawn_split: Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A model, and the one that its training started from."""
    keras.utils.set_random_seed(3)
    folder, data = tmp_path_factory.mktemp("models"), describe_data(drawn_dataset, drawn_split)
    classes = tuple(Diagnosis)
    first = build_network(RECIPE, 8, None)
    parent = release_network(first, Origin(RECIPE, classes, data, drawn_split), folder)
    recipe = replace(RECIPE, weights=str(parent / KERAS_NAME))
    second = build_network(recipe, 8, parent / KERAS_NAME)
    for weight in second.trainable_weights:
        weight.assign(weight + 0.05 * keras.random.normal(weight.shape, seed=1))
    origin = Origin(recipe, classes, data, drawn_split, read_split(parent))
    return release_network(second, origin, folder), parent


@pytest.fixture(scope="module")
def photographs(drawn_split: Split) -> Photographs:
    return Photographs([drawn_split.table[["sha256", "path", "width", "height"]]], [Path("clinic")])


def test_the_shares_0_and_1_are_the_two_networks(models: tuple[Path, Path]):
    pair = load_pair(*models)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    own, parent = (load_keras(each / KERAS_NAME).predict(pixels) for each in models)
    read = lambda share: softmax(average(pair, share).predict(pixels), axis=1)  # noqa: E731

    assert read(0.0) == pytest.approx(own, abs=1e-6)
    assert read(1.0) == pytest.approx(parent, abs=1e-6)
    between = keras.ops.convert_to_numpy(average(pair, 0.25).get_layer("logits").kernel)
    kernels = [each["logits/kernel"] for each in (pair.own, pair.parent)]
    assert between == pytest.approx(0.75 * kernels[0] + 0.25 * kernels[1], abs=1e-6)


def test_only_a_model_and_its_parent_are_averaged(models: tuple[Path, Path]):
    model, parent = models
    assert find_parent(load_card(model)) == parent.name
    with pytest.raises(ModelError) as caught:
        load_pair(parent, model)
    assert f"started from no model, not from {model.name}" in str(caught.value)


def test_shares_are_compared_on_validation_by_source(models: tuple[Path, Path], drawn_split: Split):
    validation = drawn_split.subset("validation")
    rows = compare_shares(load_pair(*models), validation, [0.0, 0.5])

    assert set(rows["share"]) == {0.0, 0.5}
    of_all = rows[rows["source"] == "all"]
    assert list(of_all["num_images"]) == [len(validation)] * 2
    assert list(of_all["melanomas"]) == [(validation["label"] == "MEL").sum()] * 2
    assert of_all["roc_auc"].between(0, 1).all()
    assert set(rows["source"]) == {"all", *validation["source"]}


def test_the_average_is_released_with_its_own_metrics(
    models: tuple[Path, Path], photographs: Photographs
):
    model, parent = models
    sources = Sources(photographs, model.parent, None)
    written = release_average(model, parent, 0.5, sources)

    card, own = load_card(written), load_card(model)
    assert card.data["averaged_from"] == [model.name, parent.name]
    assert card.recipe["start_share"] == 0.5
    assert find_parent(card) == parent.name
    assert card.model_id != own.model_id
    assert card.leakage == own.leakage
    assert card.metrics.keys() == own.metrics.keys()
    pd.testing.assert_frame_equal(read_split(written), read_split(model))
    # The bias of a released network expects natural frequencies, so it is averaged as it is.
    pair = load_pair(model, parent)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    raw = softmax(average(pair, 0.5).predict(pixels), axis=1)
    read = load_classifier(written).classify(pixels)
    assert read.uncalibrated == pytest.approx(raw, abs=1e-4)


def test_the_average_needs_every_photograph(models: tuple[Path, Path], drawn_split: Split):
    model, parent = models
    train = drawn_split.table[drawn_split.table["subset"] != "train"]
    fewer = Photographs([train[["sha256", "path", "width", "height"]]], [Path("clinic")])
    with pytest.raises(ModelError, match=r"Found \d+ of the \d+ \w+ and \w+ and \w+ photographs"):
        release_average(model, parent, 0.5, Sources(fewer, model.parent, None))

"""Trainings with an outline, and the models that they become."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.images import read_image
from melanoma_core.data.splitting import Split
from melanoma_core.models.card import KERAS_NAME, load_card
from melanoma_core.models.card_text.sections import build_sections
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.lineage import read_split
from melanoma_core.networks.averaging import Sources, release_average
from melanoma_core.networks.estimate import estimate_cost
from melanoma_core.networks.found import Photographs
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.networks.outline import get_pooling, is_of_outline
from melanoma_core.networks.recompute import recompute_model
from melanoma_core.networks.rehearsal import rehearse_release
from melanoma_core.networks.release import Origin, release_network
from melanoma_core.networks.trainer import TrainingTask, train_network
from melanoma_core.reading.reading import Reading, read_photograph
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.observer import Stopped
from melanoma_core.training.recipe import Rebalancing, Recipe

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("tiny_backbone")]

CLASS_NAMES = tuple(Diagnosis)
PLAIN = Recipe(
    name="plain",
    weights="none",
    image_size=64,
    head_epochs=1,
    epochs=2,
    images_per_epoch=24,
    batch_size=8,
    rebalancing=Rebalancing.CLASS_WEIGHTS,
)
OUTLINED = replace(PLAIN, name="outlined", outline_weight=1.0, outline_pooling=0.6)


@pytest.fixture(scope="module")
def outlined_split(drawn_split: Split) -> Iterator[Split]:
    """The drawn lesions; every second photograph has an outline, the middle of the photograph."""
    folder = Path(drawn_split.table["path"].iloc[0]).parent.parent / "masks"
    folder.mkdir()
    inside = np.zeros((90, 120), dtype=np.uint8)
    inside[30:60, 40:80] = 255
    for path in drawn_split.table["path"][::2]:
        Image.fromarray(inside).save(folder / f"{Path(path).stem}_segmentation.png")
    yield drawn_split
    shutil.rmtree(folder)


def train(
    recipe: Recipe, split: Split, folder: Path, observer: object, weights: Path | None = None
) -> keras.Model:
    return train_network(TrainingTask(recipe, split, CLASS_NAMES, weights), folder, observer)


def test_a_resumed_training_equals_the_uninterrupted_one(
    outlined_split: Split, tmp_path: Path, make_observer: type
):
    whole = make_observer()
    expected = train(OUTLINED, outlined_split, tmp_path / "whole", whole)
    with pytest.raises(Stopped):
        train(OUTLINED, outlined_split, tmp_path / "parts", make_observer((3, 2)))
    found = train(OUTLINED, outlined_split, tmp_path / "parts", make_observer())

    for ours, theirs in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert get_pooling(found) == pytest.approx(0.6)
    figures = [report.figures["validation"] for report in whole.epochs]
    assert "outline_dice" not in figures[0]  # the head's epoch draws no outline
    assert all(0 <= each["outline_dice"] <= 1 for each in figures[1:])


def test_a_finished_model_learns_the_outline_from_where_it_was(
    outlined_split: Split, tmp_path: Path, make_observer: type
):
    path = tmp_path / "model.keras"
    keras.utils.clear_session()  # the layers of the tiny backbone have no names of their own
    finished = build_network(PLAIN, 8, None)
    add_softmax(finished).save(path)
    # So slow that nothing but the bias differs from the start.
    recipe = replace(OUTLINED, head_epochs=0, learning_rate=1e-9, outline_learning_rate=1e-2)

    keras.utils.clear_session()
    network = train(recipe, outlined_split, tmp_path, make_observer(), path)

    before = {weight.path: weight for weight in finished.weights}
    correction = compute_bias_correction(recipe, outlined_split.subset("train"), CLASS_NAMES)
    for weight in network.weights:
        if not is_of_outline(weight):
            start = before[weight.path].numpy()
            start = start - correction if weight.path == "logits/bias" else start
            np.testing.assert_allclose(weight, start, atol=1e-5)


@pytest.fixture(scope="module")
def model(
    drawn_dataset: Dataset, outlined_split: Split, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    keras.utils.set_random_seed(1)
    network = build_network(OUTLINED, 8, None)
    origin = Origin(
        OUTLINED, CLASS_NAMES, describe_data(drawn_dataset, outlined_split), outlined_split
    )
    return release_network(network, origin, tmp_path_factory.mktemp("models"))


def test_the_card_says_how_well_the_outline_was_drawn(model: Path, outlined_split: Split):
    card, evidence = load_card(model), read_evidence(model)
    assert card.outline is not None
    assert evidence is not None
    assert evidence.outlines is not None

    test = outlined_split.subset("test")
    number = int(test["path"].isin(outlined_split.table["path"][::2]).sum())
    assert card.outline.side == 16
    assert card.outline.fitted_on == "validation"
    assert 0.3 <= card.outline.threshold <= 0.7
    (source,) = test["source"].unique()
    assert set(card.outline.dice) == {"test", f"test/{source}"}
    assert card.outline.dice["test"].total == number > 0
    assert set(evidence.outlines["test"]) == {"dice", "jaccard", "failed"}
    assert evidence.outlines["test"]["dice"] == card.outline.dice["test"]
    section = next(s for s in build_sections(card, evidence) if s.title == "Outline of the lesion")
    assert f"On {number} test photographs" in section.paragraphs[1]
    assert len(section.tables[0].rows) == 2


def test_a_reading_has_the_outline(model: Path, outlined_split: Split):
    classifier = load_classifier(model)
    photograph = read_image(Path(outlined_split.table["path"].iloc[0]))

    reading = read_photograph(classifier, photograph)

    assert isinstance(reading, Reading)
    assert reading.outline is not None
    assert reading.outline.shape == (16, 16)
    assert 0 <= reading.outline.min() <= reading.outline.max() <= 1


def test_measured_again_the_outline_is_the_same(model: Path, outlined_split: Split):
    table = outlined_split.table[["sha256", "path", "width", "height"]]

    folder = recompute_model(model, Photographs([table], [Path("clinic")]), model.parent)

    before, after = load_card(model).outline, load_card(folder).outline
    assert before == after
    shutil.rmtree(folder)


def test_the_release_of_an_outline_is_rehearsed_and_its_training_estimated(outlined_split: Split):
    rehearse_release(OUTLINED, 8)

    estimate = estimate_cost(replace(OUTLINED, epochs=1), outlined_split, CLASS_NAMES)

    assert estimate.total_seconds > 0


def test_a_network_without_outlines_in_its_data_draws_all_the_same(
    drawn_dataset: Dataset, drawn_split: Split, tmp_path: Path
):
    table: pd.DataFrame = drawn_split.table.assign(
        path=[
            str(shutil.copy(path, tmp_path / "images" / Path(path).name))
            for path in drawn_split.table["path"]
            if (tmp_path / "images").mkdir(exist_ok=True) is None
        ]
    )
    split = replace(drawn_split, table=table)
    origin = Origin(OUTLINED, CLASS_NAMES, describe_data(drawn_dataset, split), split)

    folder = release_network(build_network(OUTLINED, 8, None), origin, tmp_path / "models")

    card, evidence = load_card(folder), read_evidence(folder)
    assert card.outline is not None
    assert (card.outline.dice, card.outline.threshold) == ({}, 0.5)
    section = next(s for s in build_sections(card, evidence) if s.title == "Outline of the lesion")
    assert section.paragraphs[1] == (
        "How well it agrees with manually drawn outlines was not measured."
    )


def test_the_average_of_an_outlined_model_keeps_its_outline_head(
    model: Path, outlined_split: Split
):
    plain = replace(PLAIN, epochs=1)
    parent = release_network(
        build_network(plain, 8, None),
        Origin(plain, CLASS_NAMES, load_card(model).data, outlined_split, skips_tests=True),
        model.parent,
    )
    recipe = replace(OUTLINED, weights=str(parent / KERAS_NAME))
    network = build_network(recipe, 8, model / KERAS_NAME)
    own = {each.path: keras.ops.convert_to_numpy(each) for each in network.weights}
    origin = Origin(
        recipe,
        CLASS_NAMES,
        load_card(model).data,
        outlined_split,
        read_split(parent),
        skips_tests=True,
    )
    child = release_network(network, origin, model.parent)
    photographs = Photographs([outlined_split.table[["sha256", "path"]]], [Path("clinic")])

    written = release_average(child, parent, 0.5, Sources(photographs, model.parent, None))

    averaged = {each.path: each for each in load_keras(written / KERAS_NAME).weights}
    for path, value in own.items():
        is_kept = np.allclose(keras.ops.convert_to_numpy(averaged[path]), value)
        assert is_kept or not path.startswith("outline"), path
    assert load_card(written).outline is not None

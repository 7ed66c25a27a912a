"""From a folder of photographs to a model that reads: the trainer and the release together."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from melanoma_core.data.dataset import Dataset, load_dataset
from melanoma_core.data.images import read_image
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.errors import DatasetError, ImageError, RecipeError
from melanoma_core.evaluation.calibration import choose_threshold
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import list_models
from melanoma_core.reading.reading import read_photograph
from melanoma_core.settings import load_settings
from melanoma_core.training.batches import image_weights
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.release import Origin, read_table, release_network
from melanoma_core.training.trainer import (
    TrainingProgress,
    label_indices,
    load_pixels,
    train_network,
)

RECIPE = Recipe(name="tiny", image_size=64, epochs=2, images_per_epoch=32, batch_size=16)


class StoppedByTestError(Exception):
    pass


@dataclass(frozen=True)
class Trained:
    """One training with all that went into it and came out of it."""

    dataset: Dataset
    split: Split
    checkpoints: Path
    reports: list[TrainingProgress]
    weights: list[np.ndarray]
    models_dir: Path
    model: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, draw: Callable[..., Path]) -> Trained:
    root = tmp_path_factory.mktemp("training")
    for number in range(84):
        name = "melanoma" if number % 3 == 0 else "nevus"
        draw(root / "data" / name / f"{number:02d}.jpg", number)
    draw(root / "data" / "nevus" / "copy.jpg", 1)  # of nevus/01.jpg, to the byte
    (root / "data" / "melanoma" / "broken.jpg").write_text("no picture")
    dataset = load_dataset(root / "data")
    split = split_dataset(dataset.table, RECIPE.seed)
    reports: list[TrainingProgress] = []
    network = train_network(RECIPE, split, None, root / "checkpoints", reports.append)
    weights = [np.array(w) for w in network.get_weights()]
    model = release_network(network, Origin(RECIPE, None, dataset, split), root / "models")
    return Trained(dataset, split, root / "checkpoints", reports, weights, root / "models", model)


@pytest.fixture(scope="module")
def card(trained: Trained) -> ModelCard:
    return load_card(trained.model)


def refuse_to_report(state: TrainingProgress) -> None:
    raise AssertionError(f"trained again: {state}")


def test_every_step_is_reported_once_and_in_order(trained: Trained):
    assert [(s.epoch, s.step) for s in trained.reports] == [(1, 1), (1, 2), (2, 3), (2, 4)]
    assert {(s.num_epochs, s.num_steps) for s in trained.reports} == {(2, 4)}
    assert trained.reports[-1].remaining_seconds == 0
    assert all(s.remaining_seconds > 0 for s in trained.reports[:-1])


def test_validation_is_measured_after_an_epoch_and_undefined_before(trained: Trained):
    assert all(np.isnan(s.validation_roc_auc) for s in trained.reports[:2])
    assert all(0 <= s.validation_roc_auc <= 1 for s in trained.reports[2:])
    assert all(s.loss > 0 for s in trained.reports)


def test_a_finished_training_is_taken_from_its_checkpoints(trained: Trained):
    again = train_network(RECIPE, trained.split, None, trained.checkpoints, refuse_to_report)

    for found, expected in zip(again.get_weights(), trained.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(trained: Trained, tmp_path: Path):
    def stop_in_the_second_epoch(state: TrainingProgress) -> None:
        if state.epoch == 2:
            raise StoppedByTestError

    with pytest.raises(StoppedByTestError):
        train_network(RECIPE, trained.split, None, tmp_path, stop_in_the_second_epoch)
    reports: list[TrainingProgress] = []

    resumed = train_network(RECIPE, trained.split, None, tmp_path, reports.append)

    assert [s.step for s in reports] == [3, 4]
    for found, expected in zip(resumed.get_weights(), trained.weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_state_of_another_recipe_is_not_continued(trained: Trained):
    other = replace(RECIPE, epochs=3)

    with pytest.raises(RecipeError, match="state of a training with another recipe or other data"):
        train_network(other, trained.split, None, trained.checkpoints, refuse_to_report)


def test_the_state_of_another_split_is_not_continued(trained: Trained):
    other = split_dataset(trained.dataset.table, seed=2)

    with pytest.raises(RecipeError, match="Name an empty folder"):
        train_network(RECIPE, other, None, trained.checkpoints, refuse_to_report)


def test_a_state_that_nobody_signed_is_not_continued(trained: Trained, tmp_path: Path):
    (tmp_path / "latest.weights.h5").write_bytes(b"")

    with pytest.raises(RecipeError, match="state of a training"):
        train_network(RECIPE, trained.split, None, tmp_path, refuse_to_report)


def test_a_subset_without_melanoma_is_found_before_anything_is_trained(
    trained: Trained, tmp_path: Path
):
    table = trained.split.table
    healthy = table[(table["subset"] != "validation") | (table["label"] != "MEL")]

    with pytest.raises(DatasetError, match="0 melanomas among the 8 photographs of the validation"):
        train_network(
            RECIPE, replace(trained.split, table=healthy), None, tmp_path, refuse_to_report
        )


def test_a_photograph_that_has_gone_since_is_named(trained: Trained, tmp_path: Path):
    table = trained.split.table.head(2).assign(path=tmp_path / "gone.jpg")

    with pytest.raises(ImageError, match=r"no file .*gone\.jpg"):
        load_pixels(table, 64)


def test_what_is_trained_on_is_what_a_reading_sees(
    trained: Trained, tmp_path: Path, draw: Callable[..., Path]
):
    # Large enough that every shortcut on the way down would show.
    table = trained.split.table.head(1).assign(path=draw(tmp_path / "big.jpg", 1, (1600, 1200)))
    classifier = load_classifier(trained.model)

    (measured,) = read_table(classifier, table).probabilities
    reading = read_photograph(classifier, read_image(tmp_path / "big.jpg"))

    np.testing.assert_allclose(reading.probabilities, measured, atol=1e-6)


def test_the_model_is_listed_and_no_draft_is_left(trained: Trained, card: ModelCard):
    assert [folder.name for folder in trained.models_dir.iterdir()] == [card.model_id]
    assert card.model_id.startswith("mobilenetv2-20")
    listed = dict(list_models(replace(load_settings(), models_dir=trained.models_dir)))
    # As JSON, in which an undefined figure equals itself; since Python 3.13 NaN in a card does not.
    assert listed[trained.model].to_json() == card.to_json()


def test_the_card_holds_the_hashes_of_both_files(trained: Trained, card: ModelCard):
    assert set(card.files) == {"model.keras", "model.onnx"}
    for name, expected in card.files.items():
        assert hashlib.sha256((trained.model / name).read_bytes()).hexdigest() == expected


def test_the_card_is_strict_json_and_names_no_path(trained: Trained, tmp_path: Path):
    text = (trained.model / "card.json").read_text("utf-8")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)  # NaN is not JSON
    for path in (trained.models_dir.parent, Path.cwd(), Path.home(), tmp_path):
        assert f"{path}/" not in text


def test_the_card_counts_what_was_trained_and_measured_on(trained: Trained, card: ModelCard):
    table = trained.split.table

    assert card.data["sha256"] == trained.split.sha256
    assert card.data["images"] == {"train": 60, "test": 12, "validation": 12}
    assert card.data["lesions"] == {"train": 60, "test": 12, "validation": 12}
    assert card.data["images_by_label"]["test"] == {"MEL": 4, "NV": 8}
    assert card.data["images_by_source"]["train"] == {"data": 60}
    assert card.data["file_decisions"] == {
        "copy of an image that is kept": 1,
        "the file cannot be read": 1,
    }
    assert card.data["images_without"] == {"lesion_id": 84, "patient_id": 84}
    assert card.data["longer_side_pixels"] == {"min": 120, "median": 120, "max": 120}
    assert card.recipe == asdict(RECIPE) | {"weights": None}
    assert card.metrics["test"]["accuracy"].total == (table["subset"] == "test").sum()
    assert card.metrics["test"]["sensitivity"].total == 4
    assert card.metrics["test"]["specificity"].total == 8
    assert set(card.metrics) == {"test", "test/data"}
    assert card.metrics["test/data"]["sensitivity"] == card.metrics["test"]["sensitivity"]
    assert np.isnan(card.metrics["test"]["recall_BCC"].value)


def test_the_threshold_is_that_of_the_validation_subset_for_095(trained: Trained, card: ModelCard):
    validation = trained.split.subset("validation")
    outputs = read_table(load_classifier(trained.model), validation)
    melanoma = outputs.probabilities[:, card.melanoma_index]

    expected = choose_threshold(melanoma, (validation["label"] == "MEL").to_numpy(), 0.95)

    assert card.operating_point.threshold == pytest.approx(expected, abs=1e-7)
    assert card.operating_point.chosen_on == "validation"
    assert card.operating_point.target_sensitivity == 0.95


def test_the_figures_are_those_of_the_test_subset_at_that_threshold(
    trained: Trained, card: ModelCard
):
    test = trained.split.subset("test")
    outputs = read_table(load_classifier(trained.model), test)
    alert = outputs.probabilities[:, card.melanoma_index] >= card.operating_point.threshold
    is_melanoma = (test["label"] == "MEL").to_numpy()

    assert card.metrics["test"]["sensitivity"].count == (alert & is_melanoma).sum()
    assert card.metrics["test"]["specificity"].count == (~alert & ~is_melanoma).sum()


def test_the_saved_network_is_the_trained_one_with_the_natural_frequencies(trained: Trained):
    labels = label_indices(trained.split.subset("train"))
    weights = image_weights(labels, RECIPE.class_balance)
    drawn = np.bincount(labels, weights, minlength=8)[:2]
    saved = keras.models.load_model(trained.model / "model.keras", compile=False)

    bias = keras.ops.convert_to_numpy(saved.get_layer("logits").bias)

    # A third of the images, melanomas are drawn 1 to the root of 2.
    np.testing.assert_allclose(drawn, [0.41421356, 0.58578644])
    np.testing.assert_allclose(
        (bias - trained.weights[-1])[:2],
        np.log([(1 / 3) / drawn[0], (2 / 3) / drawn[1]]),
        atol=1e-6,
    )
    np.testing.assert_array_equal((bias - trained.weights[-1])[2:], 0)


def test_both_forms_of_the_network_agree(card: ModelCard):
    assert card.data["keras_onnx_difference"] < 1e-4


def test_the_same_network_released_again_is_another_model(trained: Trained):
    network = train_network(RECIPE, trained.split, None, trained.checkpoints, refuse_to_report)
    origin = Origin(RECIPE, None, trained.dataset, trained.split)

    again = load_card(release_network(network, origin, trained.models_dir.parent / "others"))

    assert again.model_id != trained.model.name
    assert again.metrics.keys() == load_card(trained.model).metrics.keys()
    assert again.operating_point.threshold == pytest.approx(
        load_card(trained.model).operating_point.threshold, abs=1e-6
    )

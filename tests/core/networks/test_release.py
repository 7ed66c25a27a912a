"""Release of a trained network as a model."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.drawn.lesions import write_demonstration
from melanoma_core.data.images import read_image
from melanoma_core.data.splitting import Split
from melanoma_core.errors import RecipeError
from melanoma_core.evaluation.calibration import choose_threshold
from melanoma_core.evaluation.rules import ConformalBound
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import read_predictions, read_split
from melanoma_core.models.predictions import index_labels
from melanoma_core.models.registry import list_models
from melanoma_core.networks.measurement import classify_table
from melanoma_core.networks.network import build_network
from melanoma_core.networks.release import (
    Origin,
    check_release,
    describe_weights,
    release_network,
)
from melanoma_core.reading.reading import read_photograph
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.draw import compute_bias_correction, compute_loss_shares
from melanoma_core.training.recipe import PRESETS, Rebalancing, Recipe

CLASS_NAMES = tuple(Diagnosis)
RECIPE = Recipe(name="tiny", weights="none", image_size=64)
SMALL = replace(PRESETS["augmented"], image_size=64, target_sensitivity=0.5)


@dataclass(frozen=True)
class Released:
    """A released model, and what it was made from."""

    dataset: Dataset
    split: Split
    origin: Origin
    network: keras.Model
    weights: list[np.ndarray]
    models_dir: Path
    model: Path


def release(recipe: Recipe, dataset: Dataset, split: Split, models_dir: Path) -> Released:
    # The weights do not matter for these tests.
    keras.utils.set_random_seed(1)
    network = build_network(recipe, 8, None)
    weights = network.get_weights()
    origin = Origin(recipe, CLASS_NAMES, describe_data(dataset, split), split)
    model = release_network(network, origin, models_dir)
    return Released(dataset, split, origin, network, weights, models_dir, model)


@pytest.fixture(scope="module")
def trained(
    drawn_dataset: Dataset,
    drawn_split: Split,
    tmp_path_factory: pytest.TempPathFactory,
    tiny_backbone: None,  # noqa: ARG001
) -> Released:
    return release(RECIPE, drawn_dataset, drawn_split, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def small(
    drawn_dataset: Dataset, drawn_split: Split, tmp_path_factory: pytest.TempPathFactory
) -> Released:
    """A model without a backbone, whose photographs had outlines: the lower half of each."""
    folder = Path(drawn_split.table["path"].iloc[0]).parent.parent / "masks"
    folder.mkdir()
    inside = np.zeros((90, 120), dtype=np.uint8)
    inside[45:] = 255
    for path in drawn_split.table["path"]:
        Image.fromarray(inside).save(folder / f"{Path(path).stem}_segmentation.png")
    released = release(SMALL, drawn_dataset, drawn_split, tmp_path_factory.mktemp("small"))
    shutil.rmtree(folder)
    return released


@pytest.fixture(scope="module")
def leaking(small: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the same network, with leakage by its split and by its ancestor."""
    table = small.split.table
    leaked = table[table["subset"] == "test"].head(2).assign(subset="train", image_id=["x", "y"])
    split = replace(small.split, table=pd.concat([table, leaked], ignore_index=True))
    ancestor = table.assign(subset="train", parent_image_id=None)
    origin = replace(small.origin, split=split, ancestor=ancestor)
    return release_network(small.network, origin, tmp_path_factory.mktemp("leaking"))


@pytest.fixture(scope="module")
def card(trained: Released) -> ModelCard:
    return load_card(trained.model)


def test_training_and_reading_decode_a_photograph_alike(
    trained: Released, tmp_path: Path, draw: Callable[..., Path]
):
    # Large, so that any other way of downscaling would give other pixels.
    table = trained.split.table.head(1).assign(path=draw(tmp_path / "big.jpg", 1, (1600, 1200)))
    classifier = load_classifier(trained.model)

    (measured,) = classify_table(classifier, table).probabilities
    reading = read_photograph(classifier, read_image(tmp_path / "big.jpg"))

    np.testing.assert_allclose(reading.probabilities, measured, atol=1e-6)


def test_the_model_is_listed_and_no_draft_remains(trained: Released, card: ModelCard):
    assert [folder.name for folder in trained.models_dir.glob("[!.]*")] == [card.model_id]
    assert card.model_id.startswith("mobilenetv2-20")
    listed = dict(list_models(replace(load_settings(), models_dir=trained.models_dir)))
    # As JSON, because NaN does not equal itself.
    assert to_jsonable(listed[trained.model]) == to_jsonable(card)


def test_the_card_contains_the_hashes_of_all_files(trained: Released, card: ModelCard):
    names = {"model.keras", "model.onnx", "split.csv.gz", "predictions.csv.gz"}
    assert set(card.files) == names
    for name, expected in card.files.items():
        assert hashlib.sha256((trained.model / name).read_bytes()).hexdigest() == expected


def test_the_card_is_strict_json_without_paths(trained: Released, tmp_path: Path):
    text = (trained.model / "card.json").read_text("utf-8")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)  # NaN is not JSON
    for path in (trained.models_dir.parent, Path.cwd(), Path.home(), tmp_path):
        assert f"{path}/" not in text


def test_the_card_counts_the_images_of_training_and_test(trained: Released, card: ModelCard):
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
    assert card.data["files"] == {
        "found": 86,
        "kept": 84,
        "relabelled": 0,
        "left_out": {"copy of an image that is kept": 1, "the file cannot be read": 1},
    }
    assert card.data["images_without"] == {"lesion_id": 84, "patient_id": 84}
    assert card.data["longer_side_pixels"] == {"min": 120, "median": 120, "max": 120}
    assert card.recipe == asdict(RECIPE)
    assert card.heatmap == "activation-maps"
    assert card.metrics["test"]["accuracy"].total == (table["subset"] == "test").sum()
    assert card.metrics["test"]["sensitivity"].total == 4
    assert card.metrics["test"]["specificity"].total == 8
    assert set(card.metrics) == {"test", "test/data"}
    assert card.metrics["test/data"]["sensitivity"] == card.metrics["test"]["sensitivity"]
    assert np.isnan(card.metrics["test"]["recall_BCC"].value)


def test_the_evidence_counts_every_test_photograph_once_by_alert_and_ground_truth(
    trained: Released, card: ModelCard
):
    evidence = read_evidence(trained.model)

    assert evidence is not None
    assert evidence.flow is not None
    assert (evidence.flow.num_images, evidence.flow.num_lesions) == (12, 12)
    assert evidence.flow.refused == {}
    melanoma = evidence.flow.tables[0]
    assert (melanoma.present.total, melanoma.absent.total) == (4, 8)
    assert melanoma.present.alert == card.metrics["test"]["sensitivity"].count
    assert melanoma.absent.no_alert == card.metrics["test"]["specificity"].count


def test_the_threshold_is_that_of_the_validation_subset_for_095(trained: Released, card: ModelCard):
    validation = trained.split.subset("validation")
    outputs = classify_table(load_classifier(trained.model), validation)
    melanoma = outputs.probabilities[:, card.melanoma_index]

    expected = choose_threshold(melanoma, (validation["label"] == "MEL").to_numpy(), 0.95)

    assert card.operating_point.threshold == pytest.approx(expected, abs=1e-7)
    assert card.operating_point.chosen_on == "validation"
    assert card.operating_point.target_sensitivity == 0.95


def test_the_threshold_is_for_the_target_sensitivity_of_the_recipe(small: Released):
    card, validation = load_card(small.model), small.split.subset("validation")
    outputs = classify_table(load_classifier(small.model), validation)
    melanoma = outputs.probabilities[:, card.melanoma_index]

    expected = choose_threshold(melanoma, (validation["label"] == "MEL").to_numpy(), 0.5)

    assert card.operating_point.threshold == pytest.approx(expected, abs=1e-7)
    assert card.operating_point.target_sensitivity == 0.5


def test_the_skin_cancer_threshold_is_for_its_own_target_on_the_sum_of_the_malignant(
    small: Released,
):
    card, validation = load_card(small.model), small.split.subset("validation")
    outputs = classify_table(load_classifier(small.model), validation)
    malignant = [CLASS_NAMES.index(name) for name in ("MEL", "BCC", "SCC")]
    probability = outputs.probabilities[:, malignant].sum(axis=1)

    own = choose_threshold(probability, (validation["label"] == "MEL").to_numpy(), 0.95)
    # Never above the melanoma threshold: a melanoma is a skin cancer.
    expected = min(own, card.operating_point.threshold)

    point = card.skin_cancer_operating_point
    assert point is not None
    assert point.threshold == pytest.approx(expected, abs=1e-7)
    assert (point.target_sensitivity, point.chosen_on) == (0.95, "validation")
    assert card.metrics["test"]["skin_cancer_sensitivity"].total == 4


def test_lesions_of_one_photograph_each_have_no_temperature_of_their_own(card: ModelCard):
    assert card.lesion_temperature is None
    assert card.metrics["test"]["lesion_melanoma_roc_auc"].value == pytest.approx(
        card.metrics["test"]["melanoma_roc_auc"].value
    )
    assert np.isnan(card.metrics["test"]["lesion_alerts_differ"].value)


def test_lesions_confirmed_by_histopathology_are_reported_first(small: Released, tmp_path: Path):
    table = small.split.table
    is_confirmed = (table["subset"] == "test") & (np.arange(len(table)) % 2 == 0)
    confirmed = table.assign(
        confirmation=pd.Series("histopathology", table.index).where(is_confirmed, None)
    )
    origin = replace(small.origin, split=replace(small.split, table=confirmed))

    model = release_network(small.network, origin, tmp_path)

    card, evidence, split = load_card(model), read_evidence(model), read_split(model)
    assert list(card.metrics) == ["test:histopathology", "test", "test/data"]
    assert card.metrics["test:histopathology"]["accuracy"].total == is_confirmed.sum()
    assert evidence is not None
    pairs = evidence.evaluations["test"].confirmed
    assert {each.confirmation for each in pairs} == {"histopathology", "not recorded"}
    assert sum(each.melanoma_alert.total for each in pairs) == 12
    assert split is not None
    assert split["confirmation"].eq("histopathology").sum() == is_confirmed.sum()


def test_prediction_sets_are_fitted_on_validation_and_have_no_bound_for_few_lesions(
    card: ModelCard,
):
    assert card.conformal is not None
    assert (card.conformal.coverage, card.conformal.fitted_on) == (0.9, "validation")
    assert list(card.conformal.bounds) == list(CLASS_NAMES)
    # A bound needs at least nine lesions.
    assert card.conformal.bounds["MEL"] == ConformalBound(None, 4)
    assert card.conformal.bounds["NV"] == ConformalBound(None, 8)
    assert np.isnan(card.metrics["test"]["coverage_NV"].value)


def test_the_metrics_are_those_of_the_test_subset_at_that_threshold(
    trained: Released, card: ModelCard
):
    test = trained.split.subset("test")
    outputs = classify_table(load_classifier(trained.model), test)
    alert = outputs.probabilities[:, card.melanoma_index] >= card.operating_point.threshold
    is_melanoma = (test["label"] == "MEL").to_numpy()

    assert card.metrics["test"]["sensitivity"].count == (alert & is_melanoma).sum()
    assert card.metrics["test"]["specificity"].count == (~alert & ~is_melanoma).sum()


def test_artefacts_are_drawn_onto_the_test_photographs(trained: Released, card: ModelCard):
    is_melanoma = trained.split.subset("test")["label"] == "MEL"

    assert card.robustness is not None
    assert list(card.robustness)[:3] == ["ink", "hair", "ruler"]
    for figures in card.robustness.values():
        assert figures["refused"].total == len(is_melanoma)
        assert figures["sensitivity"].total == is_melanoma.sum()
        assert "skin_cancer_sensitivity_change" in figures


def test_the_saved_split_and_test_predictions_reproduce_the_metrics(
    trained: Released, card: ModelCard
):
    split, predictions = read_split(trained.model), read_predictions(trained.model)

    assert split is not None
    assert predictions is not None
    assert split["subset"].value_counts().to_dict() == {"train": 60, "test": 12, "validation": 12}
    assert set(split["sha256"]) == set(trained.split.table["sha256"])
    alert = predictions["p_MEL"] >= card.operating_point.threshold
    assert (
        card.metrics["test"]["sensitivity"].count == (alert & (predictions["label"] == "MEL")).sum()
    )
    assert card.leakage is not None
    assert (card.leakage.found, card.leakage.num_test, card.leakage.num_others) == (0, 12, 72)


def test_no_file_of_a_model_holds_an_id_of_a_lesion_or_patient(small: Released, tmp_path: Path):
    names = [f"clinic/{number}" for number in range(len(small.split.table))]
    ancestor = small.split.table.assign(
        subset="train", parent_image_id=None, sha256=names, lesion_id="clinic/old", patient_id=None
    )
    table = small.split.table.assign(lesion_id=names, patient_id="clinic/Ada")
    origin = replace(
        small.origin, split=replace(small.split, table=table), ancestor=ancestor, key=IdKey()
    )

    model = release_network(small.network, origin, tmp_path)

    split = read_split(model)
    assert split is not None
    own = split[split["subset"] != "inherited"]
    assert own["lesion_id"].nunique() == len(table)
    assert own["patient_id"].nunique() == 1
    for name in ("card.json", "evidence.json", "split.csv.gz", "predictions.csv.gz"):
        content = (model / name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content
        assert b"clinic/old" not in content
        assert b"clinic/Ada" not in content
        assert split["lesion_id"].str.startswith("hmac-sha256:").all()


def test_the_evidence_contains_the_metrics_of_the_card_and_its_origin(
    trained: Released, card: ModelCard
):
    evidence = read_evidence(trained.model)

    assert evidence is not None
    assert evidence.evaluations.keys() == card.metrics.keys()
    figures = evidence.evaluations["test"].figures
    for name in ("sensitivity", "specificity", "accuracy", "melanoma_roc_auc"):
        assert figures[name] == card.metrics["test"][name]
    assert evidence.split == {"train": 60, "test": 12, "validation": 12}
    assert evidence.machine is not None
    assert evidence.machine.num_cores >= 1
    assert evidence.training is None


def test_leakage_by_the_split_and_by_the_ancestor_withholds_the_metrics(leaking: Path):
    card, evidence = load_card(leaking), read_evidence(leaking)

    assert card.leakage is not None
    assert card.leakage.found == 12  # all test images by the ancestor, two also by the split
    assert card.leakage.examples[0].endswith("x in train: the same photograph (SHA-256)")
    assert any("ancestry" in example for example in card.leakage.examples)
    assert card.metrics == {}
    assert card.explanation is None
    assert card.robustness is None
    assert evidence is not None
    assert evidence.evaluations == {}
    assert evidence.flow is None


def test_the_saved_network_is_the_trained_one_for_natural_class_frequencies(trained: Released):
    labels = index_labels(trained.split.subset("train"), CLASS_NAMES)
    drawn = np.bincount(labels, compute_loss_shares(labels, RECIPE), minlength=8)[:2]
    saved = keras.models.load_model(trained.model / "model.keras", compile=False)

    bias = keras.ops.convert_to_numpy(saved.get_layer("logits").bias)

    # Melanomas are a third of the images, and drawn at odds of 1 to the square root of 2.
    np.testing.assert_allclose(drawn, [0.41421356, 0.58578644])
    np.testing.assert_allclose(
        (bias - trained.weights[-1])[:2],
        np.log([(1 / 3) / drawn[0], (2 / 3) / drawn[1]]),
        atol=1e-6,
    )
    np.testing.assert_array_equal((bias - trained.weights[-1])[2:], 0)


def test_a_release_does_not_change_the_trained_network(trained: Released):
    for found, expected in zip(trained.network.get_weights(), trained.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def correct(trained: Released, recipe: Recipe, split: Split) -> list[float]:
    names = trained.origin.class_names
    return np.exp(compute_bias_correction(recipe, split.subset("train"), names)[:2]).tolist()


def test_a_recipe_without_rebalancing_is_not_corrected(trained: Released):
    assert correct(trained, SMALL, trained.split) == [1.0, 1.0]


def test_class_weights_are_corrected_like_a_balanced_draw(trained: Released):
    weighed = replace(SMALL, rebalancing=Rebalancing.CLASS_WEIGHTS)
    drawn = replace(SMALL, class_balance=1.0)

    # Melanomas are half of the loss, and a third of the images.
    expected = pytest.approx([(1 / 3) / (1 / 2), (2 / 3) / (1 / 2)])
    assert correct(trained, weighed, trained.split) == expected
    assert correct(trained, drawn, trained.split) == expected


def test_oversampling_is_corrected(trained: Released):
    table = trained.split.table.assign(parent_image_id=None)
    melanomas = table[(table["subset"] == "train") & (table["label"] == "MEL")]
    children = melanomas.assign(parent_image_id=melanomas["image_id"])
    split = replace(trained.split, table=pd.concat([table, children], ignore_index=True))
    recipe = replace(SMALL, rebalancing=Rebalancing.OVERSAMPLING)

    assert len(melanomas) == 20
    assert correct(trained, recipe, split) == pytest.approx([(1 / 3) / (1 / 2), (2 / 3) / (1 / 2)])


def test_both_forms_of_the_network_agree(card: ModelCard):
    assert card.data["keras_onnx_difference"] < 1e-4


def test_the_same_network_released_again_is_another_model(small: Released, leaking: Path):
    card, again = load_card(small.model), load_card(leaking)

    assert again.model_id != card.model_id
    assert again.temperature == pytest.approx(card.temperature)
    assert again.operating_point.threshold == pytest.approx(card.operating_point.threshold)


def test_a_small_network_becomes_a_model_with_heatmaps_of_every_class(
    small: Released, tmp_path: Path
):
    (lesion, *_) = write_demonstration(tmp_path)
    classifier = load_classifier(small.model)

    reading = read_photograph(classifier, read_image(lesion))

    assert classifier.card.heatmap == "gradients at pooling_3"
    assert classifier.card.model_id.startswith("smallcnn-20")
    assert sum(reading.probabilities) == pytest.approx(1)
    heatmaps = reading.heatmaps()
    assert heatmaps.shape[0] == 8
    assert heatmaps.min() >= 0
    assert 0 < heatmaps.max() <= 1


def test_a_network_of_a_recipe_that_leaks_is_never_released(small: Released):
    origin = replace(small.origin, recipe=PRESETS["leaky"])

    with pytest.raises(RecipeError, match='"leaky" oversamples before it splits'):
        release_network(small.network, origin, small.models_dir)
    assert len(list(small.models_dir.glob("[!.]*"))) == 1


def test_a_network_of_other_classes_than_the_diagnoses_is_not_released():
    check_release(SMALL, CLASS_NAMES)
    with pytest.raises(RecipeError, match=r"Found the classes melanoma, nevus\. A model needs"):
        check_release(SMALL, ("melanoma", "nevus"))


def test_a_card_names_the_initial_weights_without_their_folder(tmp_path: Path):
    path = tmp_path / "backbone.weights.h5"
    path.write_bytes(b"weights")
    recipes = [replace(RECIPE, weights=name) for name in ("imagenet", str(path), "/gone/x.h5")]

    digest = hashlib.sha256(b"weights").hexdigest()
    assert [describe_weights(recipe.weights) for recipe in recipes] == [
        "imagenet",
        {"file": "backbone.weights.h5", "sha256": digest},
        {"file": "x.h5", "sha256": None},
    ]


def test_heatmaps_are_tested_on_test_photographs_with_an_outline(small: Released):
    explanation = load_card(small.model).explanation
    assert explanation is not None
    assert set(explanation) == {"grad-cam"}
    figures = explanation["grad-cam"]
    assert set(figures) == {"all", "MEL", "NV"}
    overall = figures["all"]
    num_flat = round(12 * overall["flat_maps"].value)
    assert overall["energy_inside"].total == 12 - num_flat
    assert overall["flat_maps"].total == 12
    assert overall["lesion_share"].value == 0.5
    assert overall["energy_centred"].value == pytest.approx(0.5)
    assert set(overall) - set(figures["MEL"]) == {
        *("deletion", "deletion_random", "deletion_gain"),
        *("insertion", "insertion_random", "insertion_gain"),
        *("similarity_head", "similarity_half", "similarity_network"),
    }
    assert overall["similarity_network"].total > 0
    assert overall["similarity_network"].value < 0.99


def test_without_outlines_the_heatmaps_are_not_tested(card: ModelCard):
    assert card.explanation is None

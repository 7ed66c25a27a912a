"""Out-of-distribution check of a released model, with real photographs and real weights."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pandas as pd
import pytest

from melanoma_core.cli.main import main
from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.drawn.non_lesions import NonLesionKind
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import read_image
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.evaluation.novelty import (
    FeatureDistribution,
    fit_feature_distribution,
    get_origins,
)
from melanoma_core.models.card_text.wording import describe_novelty
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.networks.export import check_agreement, export_onnx
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.networks.novelty import add_distance, build_feature_network
from melanoma_core.networks.release import Origin, release_network
from melanoma_core.reading.reading import Reading, Refusal, RefusalKind, read_files, read_photograph
from melanoma_core.reading.refusals import measure_folder, measure_non_lesions
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.recipe import PRESETS, make_recipe
from melanoma_core.training.weights import find_novelty_weights

# A small untrained network, because these tests concern only the check.
RECIPE = replace(PRESETS["augmented"], image_size=96)
NUM_LESIONS = 700  # photographs of train, validation and test


@pytest.fixture(scope="session")
def lesions(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real photographs of HAM10000 and ISIC 2017, in a ratio of 4:1, in folders by diagnosis."""
    folder = tmp_path_factory.mktemp("lesions") / "data"
    ham = pd.read_csv(shared_data / "ham10000" / "HAM10000_metadata.csv")
    ham = ham.drop_duplicates("lesion_id").sample(NUM_LESIONS * 4 // 5, random_state=0)
    for image_id, label in zip(ham["image_id"], ham["dx"], strict=True):
        link(shared_data / "ham10000" / "images" / f"{image_id}.jpg", folder / "ham10000" / label)
    others = sorted((shared_data / "isic2017").rglob("*.jpg"))
    labels = pd.read_csv(shared_data / "isic2017" / "labels.csv").set_index("image_id")
    for path in others[:: len(others) * 5 // NUM_LESIONS][: NUM_LESIONS // 5]:
        row = labels.loc[path.stem]
        label = "mel" if row["melanoma"] else "bkl" if row["seborrheic_keratosis"] else "nv"
        link(path, folder / "isic2017" / label)
    return folder


def link(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).symlink_to(path)


@pytest.fixture(scope="session")
def split(lesions: Path) -> Split:
    records = open_folder(lesions, FactCache(lesions.parent)).records
    return split_dataset(merge_records(records).table, seed=0)


@pytest.fixture(scope="session")
def model(split: Split, shared_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(1)
    network = build_network(RECIPE, 8, None)
    origin = Origin(RECIPE, tuple(Diagnosis), {}, split)
    models_dir = tmp_path_factory.mktemp("guarded")
    with pytest.MonkeyPatch.context() as patch:
        # With so few photographs, the usual share would be less than one photograph.
        patch.setattr("melanoma_core.networks.novelty.LARGEST_SHARE", 0.02)
        return release_network(network, origin, models_dir, shared_weights)


@pytest.fixture(scope="session")
def guarded(model: Path) -> Classifier:
    return load_classifier(model, num_threads=1)


@pytest.fixture(scope="session")
def ordinary(shared_data: Path) -> list[Path]:
    """Photographs of ants and bees, which were not used for fitting."""
    return sorted((shared_data / "ordinary_photos").glob("*.jpg"))[::4]


def test_photographs_of_other_objects_are_refused(guarded: Classifier, ordinary: list[Path]):
    share = measure_folder(guarded, "ordinary", ordinary, num_workers=2)

    assert share.refused.total == 61
    assert share.refused.count >= 55  # 99% if the check is fitted to thousands
    assert share.by_kind == {RefusalKind.UNFAMILIAR: share.refused.count}


@pytest.mark.parametrize("kind", NonLesionKind)
def test_drawn_non_lesion_images_are_refused(guarded: Classifier, kind: NonLesionKind):
    share = measure_non_lesions(guarded, kind, 20)

    assert share.refused.total == 20
    assert share.refused.count >= 19


def test_unseen_lesions_are_accepted(guarded: Classifier, split: Split):
    paths = [Path(path) for path in split.subset("test")["path"]]

    share = measure_folder(guarded, "test", paths, num_workers=2)

    assert share.refused.total >= 90
    assert share.refused.value <= 0.03


def test_a_refusal_gives_the_distance_and_advice(guarded: Classifier, ordinary: list[Path]):
    refusal = read_photograph(guarded, read_image(ordinary[0]))

    assert isinstance(refusal, Refusal)
    assert guarded.card.novelty is not None
    assert refusal.novelty > refusal.novelty_limit == guarded.card.novelty.distance
    assert f"(distance {refusal.novelty:.1f}, limit {refusal.novelty_limit:.1f})" in refusal.reason
    assert "Take a photograph through a dermoscope" in refusal.reason


def test_a_reading_contains_its_distance(guarded: Classifier, split: Split):
    reading = read_photograph(guarded, read_image(Path(split.subset("train")["path"].iloc[0])))

    assert isinstance(reading, Reading)
    assert 0 < reading.novelty < reading.novelty_limit
    assert not reading.is_drawn


def test_only_unchanged_drawn_lesions_skip_the_check(guarded: Classifier, tmp_path: Path):
    lesion = DEMONSTRATION_LESIONS[0].path
    changed = tmp_path / "changed.jpg"
    changed.write_bytes(lesion.read_bytes() + b"\0")
    strict = guarded.with_card(
        replace(guarded.card, novelty=replace(guarded.card.novelty, distance=1.0))
    )

    (_, drawn), (_, other) = read_files(strict, [lesion, changed])

    assert isinstance(drawn, Reading)
    assert drawn.is_drawn
    assert drawn.novelty_limit is None
    assert isinstance(other, Refusal)


def test_the_distance_is_that_of_the_train_subset(guarded: Classifier, split: Split):
    pixels = load_pixels(split.table, RECIPE.image_size)
    origins = get_origins(split.table)
    train = origins.subsets == "train"

    features = guarded.describe(pixels)
    distribution = fit_feature_distribution(features[train], origins.labels[train])

    assert features.shape == (len(split.table), 384)
    np.testing.assert_allclose(
        guarded.classify(pixels[:64]).novelty, distribution.measure(features[:64]), rtol=1e-4
    )


def test_the_card_contains_the_refused_shares(guarded: Classifier, split: Split):
    limit = guarded.card.novelty

    assert limit is not None
    assert limit.chosen_on == "validation"
    assert {"validation", "test", "test/ham10000", "test/isic2017"} <= set(limit.refused)
    assert "isic2017 left out" in limit.refused  # without HAM10000, too few images remain
    assert limit.refused["validation"].value <= limit.largest_share
    assert limit.refused["test"].total == len(split.subset("test"))
    assert "block_10_expand_relu" in limit.features


def test_the_keras_form_does_not_contain_the_check(model: Path):
    saved = keras.models.load_model(model / "model.keras", compile=False)

    assert saved.count_params() == build_network(RECIPE, 8, None).count_params()
    assert (model / "model.onnx").stat().st_size - (model / "model.keras").stat().st_size < 3e6


def test_a_model_without_the_check_says_so(unguarded: Path):
    raw = json.loads((unguarded / "card.json").read_text("utf-8"))
    lax = load_classifier(unguarded, num_threads=1)
    reading = read_photograph(lax, read_image(DEMONSTRATION_LESIONS[0].path))

    assert raw["novelty"] is None
    assert isinstance(reading, Reading)
    assert reading.novelty_limit is None
    assert describe_novelty(lax.card).startswith("This model has no out-of-distribution check")


def test_the_weights_of_the_check_are_found_for_any_architecture(
    shared_weights: Path, tmp_path: Path
):
    small, frozen = make_recipe("baseline", []), make_recipe("transfer", ["weights=none"])
    gone = replace(frozen, weights=str(tmp_path / "gone.h5"))

    for recipe in (small, frozen, gone):
        assert find_novelty_weights(recipe, shared_weights.parent) == shared_weights
        assert find_novelty_weights(recipe, None) is None
    # Keras downloaded them at the start of the training.
    assert find_novelty_weights(make_recipe("transfer", []), None) == "imagenet"


@pytest.fixture
def call(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command with the model, and return its status, output and log."""
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(model.parent))
    monkeypatch.setenv("MELANOMA_MODEL", model.name)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        return main([str(argument) for argument in arguments]), *capsys.readouterr()

    return run


def test_other_photographs_are_read_beside_a_refused_one(call, ordinary: list[Path], split: Split):
    paths = [ordinary[0], *split.subset("train")["path"].head(2), ordinary[4]]

    status, answer, _ = call("predict", *paths, "--json")

    rows = json.loads(answer)
    assert status == 0
    assert [row["status"] for row in rows] == ["read", "read", "refused", "refused"]
    assert rows[2]["novelty"] > rows[2]["novelty_limit"] > rows[0]["novelty"]
    assert rows[2]["melanoma_probability"] is None
    assert rows[2]["probabilities"] is None
    assert call("predict", ordinary[0])[0] == 2


def test_the_command_reports_each_folder_and_each_kind_of_drawn_image(
    call, ordinary: list[Path], tmp_path: Path
):
    for path in (ordinary[0], ordinary[4]):
        link(path, tmp_path / "mixed" / "bees")
    (tmp_path / "mixed" / "broken.jpg").write_text("no image")

    _, answer, _ = call("refusals", tmp_path / "mixed", "--impostors", "3", "--json")
    _, lines, _ = call("refusals", tmp_path / "mixed")

    shares = json.loads(answer)["shares"]
    names = ["bees", "mixed", *(f"drawn {kind}" for kind in NonLesionKind)]
    assert [share["name"] for share in shares] == names
    assert [share["refused"]["total"] for share in shares] == [2, 1, 3, 3, 3, 3]
    assert [share["by_kind"] for share in shares[:2]] == [{"unfamiliar": 2}, {"unreadable": 1}]
    assert lines.startswith("bees: 2 of 2, 100.0% (95% CI 15.8–100.0%) refused (2 unfam")


def test_the_command_refits_the_check_without_a_collection(
    call, lesions: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path))

    _, answer, _ = call("refusals", lesions, "--leave-out", "isic2017", "--json")
    status, _, log = call("refusals", lesions, "--leave-out", "isic2018")

    (share,) = json.loads(answer)["shares"]
    assert share["name"] == "isic2017 left out"
    assert share["refused"]["total"] == NUM_LESIONS // 5
    assert share["refused"]["value"] < 0.1
    assert status == 2
    assert 'Found no collection "isic2018"' in log


def test_a_folder_without_photographs_is_an_error(call, tmp_path: Path):
    status, _, log = call("refusals", tmp_path)

    assert status == 2
    assert log.startswith("Found no photograph in")


def test_the_layers_that_training_kept_are_computed_once(shared_weights: Path, tmp_path: Path):
    """52 convolutions, the maps, and those of the check beyond `frozen_stride`: 21 of its 31."""
    network = build_network(PRESETS["sources"], 8, shared_weights)
    for layer in network.layers:
        if layer.trainable:
            layer.set_weights([1.01 * weight for weight in layer.get_weights()])
    network = add_softmax(network)
    network.trainable = False
    side = network.input_shape[1]
    distribution = FeatureDistribution(np.zeros((8, 384)), np.eye(384))
    check = add_distance(build_feature_network(side, shared_weights), distribution)
    pixels = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    export_onnx(network, tmp_path / "model.onnx", check)

    nodes = onnx.load(tmp_path / "model.onnx").graph.node
    assert sum(node.op_type == "Conv" for node in nodes) == 52 + 1 + 21
    assert check_agreement(network, tmp_path / "model.onnx", pixels, check) < 1e-4

"""Search for the initial weights of a network."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.errors import ModelError, RecipeError
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.training.recipe import Architecture, make_recipe
from melanoma_core.training.weights import find_novelty_weights, find_weights

# As keras.applications names them.
KERAS_NAMES = {
    "MobileNetV2": "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    "EfficientNetV2B0": "efficientnetv2-b0_notop.h5",
    "ResNet50V2": "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "ConvNeXtTiny": "convnext_tiny_notop.h5",
}


@pytest.fixture
def weights_dir(tmp_path: Path) -> Path:
    for name in (*KERAS_NAMES.values(), KERAS_NAMES["MobileNetV2"].replace("224", "96")):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("architecture", KERAS_NAMES)
def test_the_file_of_each_backbone_is_found_by_its_keras_name(weights_dir: Path, architecture: str):
    recipe = make_recipe("transfer", [f"architecture={architecture}"])

    assert find_weights(recipe, weights_dir) == weights_dir / KERAS_NAMES[architecture]


def test_without_a_file_keras_downloads_the_weights(tmp_path: Path):
    assert find_weights(make_recipe("transfer", []), tmp_path) == "imagenet"
    assert find_weights(make_recipe("transfer", []), None) == "imagenet"


def test_random_weights_need_no_file(weights_dir: Path):
    assert find_weights(make_recipe("transfer", ["weights=none"]), weights_dir) is None
    assert find_weights(make_recipe("baseline", ["weights=imagenet"]), weights_dir) is None


def test_a_file_in_the_recipe_takes_precedence_and_must_exist(weights_dir: Path):
    own = weights_dir / "own.h5"
    recipe = make_recipe("transfer", [f"weights={own}"])
    with pytest.raises(RecipeError, match=r"Found no file of weights .*own\.h5"):
        find_weights(recipe, weights_dir)

    own.touch()

    assert find_weights(recipe, weights_dir) == own


def test_a_complete_model_gives_initial_weights_but_not_those_of_the_ood_check(
    weights_dir: Path, tmp_path: Path
):
    start = write_start(tmp_path, b"a network")
    recipe = make_recipe("transfer", [f"weights={start}"])

    assert find_weights(recipe, None) == start
    assert find_weights(replace(recipe, architecture=Architecture.SMALL_CNN, head_epochs=0), None)
    assert find_novelty_weights(recipe, None) is None
    assert find_novelty_weights(recipe, weights_dir) == weights_dir / KERAS_NAMES["MobileNetV2"]


def test_a_complete_model_that_is_not_the_one_of_its_card_is_refused(tmp_path: Path):
    start = write_start(tmp_path, b"a network")
    recipe = make_recipe("transfer", [f"weights={start}"])

    start.write_bytes(b"another")
    with pytest.raises(ModelError, match=r"model\.keras is not the file that its card describes"):
        find_weights(recipe, None)
    start.rename(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"other\.keras is not the file that its card describes"):
        find_weights(replace(recipe, weights=str(tmp_path / "other.keras")), None)
    (tmp_path / "card.json").unlink()
    with pytest.raises(ModelError, match=r"Found no card\.json in"):
        find_weights(replace(recipe, weights=str(tmp_path / "other.keras")), None)


def write_start(folder: Path, content: bytes) -> Path:
    """Write the Keras form of a model with a card that names its hash."""
    files = {"model.keras": hashlib.sha256(content).hexdigest()}
    replace(load_card(BUNDLED), files=files).save(folder)
    (folder / "model.keras").write_bytes(content)
    return folder / "model.keras"

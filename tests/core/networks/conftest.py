"""Networks that several test modules use, each loaded or exported once."""

from dataclasses import replace
from pathlib import Path

import keras
import pytest

from melanoma_core.models.card import KERAS_NAME, load_card
from melanoma_core.networks.export import export_onnx
from melanoma_core.networks.gradients import load_network
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.training.recipe import PRESETS


@pytest.fixture(scope="session")
def bundled_network(bundled: Path) -> keras.Model:
    """The Keras form of the bundled model."""
    return load_network(bundled, load_card(bundled).files[KERAS_NAME])


@pytest.fixture(scope="session")
def small_network() -> keras.Model:
    """A network without an average: two dense layers over a flattened activation."""
    keras.utils.set_random_seed(1)
    recipe = replace(PRESETS["augmented"], batch_normalization=True, image_size=36)
    return add_softmax(build_network(recipe, 3, None))


@pytest.fixture(scope="session")
def small_onnx(small_network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ONNX form of the small network."""
    path = tmp_path_factory.mktemp("small") / "model.onnx"
    export_onnx(small_network, path)
    return path

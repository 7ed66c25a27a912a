import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.networks.keras_file import load_keras


class Foreign(keras.layers.Layer):
    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        return inputs


def save(layer: keras.layers.Layer, path: Path) -> Path:
    photograph = keras.Input((3,))
    keras.Model(photograph, layer(photograph)).save(path)
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return save(keras.layers.Dense(2), tmp_path / "whole.keras")


def test_a_network_of_keras_own_layers_is_loaded(whole: Path):
    assert load_keras(whole).predict(np.zeros((1, 3)), verbose=0).shape == (1, 2)


def test_python_code_in_a_file_is_refused_without_advice_to_switch_the_protection_off(
    tmp_path: Path,
):
    path = save(keras.layers.Lambda(lambda values: values * 2), tmp_path / "code.keras")

    with pytest.raises(ModelError, match="it holds Python code of its own") as caught:
        load_keras(path)

    assert "safe_mode" not in str(caught.value)


def test_a_layer_that_keras_does_not_have_is_named(tmp_path: Path):
    path = save(Foreign(), tmp_path / "foreign.keras")

    with pytest.raises(ModelError, match=r"it needs Foreign, which Keras does not have"):
        load_keras(path)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("config.json", None),
        ("config.json", b"["),
        ("config.json", b"[" * 100_000),
        ("model.weights.h5", None),
        ("model.weights.h5", b"no weights"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(whole: Path, part: str, content: bytes | None):
    damaged = whole.with_name("damaged.keras")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            if name != part or content is not None:
                new.writestr(name, old.read(name) if name != part else content or b"")

    with pytest.raises(ModelError, match=r"damaged\.keras: it is not a complete network"):
        load_keras(damaged)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and more", None])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "network.keras"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ModelError, match="it is not a complete network in Keras' format"):
        load_keras(path)

"""Every architecture that is offered becomes a model."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
from keras.src.applications import convnext, efficientnet_v2, resnet

from melanoma_core.errors import ModelError
from melanoma_core.models.card import KERAS_NAME
from melanoma_core.networks import export
from melanoma_core.networks.export import check_agreement, export_onnx
from melanoma_core.networks.exportable import ErrorGelu, make_exportable
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.training.recipe import Architecture, Recipe

WITH_RELU6 = {Architecture.MOBILENET, Architecture.EFFICIENTNET_LITE}
pytestmark = pytest.mark.tensorflow


def build(architecture: Architecture) -> keras.Model:
    """Return a network with random weights, none of which does nothing."""
    keras.utils.set_random_seed(1)
    recipe = Recipe(name="x", architecture=architecture, image_size=32, head_epochs=0)
    network = build_network(recipe, 8, None)
    rng = np.random.default_rng(1)
    for weight in network.weights:
        if "layer_scale" in weight.path:  # 1e-6 at first, which hides what the block does
            weight.assign(rng.uniform(0.2, 0.4, weight.shape))
        elif weight.path.endswith("bias"):
            weight.assign(rng.uniform(-0.1, 0.1, weight.shape))
        elif weight.path.endswith("gamma") and architecture in WITH_RELU6:
            weight.assign(rng.uniform(2.3, 3.7, weight.shape))  # else nothing reaches the end
    return add_softmax(network)


@pytest.fixture
def short_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each stage of a large network have one or two blocks: more add no operator."""
    stack = resnet.stack_residual_blocks_v2
    monkeypatch.setattr(
        resnet,
        "stack_residual_blocks_v2",
        lambda x, filters, blocks, **options: stack(x, filters, min(blocks, 2), **options),
    )
    monkeypatch.setitem(convnext.MODEL_CONFIGS["tiny"], "depths", [1, 1, 1, 1])
    stages = efficientnet_v2.DEFAULT_BLOCKS_ARGS["efficientnetv2-b0"]
    for stage in stages:
        monkeypatch.setitem(stage, "num_repeat", 1)


@pytest.mark.usefixtures("short_stages")
@pytest.mark.parametrize("architecture", Architecture)
def test_both_forms_of_every_architecture_agree(tmp_path: Path, architecture: Architecture):
    network = build(architecture)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    pixels[0] //= 4

    export_onnx(network, tmp_path / "model.onnx")
    network.save(tmp_path / KERAS_NAME)
    saved = load_keras(tmp_path / KERAS_NAME)

    assert check_agreement(saved, tmp_path / "model.onnx", pixels) < 1e-5
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [each.name for each in session.get_inputs()] == ["photograph"]
    expected = keras.ops.convert_to_numpy(network(pixels))
    (found,) = session.run(["probabilities"], {"photograph": pixels})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-4  # they differ between photographs


def test_gelu_by_the_error_function_is_that_of_keras():
    values = np.linspace(-12, 12, 2001, dtype=np.float32)

    found = keras.ops.convert_to_numpy(ErrorGelu()(values))

    expected = keras.ops.convert_to_numpy(keras.activations.gelu(values))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_network_that_onnx_has_all_operators_for_is_not_copied():
    network = build(Architecture.SMALL_CNN)

    assert make_exportable(network) is network


def test_a_network_that_onnx_lacks_an_operator_for_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "make_exportable", lambda network: network)
    photograph = keras.Input((32, 32, 3), dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 255)(photograph)
    active = keras.layers.Activation("gelu")(keras.layers.Conv2D(4, 3)(scaled))
    pooled = keras.layers.GlobalAveragePooling2D(name="embedding")(active)
    logits = keras.layers.Dense(3, name="logits")(pooled)
    network = keras.Model(photograph, keras.layers.Softmax()(logits), name="mine")

    with pytest.raises(ModelError, match=r"Found the operator Erfc in the ONNX form of mine"):
        export_onnx(network, tmp_path / "model.onnx")

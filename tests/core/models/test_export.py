"""The two forms of the bundled network, compared on real photographs."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.utils.scores import CategoricalScore

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.errors import ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import OUTPUT_NAMES
from melanoma_core.models.export import check_agreement, export_onnx


@pytest.fixture(scope="module")
def network(bundled: Path) -> keras.Model:
    return keras.models.load_model(bundled / "model.keras", compile=False)


@pytest.fixture(scope="module")
def photographs(bundled: Path, shared_data: Path) -> NDArray[np.uint8]:
    """Sixteen photographs at the network's size, of three collections and nine folders."""
    size = load_card(bundled).image_size
    folders = sorted((shared_data / "isic9" / "Test").iterdir())
    paths = [sorted(folder.iterdir())[0] for folder in folders]
    paths += sorted((shared_data / "ham10000").rglob("ISIC_002430*.jpg"))[:4]
    paths += sorted((shared_data / "isic2017").rglob("*.jpg"))[:3]
    assert len(paths) == 16
    return np.stack([resize_to_square(read_image(path).pixels, size) for path in paths])


@pytest.fixture(scope="module")
def served(bundled: Path, photographs: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(
        bundled / "model.onnx", providers=["CPUExecutionProvider"]
    )
    return dict(
        zip(OUTPUT_NAMES, session.run(OUTPUT_NAMES, {"photograph": photographs}), strict=True)
    )


def test_probabilities_agree(
    network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    expected = keras.ops.convert_to_numpy(network(photographs))

    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 1e-3  # they are not one answer for everything


def test_embeddings_agree(
    network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    pooled = keras.Model(network.input, network.get_layer("embedding").output)(photographs)

    np.testing.assert_allclose(served["embedding"], keras.ops.convert_to_numpy(pooled), atol=1e-3)


def test_the_mean_of_a_map_and_the_bias_is_the_logit(
    network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    head = network.get_layer("logits")
    logits = keras.ops.convert_to_numpy(keras.Model(network.input, head.output)(photographs))
    bias = keras.ops.convert_to_numpy(head.bias)

    means = served["activation_maps"].mean(axis=(2, 3)) + bias

    np.testing.assert_allclose(means, logits, atol=2e-3)


def test_activation_maps_are_the_grad_cam_of_tf_keras_vis(
    network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    last_activation = network.get_layer("embedding").input._keras_history.operation.name
    # No gradient passes the whole numbers of the input: tf-keras-vis is given a float one.
    floats = keras.models.clone_model(network, input_tensors=keras.Input(network.input_shape[1:]))
    floats.set_weights(network.get_weights())
    logits = keras.Model(floats.input, floats.get_layer("logits").output)
    gradcam = Gradcam(logits, clone=False)
    for class_index in (0, 1, 4):
        expected = gradcam(
            CategoricalScore([class_index] * len(photographs)),
            photographs.astype(np.float32),
            penultimate_layer=last_activation,
            seek_penultimate_conv_layer=False,
            normalize_cam=False,
            expand_cam=False,
        )
        ours = served["activation_maps"][:, class_index].clip(min=0)

        # Grad-CAM weighs by the mean gradient, which is the kernel over the number of places.
        num_places = ours.shape[1] * ours.shape[2]
        np.testing.assert_allclose(np.asarray(expected) * num_places, ours, atol=2e-3)
        assert ours.max() > 0.05
        assert np.corrcoef(np.ravel(expected), ours.ravel())[0, 1] > 0.999


def test_another_network_is_found_out(bundled: Path, photographs: NDArray[np.uint8]):
    other = keras.models.load_model(bundled / "model.keras", compile=False)
    head = other.get_layer("logits")
    head.bias.assign(keras.ops.convert_to_numpy(head.bias) + np.eye(8, dtype=np.float32)[0])

    with pytest.raises(ModelError, match=r"differs from the Keras one by .*Do not use it"):
        check_agreement(other, bundled / "model.onnx", photographs)


def test_a_network_exported_anew_agrees_and_takes_any_number_of_photographs(tmp_path: Path):
    photograph = keras.Input((32, 32, 3), dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 255)(photograph)
    features = keras.layers.Conv2D(4, 3, strides=8, activation="relu")(scaled)
    pooled = keras.layers.GlobalAveragePooling2D(name="embedding")(features)
    logits = keras.layers.Dense(3, name="logits")(pooled)
    network = keras.Model(photograph, keras.layers.Softmax()(logits))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)

    export_onnx(network, tmp_path / "model.onnx")

    assert check_agreement(network, tmp_path / "model.onnx", pixels) < 1e-6
    assert check_agreement(network, tmp_path / "model.onnx", pixels[:1]) < 1e-6
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [i.name for i in session.get_inputs()] == ["photograph"]
    assert [(o.name, o.shape[1:]) for o in session.get_outputs()] == [
        ("probabilities", [3]),
        ("embedding", [4]),
        ("activation_maps", [3, 4, 4]),
    ]

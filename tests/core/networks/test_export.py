"""Export to ONNX: both forms of the bundled network, compared on real photographs."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.errors import ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import OUTPUT_NAMES
from melanoma_core.models.methods import Method
from melanoma_core.networks.export import check_agreement, describe_heatmap, export_onnx
from melanoma_core.networks.gradients import GradientMaps
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.training.recipe import PRESETS


@pytest.fixture(scope="module")
def photographs(bundled: Path, shared_data: Path) -> NDArray[np.uint8]:
    """Sixteen photographs at the input size, of three collections and nine folders."""
    size = load_card(bundled).image_size
    folders = sorted((shared_data / "isic9" / "Test").iterdir())
    paths = [sorted(folder.iterdir())[0] for folder in folders]
    paths += sorted((shared_data / "ham10000").rglob("ISIC_002430*.jpg"))[:4]
    paths += sorted((shared_data / "isic2017").rglob("*.jpg"))[:3]
    assert len(paths) == 16
    return np.stack([resize_to_square(read_image(path).pixels, size) for path in paths])


@pytest.fixture(scope="module")
def served(
    bundled_network: keras.Model,
    photographs: NDArray[np.uint8],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, NDArray[np.float32]]:
    """Outputs of the bundled network exported with a single view, like its Keras form."""
    path = tmp_path_factory.mktemp("once") / "model.onnx"
    export_onnx(bundled_network, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return dict(
        zip(OUTPUT_NAMES, session.run(OUTPUT_NAMES, {"photograph": photographs}), strict=True)
    )


def test_both_forms_of_the_bundled_network_agree(
    bundled_network: keras.Model, bundled: Path, photographs: NDArray[np.uint8]
):
    num_views = load_card(bundled).recipe["num_views"]

    difference = check_agreement(
        bundled_network, bundled / "model.onnx", photographs, num_views=num_views
    )

    assert 0 < difference < 1e-4


def test_probabilities_agree(
    bundled_network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    expected = keras.ops.convert_to_numpy(bundled_network(photographs))

    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 1e-3  # they differ between photographs


def test_embeddings_agree(
    bundled_network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    embedding = bundled_network.get_layer("embedding").output
    pooled = keras.Model(bundled_network.input, embedding)(photographs)

    np.testing.assert_allclose(served["embedding"], keras.ops.convert_to_numpy(pooled), atol=1e-3)


def test_the_mean_of_a_map_and_the_bias_is_the_logit(
    bundled_network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    head = bundled_network.get_layer("logits")
    to_logits = keras.Model(bundled_network.input, head.output)
    logits = keras.ops.convert_to_numpy(to_logits(photographs))
    bias = keras.ops.convert_to_numpy(head.bias)

    means = served["activation_maps"].mean(axis=(2, 3)) + bias

    np.testing.assert_allclose(means, logits, atol=2e-3)


def test_activation_maps_are_the_grad_cam_of_tf_keras_vis(
    bundled_network: keras.Model,
    photographs: NDArray[np.uint8],
    served: dict[str, NDArray[np.float32]],
):
    classes = np.arange(len(photographs)) % 8
    maps = served["activation_maps"][np.arange(len(photographs)), classes].clip(min=0)

    expected = GradientMaps(bundled_network).explain(photographs, classes, Method.GRAD_CAM)

    np.testing.assert_allclose(maps, expected, atol=2e-3)  # in logits
    assert maps.max() > 1
    assert np.corrcoef(expected.ravel(), maps.ravel())[0, 1] > 0.9999


def test_a_network_with_an_average_has_activation_maps(bundled_network: keras.Model):
    assert describe_heatmap(bundled_network) == "activation-maps"


def test_the_onnx_form_of_another_network_is_refused(
    bundled_network: keras.Model, bundled: Path, photographs: NDArray[np.uint8]
):
    bias = bundled_network.get_layer("logits").bias
    original = keras.ops.convert_to_numpy(bias).copy()
    bias.assign(original + np.eye(8, dtype=np.float32)[0])

    with pytest.raises(ModelError, match=r"between the ONNX form .*Do not use the model"):
        check_agreement(bundled_network, bundled / "model.onnx", photographs, num_views=4)
    bias.assign(original)


def test_an_exported_network_agrees_and_accepts_any_number_of_photographs(tmp_path: Path):
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


def test_without_an_average_the_maps_are_the_gradients_of_tensorflow(
    small_network: keras.Model, small_onnx: Path
):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 36, 36, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(small_onnx)
    (maps,) = session.run(["activation_maps"], {"photograph": pixels})
    activation = small_network.get_layer("pooling_3").output
    activations = tf.constant(keras.Model(small_network.input, activation)(pixels))
    head_input = keras.Input(activation.shape[1:])
    head_output = head_input
    for name in ("flat", "dropout", "embedding", "logits"):
        head_output = small_network.get_layer(name)(head_output)
    head = keras.Model(head_input, head_output)

    for class_index in range(3):
        with tf.GradientTape() as tape:
            tape.watch(activations)
            logits = head(activations)[:, class_index]
        gradients = tape.gradient(logits, activations).numpy()
        expected = np.einsum("nf,nhwf->nhw", gradients.sum(axis=(1, 2)), activations.numpy())
        np.testing.assert_allclose(maps[:, class_index], expected, atol=1e-5)
        assert np.ptp(expected) > 0.1
    assert maps.shape == (4, 3, 4, 4)
    assert describe_heatmap(small_network) == "gradients at pooling_3"
    assert check_agreement(small_network, small_onnx, pixels) < 1e-5


def test_maps_of_another_head_are_refused(small_network: keras.Model, small_onnx: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 36, 36, 3), dtype=np.uint8)
    head = small_network.get_layer("logits")
    kernel = keras.ops.convert_to_numpy(head.kernel).copy()

    # Equal for all classes: the probabilities do not change, but every map does.
    head.kernel.assign(kernel + 0.5)
    with pytest.raises(ModelError, match=r"Found a difference of .* in a map between"):
        check_agreement(small_network, small_onnx, pixels)
    head.kernel.assign(kernel)


@pytest.mark.usefixtures("tiny_backbone")
@pytest.mark.parametrize(("preset", "num_views"), [("baseline", 4), ("transfer", 2)])
def test_with_several_views_outputs_are_averaged_and_maps_aligned(
    tmp_path: Path, preset: str, num_views: int
):
    keras.utils.set_random_seed(1)
    network = add_softmax(build_network(replace(PRESETS[preset], image_size=64), 8, None))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    for name, views in (("one", 1), ("several", num_views)):
        export_onnx(network, tmp_path / name, num_views=views)

    def run(name: str, shown: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return onnxruntime.InferenceSession(tmp_path / name).run(
            OUTPUT_NAMES, {"photograph": shown}
        )

    rows_and_columns = [(1, 1), (-1, -1), (1, -1), (-1, 1)][:num_views]
    single = [run("one", pixels[:, ::rows, ::columns]) for rows, columns in rows_and_columns]
    log_mean = np.mean([np.log(each[0]) for each in single], axis=0)
    aligned = [
        each[2][:, :, ::rows, ::columns]
        for each, (rows, columns) in zip(single, rows_and_columns, strict=True)
    ]
    probabilities, embeddings, maps = run("several", pixels)

    expected = np.exp(log_mean) / np.exp(log_mean).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(embeddings, np.mean([e[1] for e in single], axis=0), atol=1e-4)
    np.testing.assert_allclose(maps, np.mean(aligned, axis=0), atol=1e-3)
    assert check_agreement(network, tmp_path / "several", pixels, num_views=num_views) < 1e-4


def test_a_network_with_one_view_does_not_agree_with_two_views(tmp_path: Path):
    keras.utils.set_random_seed(1)
    network = add_softmax(build_network(replace(PRESETS["baseline"], image_size=32), 8, None))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    export_onnx(network, tmp_path / "one")

    with pytest.raises(ModelError, match="between the ONNX form"):
        check_agreement(network, tmp_path / "one", pixels, num_views=2)

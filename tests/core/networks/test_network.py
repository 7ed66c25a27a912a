"""Networks of recipes: weights, layers, losses and optimizers."""

import math
import urllib.request
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from melanoma_core.errors import ModelError, RecipeError
from melanoma_core.networks.network import (
    add_softmax,
    build_network,
    make_loss,
    make_optimizer,
    seed_dropout,
    split_network,
)
from melanoma_core.training.recipe import PRESETS, Architecture, Loss, Recipe

RECIPE = Recipe(name="small", image_size=96)
RECIPE_SMALL = replace(PRESETS["baseline"], image_size=32)
LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]], dtype=np.float32)
TARGETS = np.eye(3, dtype=np.float32)[[0, 2]]
PLAIN = Recipe(name="x", label_smoothing=0.0)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_network(RECIPE, 8, None)


def test_a_missing_weights_file_is_named(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"Found no file .*gone\.weights\.h5"):
        build_network(RECIPE, 8, tmp_path / "gone.weights.h5")


@pytest.mark.parametrize("name", ["text.weights.h5", "text.h5", "text.txt"])
def test_a_file_without_weights_is_refused(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text("no weights")

    with pytest.raises(RecipeError, match=r"do not load into MobileNetV2"):
        build_network(RECIPE, 8, path)


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras then refuses the rest
def test_the_weights_of_another_architecture_are_refused(tmp_path: Path):
    path = tmp_path / "other.weights.h5"
    inputs = keras.Input((8, 8, 3))
    keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs)).save_weights(path)

    with pytest.raises(RecipeError, match=r"other\.weights\.h5 do not load into MobileNetV2"):
        build_network(RECIPE, 8, path)


def test_a_failed_download_of_weights_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A closed port. An opener of an earlier download would have another proxy.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setattr(keras.src.backend.config, "_KERAS_DIR", str(tmp_path))

    with pytest.raises(RecipeError, match=r"Cannot download the weights of MobileNetV2 \("):
        build_network(RECIPE, 8, "imagenet")


def test_the_input_is_uint8_and_the_output_logits(network: keras.Model):
    assert network.input.dtype == "uint8"
    assert network.input_shape == (None, 96, 96, 3)
    assert network.output_shape == (None, 8)

    logits = keras.ops.convert_to_numpy(network(np.zeros((2, 96, 96, 3), dtype=np.uint8)))

    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits[0], logits[1])


def test_the_network_scales_its_input(network: keras.Model):
    scaling = next(x for x in network.layers if isinstance(x, keras.layers.Rescaling))
    pixels = np.array([0, 255], dtype=np.uint8)

    np.testing.assert_allclose(keras.ops.convert_to_numpy(scaling(pixels)), [-1, 1], atol=1e-6)


def test_only_batch_normalisation_is_frozen(network: keras.Model):
    frozen = {type(layer).__name__ for layer in network.layers if not layer.trainable}

    assert frozen == {"BatchNormalization"}
    assert sum(isinstance(x, keras.layers.BatchNormalization) for x in network.layers) == 52


@pytest.mark.parametrize("image_size", [96, 100])
def test_layers_with_an_output_finer_than_the_stride_are_frozen(image_size: int):
    recipe = replace(RECIPE, image_size=image_size, frozen_stride=8)
    network = build_network(recipe, 8, None)

    trained = [layer for layer in network.layers if layer.trainable and layer.weights]

    # One eighth, rounded up: from the first layer after the third halving.
    assert max(layer.output.shape[1] for layer in trained[:-1]) == math.ceil(image_size / 8)
    assert trained[0].name == "block_3_depthwise"
    assert trained[-1].name == "logits"


@pytest.fixture(scope="module")
def efficientnet() -> keras.Model:
    recipe = replace(RECIPE, architecture=Architecture.EFFICIENTNET, frozen_stride=8)
    return build_network(recipe, 8, None)


def test_squeeze_and_excitation_is_frozen_with_the_layers_around_it(efficientnet: keras.Model):
    layers = efficientnet.layers
    weighted = [layer.name for layer in layers if layer.weights]
    trained = [layer.name for layer in layers if layer.trainable and layer.weights]

    normalised = {layer.name for layer in layers if "normalization" in type(layer).__name__.lower()}
    rest = [name for name in weighted if name not in normalised]
    assert 0 < len(trained) < len(rest)
    assert trained == rest[-len(trained) :]  # the frozen layers are the first ones, without gaps


def test_a_training_step_does_not_change_the_statistics_of_batch_normalisation(
    network: keras.Model,
):
    normalisation = next(
        x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)
    )
    before = [keras.ops.convert_to_numpy(v).copy() for v in normalisation.variables]

    network(
        np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3)).astype("uint8"), training=True
    )

    for variable, expected in zip(normalisation.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), expected)


def test_the_backbone_is_inline_and_its_embedding_and_logits_are_named(network: keras.Model):
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert network.get_layer("embedding").output.shape == (None, 1280)
    assert network.get_layer("logits").kernel.shape == (1280, 8)


def test_the_small_network_is_that_of_the_tutorials():
    small = build_network(PRESETS["baseline"], 9, None)

    shapes = [
        layer.kernel.shape
        for layer in small.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense))
    ]
    assert shapes == [(3, 3, 3, 16), (3, 3, 16, 32), (3, 3, 32, 64), (22 * 22 * 64, 128), (128, 9)]
    assert small.input.dtype == "uint8"
    assert small.count_params() == 3_989_801
    assert not any(isinstance(x, keras.layers.BatchNormalization) for x in small.layers)


def test_batch_normalisation_of_the_small_network_precedes_the_activation_and_is_trained():
    small = build_network(replace(PRESETS["augmented"], batch_normalization=True), 8, None)

    names = [layer.name.partition("_")[0] for layer in small.layers]
    assert names[2:6] == ["convolution", "normalization", "activation", "pooling"]
    assert small.get_layer("normalization_1").trainable
    assert small.get_layer("dropout").rate == 0.2


def test_backbone_and_head_together_are_the_network(network: keras.Model):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    backbone, head = split_network(network)

    whole = keras.ops.convert_to_numpy(network(pixels))
    parts = keras.ops.convert_to_numpy(head(backbone(pixels)))

    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert [variable.shape for variable in head.trainable_variables] == [(1280, 8), (8,)]


def test_dropout_depends_only_on_the_seed_and_the_epoch():
    recipe = replace(PRESETS["augmented"], image_size=32)
    one, other = (build_network(recipe, 8, None) for _ in range(2))
    dropped = [keras.Model(n.input, n.get_layer("dropout").output) for n in (one, other)]
    other.set_weights(one.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)

    def draw(which: int, seed: int, epoch: int) -> np.ndarray:
        seed_dropout((one, other)[which], seed, epoch)
        return keras.ops.convert_to_numpy(dropped[which](pixels, training=True))

    first = draw(0, 1, 4)
    unseeded = keras.ops.convert_to_numpy(dropped[0](pixels, training=True))
    np.testing.assert_array_equal(draw(1, 1, 4), first)
    np.testing.assert_array_equal(draw(0, 1, 4), first)
    assert not np.array_equal(unseeded, first)
    assert not np.array_equal(draw(0, 1, 5), first)
    assert not np.array_equal(draw(0, 2, 4), first)


def test_mixed_precision_computes_in_16_bits_and_returns_32():
    mixed = build_network(RECIPE_SMALL, 8, None, "mixed_float16")

    assert mixed.get_layer("embedding").compute_dtype == "float16"
    assert mixed.output.dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_the_saved_network_gives_the_softmax_of_the_logits(network: keras.Model):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)

    logits = keras.ops.convert_to_numpy(network(pixels)).astype(np.float64)
    probabilities = keras.ops.convert_to_numpy(add_softmax(network)(pixels))

    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)


@pytest.mark.parametrize(
    "architecture", [Architecture.EFFICIENTNET_LITE, Architecture.RESNET, Architecture.CONVNEXT]
)
def test_the_other_architectures_accept_uint8_too(architecture: Architecture):
    other = build_network(Recipe(name="x", architecture=architecture, image_size=64), 8, None)

    assert other.input.dtype == "uint8"
    assert other.output_shape == (None, 8)


def test_efficientnet_accepts_uint8_too(efficientnet: keras.Model):
    assert efficientnet.input.dtype == "uint8"
    assert efficientnet.output_shape == (None, 8)


def test_the_same_file_of_imagenet_weights_gives_the_same_features(shared_data: Path):
    path = shared_data.parent / "weights" / "mobilenet_v2_1.0_224_no_top.weights.h5"
    pixels = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), dtype=np.uint8)

    one, other = (build_network(RECIPE, 8, path) for _ in range(2))

    features = [keras.Model(n.input, n.get_layer("embedding").output)(pixels) for n in (one, other)]
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, features))


def test_the_weights_of_efficientnet_lite_fit_the_network(shared_data: Path):
    path = shared_data.parent / "weights" / "efficientnet_lite0_no_top.weights.h5"
    recipe = replace(RECIPE, architecture=Architecture.EFFICIENTNET_LITE)

    network = build_network(recipe, 8, path)

    # 4,652,008 of the published network, minus its head of 1,000 classes, plus a head of 8.
    assert network.count_params() == 4_652_008 + 42_016 - 1281 * 1000 + 1281 * 8
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    features = keras.Model(network.input, network.get_layer("embedding").output)(pixels)
    assert keras.ops.convert_to_numpy(features).std() > 0.1


def test_keras_cannot_download_the_weights_of_efficientnet_lite():
    with pytest.raises(RecipeError, match="Keras offers no weights of it"):
        build_network(replace(RECIPE, architecture=Architecture.EFFICIENTNET_LITE), 8, "imagenet")


def test_with_colour_constancy_another_light_changes_the_logits_less():
    recipe = replace(RECIPE_SMALL, colour_constancy=True)
    keras.utils.set_random_seed(1)
    network = build_network(recipe, 8, None)
    photograph = np.random.default_rng(0).integers(40, 120, (1, 32, 32, 3)).astype(np.uint8)
    lit = np.rint(photograph * np.array([1.3, 1.0, 0.7])).astype(np.uint8)
    plain = build_network(RECIPE_SMALL, 8, None)
    plain.set_weights(network.get_weights())

    def differ(model: keras.Model) -> float:
        first, second = model.predict(np.concatenate([photograph, lit]), verbose=0)
        return float(np.abs(first - second).max())

    assert differ(network) < 0.2 * differ(plain)


def test_a_black_photograph_has_finite_logits_with_colour_constancy():
    network = build_network(replace(RECIPE_SMALL, colour_constancy=True), 8, None)

    assert np.isfinite(network.predict(np.zeros((1, 32, 32, 3), np.uint8), verbose=0)).all()


def test_a_network_starts_with_the_weights_of_a_complete_model(tmp_path: Path):
    keras.utils.set_random_seed(1)
    before = build_network(RECIPE_SMALL, 8, None)
    add_softmax(before).save(tmp_path / "model.keras")

    after = build_network(RECIPE_SMALL, 8, tmp_path / "model.keras")

    for old, new in zip(before.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_of_another_architecture_or_a_file_that_is_no_model_is_refused(tmp_path: Path):
    path = tmp_path / "model.keras"
    build_network(replace(RECIPE_SMALL, image_size=64), 8, None).save(path)
    with pytest.raises(RecipeError, match=r"has no embedding/kernel of shape \(1024, 128\)"):
        build_network(RECIPE_SMALL, 8, path)

    path.write_text("no model")
    with pytest.raises(ModelError, match="it is not a complete network in Keras' format"):
        build_network(RECIPE_SMALL, 8, path)


def compute_loss(recipe: Recipe, weights: np.ndarray | None = None) -> float:
    loss = make_loss(recipe)(TARGETS, LOGITS, sample_weight=weights)
    return float(keras.ops.convert_to_numpy(loss))


def test_cross_entropy_is_the_mean_negative_log_probability():
    expected = -(log_softmax(LOGITS, axis=1) * TARGETS).sum(axis=1).mean()

    assert compute_loss(PLAIN) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_spreads_its_share_over_all_classes():
    smoothed = TARGETS * 0.9 + 0.1 / 3
    expected = -(log_softmax(LOGITS, axis=1) * smoothed).sum(axis=1).mean()

    assert compute_loss(replace(PLAIN, label_smoothing=0.1)) == pytest.approx(expected, rel=1e-5)


def test_the_focal_loss_reduces_the_weight_of_confident_predictions():
    log_probability = (log_softmax(LOGITS, axis=1) * TARGETS).sum(axis=1)
    expected = -((1 - np.exp(log_probability)) ** 2 * log_probability).mean()

    assert compute_loss(replace(PLAIN, loss=Loss.FOCAL)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_focal_loss_of_gamma_zero_is_the_cross_entropy(smoothing: float):
    recipe = replace(PLAIN, label_smoothing=smoothing)
    focal = replace(recipe, loss=Loss.FOCAL, focal_gamma=0.0)

    assert compute_loss(focal) == pytest.approx(compute_loss(recipe), rel=1e-5)


@pytest.mark.parametrize("loss", Loss)
def test_an_image_of_weight_two_counts_twice(loss: Loss):
    recipe = replace(PLAIN, loss=loss)
    first, second = (compute_loss(recipe, weights) for weights in np.eye(2, dtype=np.float32))

    weighed = compute_loss(recipe, np.array([2, 1], dtype=np.float32))

    assert weighed == pytest.approx(2 * first + second, rel=1e-5)


def test_the_optimizer_is_adam_without_weight_decay():
    assert type(make_optimizer(replace(PLAIN, weight_decay=0.0))) is keras.optimizers.Adam
    optimizer = make_optimizer(replace(PLAIN, weight_decay=0.02))
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert optimizer.weight_decay == 0.02

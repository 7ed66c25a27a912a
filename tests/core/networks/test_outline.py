"""The outline head, and pooling inside the outline."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from melanoma_core.errors import RecipeError
from melanoma_core.models.methods import Method
from melanoma_core.networks.export import check_agreement, describe_heatmap, export_onnx
from melanoma_core.networks.gradients import GradientMaps
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import add_softmax, build_network, make_optimizer
from melanoma_core.networks.outline import (
    OutlineLoss,
    get_pooling,
    grow_pooling,
    is_of_outline,
    set_pooling,
)
from melanoma_core.networks.randomisation import randomise
from melanoma_core.training.outlines import MISSING
from melanoma_core.training.recipe import Architecture, Recipe

PLAIN = Recipe(name="plain", image_size=96, weights="none")
OUTLINED = replace(PLAIN, outline_weight=1.0, outline_gradient=0.3, outline_pooling=1.0)
PHOTOGRAPHS = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), np.uint8)


def run(network: keras.Model, *layers: str) -> list[NDArray[np.float32]]:
    outputs = {name: network.get_layer(name).output for name in layers}
    found = keras.Model(network.input, outputs)(PHOTOGRAPHS)
    return [keras.ops.convert_to_numpy(found[name]) for name in layers]


@pytest.fixture(scope="module")
def plain() -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_network(PLAIN, 8, None)


@pytest.fixture(scope="module")
def plain_file(plain: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "model.keras"
    add_softmax(plain).save(path)
    return path


@pytest.fixture(scope="module")
def outlined(plain_file: Path) -> keras.Model:
    """A network whose diagnosis looks at the outline with a share of 0.8."""
    keras.utils.set_random_seed(2)
    network = build_network(OUTLINED, 8, plain_file)
    (logits,) = run(network, "outline_logits")
    drawing, factor = network.get_layer("outline_drawing"), 3 / logits.std()
    kernel, _ = drawing.get_weights()
    # A clear outline, though of nothing.
    drawing.set_weights([factor * kernel, np.array([-factor * logits.mean()])])
    set_pooling(network, 0.8)
    return network


@pytest.fixture(scope="module")
def saved(outlined: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outlined") / "model.keras"
    add_softmax(outlined).save(path)
    return path


def test_a_finished_model_starts_as_itself(plain: keras.Model, plain_file: Path):
    start = build_network(OUTLINED, 8, plain_file)

    logits, drawn = start(PHOTOGRAPHS)

    assert get_pooling(start) == 0
    np.testing.assert_allclose(logits, plain(PHOTOGRAPHS), atol=1e-5)
    assert drawn.shape == (3, 24, 24)


def test_an_outline_without_pooling_leaves_the_diagnosis_alone(
    plain: keras.Model, plain_file: Path
):
    network = build_network(replace(OUTLINED, outline_pooling=0.0), 8, plain_file)

    np.testing.assert_allclose(network(PHOTOGRAPHS)[0], plain(PHOTOGRAPHS), atol=1e-5)
    assert not any(layer.name == "outline_gate" for layer in network.layers)


def test_the_pooling_is_the_average_weighted_by_the_outline(
    plain: keras.Model, outlined: keras.Model
):
    (activation,) = run(plain, "out_relu")
    outline, embedding = run(outlined, "outline", "embedding")

    # On a grid of 12×12 between the 24×24 cells and the 3×3 places, whose features are enlarged.
    weights = 0.2 + 0.8 * (0.01 + outline.reshape(3, 12, 2, 12, 2).mean(axis=(2, 4)))
    features = tf.image.resize(activation, (12, 12), method="bilinear").numpy()
    expected = np.einsum("nhw,nhwd->nd", weights, features)
    expected /= weights.sum(axis=(1, 2))[:, None]
    assert weights.min() < 0.7 * weights.max()
    np.testing.assert_allclose(embedding, expected, rtol=1e-4, atol=1e-5)


def test_where_no_outline_is_drawn_the_pooling_is_the_plain_average(
    plain: keras.Model, outlined: keras.Model
):
    blind = keras.models.clone_model(outlined)
    blind.set_weights(outlined.get_weights())
    set_pooling(blind, 1.0)
    kernel, bias = blind.get_layer("outline_drawing").get_weights()
    blind.get_layer("outline_drawing").set_weights([0 * kernel, 0 * bias - 30])

    np.testing.assert_allclose(blind(PHOTOGRAPHS)[0], plain(PHOTOGRAPHS), atol=1e-4)


def test_the_share_of_the_outline_grows_evenly(plain_file: Path):
    network = build_network(OUTLINED, 8, plain_file)

    shares = []
    for remaining in (4, 3, 2, 1, 0, -7):
        grow_pooling(network, 0.8, remaining)
        shares.append(get_pooling(network))

    np.testing.assert_allclose(shares, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8], atol=1e-6)


@pytest.mark.parametrize("num_views", [1, 4])
def test_both_forms_agree_and_maps_add_up_to_the_logits(
    outlined: keras.Model, saved: Path, tmp_path: Path, num_views: int
):
    network = load_keras(saved)
    export_onnx(network, tmp_path / "model.onnx", num_views=num_views)

    difference = check_agreement(network, tmp_path / "model.onnx", PHOTOGRAPHS, num_views=num_views)

    assert difference < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    outputs = {node.name: node.shape[1:] for node in session.get_outputs()}
    assert outputs == {
        "probabilities": [8],
        "embedding": [1280],
        "activation_maps": [8, 12, 12],
        "outline": [24, 24],
    }
    maps, outline = session.run(["activation_maps", "outline"], {"photograph": PHOTOGRAPHS})
    assert 0 <= outline.min() < outline.max() <= 1
    if num_views == 1:
        bias = keras.ops.convert_to_numpy(outlined.get_layer("logits").bias)
        (logits,) = run(outlined, "logits")
        np.testing.assert_allclose(maps.mean(axis=(2, 3)) + bias, logits, atol=1e-4)
        np.testing.assert_allclose(outline, run(outlined, "outline")[0], atol=1e-4)


def test_maps_are_the_plain_ones_times_the_outline(
    plain: keras.Model, outlined: keras.Model, tmp_path: Path
):
    export_onnx(add_softmax(outlined), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")

    maps, outline = session.run(["activation_maps", "outline"], {"photograph": PHOTOGRAPHS})

    (activation,) = run(plain, "out_relu")
    kernel = keras.ops.convert_to_numpy(plain.get_layer("logits").kernel)
    finer = tf.image.resize(activation @ kernel, (12, 12), method="bilinear").numpy()
    weights = 0.2 + 0.8 * (0.01 + outline.reshape(3, 12, 2, 12, 2).mean(axis=(2, 4)))
    weights /= weights.mean(axis=(1, 2), keepdims=True)
    expected = finer.transpose(0, 3, 1, 2) * weights[:, None]
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    assert weights.min() < 0.7 * weights.max()


def test_heatmaps_with_gradients_refer_to_the_weighted_activation(
    outlined: keras.Model, saved: Path
):
    network, classes = load_keras(saved), np.array([0, 3, 7])
    (activation,) = run(outlined, "outline_pooling")
    kernel = keras.ops.convert_to_numpy(outlined.get_layer("logits").kernel)
    expected = np.einsum("nhwd,dn->nhw", activation, kernel[:, classes]).clip(min=0)

    maker = GradientMaps(network)

    assert describe_heatmap(network) == "activation-maps"
    found = maker.explain(PHOTOGRAPHS, classes, Method.GRAD_CAM)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for method in (Method.SCORE_CAM, Method.GRAD_CAM_PLUS_PLUS, Method.SALIENCY):
        maps = maker.explain(PHOTOGRAPHS, classes, method)
        assert np.isfinite(maps).all()
    maker.set_weights(randomise(network, 1.0, seed=0))
    assert np.isfinite(maker.explain(PHOTOGRAPHS, classes, Method.GRAD_CAM)).all()


def test_random_weights_leave_the_share_of_the_outline(saved: Path):
    network = load_keras(saved)
    network.set_weights(randomise(network, 1.0, seed=0))

    assert get_pooling(network) == pytest.approx(0.8)


def test_the_loss_ignores_photographs_without_an_outline():
    loss = OutlineLoss()
    targets = np.stack([np.full((2, 2), MISSING), [[1, 1], [0, 0]]]).astype(np.float32)
    logits = np.zeros((2, 2, 2), np.float32)

    missing, known = keras.ops.convert_to_numpy(loss.call(targets, keras.ops.array(logits)))

    assert missing == 0
    # Cross-entropy log 2; of 4 cells, half are drawn and half are inside, one in common.
    assert known == pytest.approx(np.log(2) + 1 - (2 * 1 + 1) / (2 + 2 + 1), abs=1e-6)
    right = keras.ops.array(20 * (2 * targets[1:] - 1))
    assert float(loss.call(targets[1:], right)[0]) == pytest.approx(0, abs=1e-6)


def measure_gradients(network: keras.Model, output: int) -> tuple[float, float]:
    """Return the largest gradient of an output in the outline head and elsewhere."""
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(network(PHOTOGRAPHS)[output] ** 2)
    gradients = tape.gradient(total, [weight.value for weight in network.trainable_weights])
    sizes: dict[bool, list[float]] = {True: [0.0], False: [0.0]}
    for weight, gradient in zip(network.trainable_weights, gradients, strict=True):
        if gradient is not None:
            sizes[is_of_outline(weight)].append(float(tf.reduce_max(tf.abs(gradient))))
    return max(sizes[True]), max(sizes[False])


def test_the_diagnosis_never_changes_the_outline(outlined: keras.Model):
    head, others = measure_gradients(outlined, output=0)

    assert head == 0
    assert others > 0


def test_the_share_of_the_outline_gradient_reaches_the_backbone(plain_file: Path):
    found = {}
    for share in (0.0, 0.5, 1.0):
        keras.utils.set_random_seed(3)
        network = build_network(replace(OUTLINED, outline_gradient=share), 8, plain_file)
        found[share] = measure_gradients(network, output=1)

    assert found[0.0][1] == 0
    assert found[0.0][0] == pytest.approx(found[1.0][0], rel=1e-3)
    assert found[0.5][1] == pytest.approx(0.5 * found[1.0][1], rel=1e-2)


def test_a_model_with_an_outline_goes_on_with_it(outlined: keras.Model, saved: Path):
    network = build_network(OUTLINED, 8, saved)

    assert get_pooling(network) == pytest.approx(0.8)
    for ours, theirs in zip(network(PHOTOGRAPHS), outlined(PHOTOGRAPHS), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("recipe", [PLAIN, replace(OUTLINED, outline_pooling=0.0)])
def test_a_recipe_that_would_lose_the_outline_is_refused(saved: Path, recipe: Recipe):
    with pytest.raises(RecipeError, match="draws outlines or pools with them"):
        build_network(recipe, 8, saved)


@pytest.mark.parametrize(
    "architecture", [Architecture.EFFICIENTNET_LITE, Architecture.RESNET, Architecture.EFFICIENTNET]
)
def test_other_backbones_draw_outlines(architecture: Architecture):
    network = build_network(replace(OUTLINED, architecture=architecture), 8, None)

    assert [tuple(output.shape[1:]) for output in network.outputs] == [(8,), (24, 24)]
    laterals = [layer.name for layer in network.layers if layer.name.startswith("outline_sum")]
    assert len(laterals) == 3


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_the_outline_head_has_its_own_learning_rate(weight_decay: float):
    head, other = (keras.Variable(np.ones(1, np.float32), name=name) for name in ("a", "b"))
    head._path = "outline_drawing/kernel"
    optimizer = make_optimizer(
        replace(OUTLINED, learning_rate=1e-3, outline_learning_rate=1e-2, weight_decay=weight_decay)
    )
    optimizer.build([head, other])
    optimizer.learning_rate = 1e-4

    optimizer.apply([np.ones(1, np.float32)] * 2, [head, other])

    decayed = 1 - 1e-4 * weight_decay
    np.testing.assert_allclose(head, [decayed - 1e-3], atol=1e-6)  # Adam's first step is the rate
    np.testing.assert_allclose(other, [decayed - 1e-4], atol=1e-6)

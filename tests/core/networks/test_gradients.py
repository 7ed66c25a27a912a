"""Heatmaps of tf-keras-vis, and the process that makes them."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import psutil
import pytest
from numpy.typing import NDArray

from melanoma_core.data.drawn.lesions import DEMONSTRATION_LESIONS
from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.errors import ExplanationError, ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.methods import Method
from melanoma_core.networks.explainer import Explainer, Stage
from melanoma_core.networks.export import export_onnx
from melanoma_core.networks.gradients import GradientMaps, load_network
from melanoma_core.networks.network import add_probabilities, build_network
from melanoma_core.networks.randomisation import compare_randomised, correlate, randomise
from melanoma_core.training.recipe import PRESETS

ALL_CLASSES = np.arange(6)


@pytest.fixture(scope="module")
def pixels(bundled: Path) -> NDArray[np.uint8]:
    """Return the drawn lesions, as the bundled network sees them."""
    size = load_card(bundled).image_size
    return np.stack(
        [resize_to_square(read_image(each.path).pixels, size) for each in DEMONSTRATION_LESIONS]
    )


@pytest.fixture(scope="module")
def network(bundled: Path) -> keras.Model:
    return load_network(bundled)


@pytest.fixture(scope="module")
def maps(network: keras.Model) -> GradientMaps:
    return GradientMaps(network)


@pytest.fixture(scope="module")
def small() -> keras.Model:
    """Return a network without an average: two dense layers over a flattened activation."""
    keras.utils.set_random_seed(1)
    recipe = replace(PRESETS["augmented"], batch_normalization=True, image_size=36)
    return add_probabilities(build_network(recipe, 3, None))


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (4, 36, 36, 3), dtype=np.uint8)


def test_grad_cam_is_the_activation_map_of_a_network_that_looks_once(
    network: keras.Model, maps: GradientMaps, pixels: NDArray[np.uint8], tmp_path: Path
):
    export_onnx(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    shown = session.run(["activation_maps"], {"photograph": pixels})[0]
    shown = shown[np.arange(len(pixels)), ALL_CLASSES].clip(min=0)

    made = maps.explain(pixels, ALL_CLASSES, Method.GRAD_CAM)

    assert np.corrcoef(made.ravel(), shown.ravel())[0, 1] > 0.9999
    np.testing.assert_allclose(made, shown, atol=0.01)  # in logits; they reach 30
    assert shown.max() > 1


@pytest.mark.parametrize("method", list(Method))
def test_every_method_explains_a_network_with_two_dense_layers(
    method: Method, small: keras.Model, noise: NDArray[np.uint8]
):
    classes = np.array([0, 1, 2, 0])

    made = GradientMaps(small).explain(noise, classes, method)

    side = 36 if method is Method.SALIENCY else 4
    assert made.shape == (4, side, side)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert np.ptp(made) > 0
    # It is the map of each photograph and class, and the same at the next call.
    (alone,) = GradientMaps(small).explain(noise[3:], classes[3:], method)
    if method is not Method.SALIENCY:  # whose noise depends on the place in the batch
        np.testing.assert_allclose(alone, made[3], rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(
        GradientMaps(small).explain(noise[3:], classes[3:], method)[0], alone
    )
    (other,) = GradientMaps(small).explain(noise[3:], np.array([1]), method)
    assert np.abs(other - alone).max() > 0


def test_smoothing_leaves_the_random_numbers_of_others_alone(
    small: keras.Model, noise: NDArray[np.uint8]
):
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    GradientMaps(small).explain(noise[:1], np.array([0]), Method.SALIENCY)
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_a_network_that_is_not_the_cards_is_refused(bundled: Path, tmp_path: Path):
    (tmp_path / "card.json").write_bytes((bundled / "card.json").read_bytes())
    with pytest.raises(ModelError, match="is missing or is not the file that its card describes"):
        load_network(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"another")
    with pytest.raises(ModelError, match="is missing or is not the file that its card describes"):
        load_network(tmp_path)


def test_random_layers_are_those_at_the_top(small: keras.Model):
    def find_changed(share: float) -> list[str]:
        other = keras.models.clone_model(small)
        other.set_weights(randomise(small, share, seed=0))
        return [
            layer.name
            for layer in small.layers
            if any(
                np.abs(before - after).max() > 0
                for before, after in zip(
                    layer.get_weights(), other.get_layer(layer.name).get_weights(), strict=True
                )
            )
        ]

    assert find_changed(0) == ["logits"]
    assert find_changed(0.25) == ["embedding", "logits"]
    # Batch normalisation that has seen nothing is as random weights leave it.
    assert find_changed(1) == [
        "convolution_1",
        "convolution_2",
        "convolution_3",
        "embedding",
        "logits",
    ]


def test_random_weights_give_another_map_and_a_copy_gives_the_same(
    network: keras.Model, maps: GradientMaps, pixels: NDArray[np.uint8]
):
    first = network.predict_on_batch(pixels).argmax(axis=1)

    similarities = compare_randomised(network, pixels, first)

    assert set(similarities) == {"head", "half", "network"}
    assert np.nanmean(similarities["network"]) < 0.5
    made = maps.explain(pixels, first, Method.GRAD_CAM)
    assert correlate(made[0], made[0].copy()) == pytest.approx(1)
    assert correlate(made[0], 5 * made[0]) == pytest.approx(1)
    assert np.isnan(correlate(made[0], np.zeros_like(made[0])))


@pytest.fixture(scope="module")
def explainer() -> Iterator[Explainer]:
    # Those of a page's tests, which ran in this process before, would be taken for ours.
    for process in list_processes():
        process.kill()
        process.wait(timeout=30)
    explainer = Explainer()
    yield explainer
    explainer.close()


def list_processes() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE  # of another test; it has no command line
        and "melanoma_core.networks.explainer_process" in child.cmdline()
    ]


def test_the_process_says_what_the_library_says_and_stays_for_the_next(
    explainer: Explainer, bundled: Path, maps: GradientMaps, pixels: NDArray[np.uint8]
):
    stages: list[Stage] = []
    first, again = pixels[:1], np.array([0])

    made = explainer.explain(bundled, first, again, Method.GRAD_CAM_PLUS_PLUS, stages.append)

    expected = maps.explain(first, again, Method.GRAD_CAM_PLUS_PLUS)
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-4)
    assert stages[0] is Stage.STARTING
    (process,) = list_processes()
    stages.clear()
    explainer.explain(bundled, first, again, Method.GRAD_CAM, stages.append)
    assert set(stages) == {Stage.WORKING}
    assert list_processes() == [process]


def test_who_gives_up_ends_the_work_and_the_next_starts_anew(
    explainer: Explainer, bundled: Path, pixels: NDArray[np.uint8]
):
    def give_up(_: Stage) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explainer.explain(bundled, pixels[:1], np.array([0]), Method.SCORE_CAM, give_up)
    assert list_processes() == []

    made = explainer.explain(bundled, pixels[:1], np.array([0]), Method.GRAD_CAM)
    assert made.shape == (1, 6, 6)


def test_what_is_wrong_with_the_model_is_told(explainer: Explainer, bundled: Path, tmp_path: Path):
    (tmp_path / "card.json").write_bytes((bundled / "card.json").read_bytes())
    with pytest.raises(ExplanationError, match="is missing or is not the file"):
        explainer.explain(
            tmp_path, np.zeros((1, 8, 8, 3), np.uint8), np.array([0]), Method.SALIENCY
        )


def test_a_killed_process_is_told_and_the_next_one_starts(
    explainer: Explainer, bundled: Path, pixels: NDArray[np.uint8]
):
    processes = list_processes()

    def kill(_: Stage) -> None:
        for process in processes:
            process.kill()

    with pytest.raises(ExplanationError, match=r"ended .* Free some"):
        explainer.explain(bundled, pixels[:1], np.array([0]), Method.SCORE_CAM, kill)


def test_without_tensorflow_the_error_says_so(
    bundled: Path, pixels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fake = tmp_path / "tensorflow.py"
    fake.write_text("raise ModuleNotFoundError('No module named tensorflow')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    explainer = Explainer()
    with pytest.raises(ExplanationError, match=r"Found no TensorFlow that works .* stay with Grad"):
        explainer.explain(bundled, pixels[:1], np.array([0]), Method.SALIENCY)
    explainer.close()


def test_an_idle_process_ends(
    bundled: Path, pixels: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # Without TensorFlow, so that its start is short.
    (tmp_path / "tensorflow.py").write_text("raise ImportError('none')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    explainer = Explainer(idle_seconds=0.1)
    with pytest.raises(ExplanationError):
        explainer.explain(bundled, pixels[:1], np.array([0]), Method.SALIENCY)
    for process in list_processes():
        process.wait(timeout=30)
    assert [p for p in list_processes() if p.status() != psutil.STATUS_ZOMBIE] == []


def test_nothing_here_imported_what_only_the_process_needs():
    code = (
        "import sys; import melanoma_core.reading.explainer, melanoma_core.reading.faithfulness; "
        "print({'tensorflow', 'keras', 'tf_keras_vis'} & set(sys.modules))"
    )
    assert os.popen(f'"{sys.executable}" -c "{code}"').read().strip() == "set()"

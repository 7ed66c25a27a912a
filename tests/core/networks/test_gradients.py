"""Heatmaps of tf-keras-vis, and the process that computes them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.errors import ExplanationError, ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.methods import HeatmapRequest, Method
from melanoma_core.networks.explainer import Explainer, ExplainerStage
from melanoma_core.networks.gradients import GradientMaps, load_network
from melanoma_core.networks.randomisation import compare_randomised, correlate, randomise
from melanoma_core.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def pixels(bundled: Path) -> NDArray[np.uint8]:
    """The drawn lesions, at the input size of the bundled network."""
    size = load_card(bundled).image_size
    return np.stack(
        [resize_to_square(read_image(each.path).pixels, size) for each in DEMONSTRATION_LESIONS]
    )


@pytest.fixture(scope="module")
def maps(bundled_network: keras.Model) -> GradientMaps:
    return GradientMaps(bundled_network)


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (4, 36, 36, 3), dtype=np.uint8)


@pytest.mark.parametrize("method", list(Method))
def test_every_method_explains_a_network_with_two_dense_layers(
    method: Method, small_network: keras.Model, noise: NDArray[np.uint8]
):
    classes = np.array([0, 1, 2, 0])

    maker = GradientMaps(small_network)

    made = maker.explain(noise, classes, method)

    side = 36 if method is Method.SALIENCY else 4
    assert made.shape == (4, side, side)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert np.ptp(made) > 0
    # The map depends on photograph and class only, and is the same at the next call.
    (alone,) = maker.explain(noise[3:], classes[3:], method)
    if method is not Method.SALIENCY:  # its noise depends on the position in the batch
        np.testing.assert_allclose(alone, made[3], rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(maker.explain(noise[3:], classes[3:], method)[0], alone)
    (other,) = maker.explain(noise[3:], np.array([1]), method)
    assert np.abs(other - alone).max() > 0


def test_smoothing_does_not_change_the_global_random_state(
    small_network: keras.Model, noise: NDArray[np.uint8]
):
    np.random.seed(5)
    expected = np.random.random(3)
    np.random.seed(5)
    GradientMaps(small_network).explain(noise[:1], np.array([0]), Method.SALIENCY)
    np.testing.assert_array_equal(np.random.random(3), expected)


def test_a_file_that_is_missing_or_has_another_hash_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="is missing or is not the file that its card describes"):
        load_network(tmp_path, "0" * 64)
    (tmp_path / "model.keras").write_bytes(b"another")
    with pytest.raises(ModelError, match="is missing or is not the file that its card describes"):
        load_network(tmp_path, "0" * 64)


def test_the_upper_layers_are_randomised(small_network: keras.Model):
    def find_changed(share: float) -> list[str]:
        other = keras.models.clone_model(small_network)
        other.set_weights(randomise(small_network, share, seed=0))
        return [
            layer.name
            for layer in small_network.layers
            if any(
                np.abs(before - after).max() > 0
                for before, after in zip(
                    layer.get_weights(), other.get_layer(layer.name).get_weights(), strict=True
                )
            )
        ]

    assert find_changed(0) == ["logits"]
    assert find_changed(0.25) == ["embedding", "logits"]
    # Untrained batch normalisation keeps its initial values.
    assert find_changed(1) == [
        "convolution_1",
        "convolution_2",
        "convolution_3",
        "embedding",
        "logits",
    ]


def test_random_weights_give_another_map(
    bundled_network: keras.Model, maps: GradientMaps, pixels: NDArray[np.uint8]
):
    first = bundled_network.predict_on_batch(pixels).argmax(axis=1)

    similarities = compare_randomised(bundled_network, pixels, first)

    assert set(similarities) == {"head", "half", "network"}
    assert np.nanmean(similarities["network"]) < 0.5
    made = maps.explain(pixels, first, Method.GRAD_CAM)
    assert correlate(made[0], made[0].copy()) == pytest.approx(1)
    assert correlate(made[0], 5 * made[0]) == pytest.approx(1)
    assert np.isnan(correlate(made[0], np.zeros_like(made[0])))


@pytest.fixture(scope="module")
def request_one(bundled: Path, pixels: NDArray[np.uint8]) -> Callable[[Method], HeatmapRequest]:
    """Return a request for the heatmap of one drawn lesion."""
    sha256 = load_card(bundled).files["model.keras"]

    def make(method: Method) -> HeatmapRequest:
        return HeatmapRequest(bundled, sha256, pixels[:1], np.array([0]), method)

    return make


@pytest.fixture(scope="module")
def explainer() -> Iterator[Explainer]:
    # End the processes of other tests, which would be taken for those of this module.
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


def test_the_process_returns_the_maps_of_the_library_and_serves_the_next_request(
    explainer: Explainer, request_one, maps: GradientMaps, pixels: NDArray[np.uint8]
):
    stages: list[ExplainerStage] = []

    made = explainer.explain(request_one(Method.GRAD_CAM_PLUS_PLUS), stages.append)

    expected = maps.explain(pixels[:1], np.array([0]), Method.GRAD_CAM_PLUS_PLUS)
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-4)
    assert stages[0] is ExplainerStage.STARTING
    (process,) = list_processes()
    stages.clear()
    explainer.explain(request_one(Method.GRAD_CAM), stages.append)
    assert set(stages) == {ExplainerStage.WORKING}
    assert list_processes() == [process]


def test_a_damaged_model_is_an_error_of_the_explanation(
    explainer: Explainer, request_one, tmp_path: Path
):
    with pytest.raises(ExplanationError, match="is missing or is not the file"):
        explainer.explain(replace(request_one(Method.SALIENCY), folder=tmp_path))


def test_a_killed_process_is_an_error(explainer: Explainer, request_one):
    processes = list_processes()

    def kill(_: ExplainerStage) -> None:
        for process in processes:
            process.kill()

    with pytest.raises(ExplanationError, match=r"ended .* Free some"):
        explainer.explain(request_one(Method.SCORE_CAM), kill)
    assert list_processes() == []


@pytest.fixture
def _no_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let TensorFlow be missing in new processes, which makes their start short."""
    fake = tmp_path / "tensorflow.py"
    fake.write_text("raise ModuleNotFoundError('No module named tensorflow')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("_no_tensorflow")
def test_an_exception_of_the_progress_callback_ends_the_process_and_the_next_request_starts_another(
    explainer: Explainer, request_one
):
    def give_up(_: ExplainerStage) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explainer.explain(request_one(Method.SCORE_CAM), give_up)
    assert list_processes() == []

    with pytest.raises(ExplanationError, match=r"Found no TensorFlow that works .* keep Grad-CAM"):
        explainer.explain(request_one(Method.GRAD_CAM))
    assert len(list_processes()) == 1
    explainer.close()
    assert list_processes() == []


@pytest.mark.usefixtures("_no_tensorflow")
def test_an_idle_process_ends(request_one):
    explainer = Explainer(idle_seconds=0.1)
    with pytest.raises(ExplanationError):
        explainer.explain(request_one(Method.SALIENCY))
    for process in list_processes():
        process.wait(timeout=30)
    assert list_processes() == []


def test_the_explainer_does_not_import_tensorflow():
    code = (
        "import sys; import melanoma_core.networks.explainer, melanoma_core.reading.faithfulness; "
        "print({'tensorflow', 'keras', 'tf_keras_vis'} & set(sys.modules))"
    )
    found = subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT_ROOT, text=True)
    assert found.strip() == "set()"

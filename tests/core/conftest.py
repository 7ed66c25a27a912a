"""Fixtures of the core tests: drawn photographs, models without OOD check, training observers."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import Dataset, merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.training.observer import BatchState, EpochReport, Phase, Stopped
from melanoma_core.training.recipe import Architecture

Draw = Callable[..., Path]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Write a photograph that is another one for every seed, into a folder that is made."""

    def write(path: Path, seed: int, size: tuple[int, int] = (120, 90)) -> Path:
        coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, quality=92)
        return path

    return write


@pytest.fixture(scope="session")
def bundled() -> Path:
    """Folder of the model that comes with the project."""
    return BUNDLED


@pytest.fixture(scope="session")
def unguarded(bundled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the bundled model without its check for novelty, in a folder of models.

    What a test draws is no photograph of a lesion, and would be refused.
    """
    folder = tmp_path_factory.mktemp("models") / "unguarded"
    folder.mkdir()
    raw = to_jsonable(load_card(bundled)) | {"model_id": "unguarded", "novelty": None}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    (folder / "model.onnx").write_bytes((bundled / "model.onnx").read_bytes())
    return folder


@pytest.fixture(scope="session")
def bundled_classifier(bundled: Path) -> Classifier:
    """The bundled model, loaded once for all tests."""
    return load_classifier(bundled, num_threads=1)


@pytest.fixture(scope="session")
def unguarded_classifier(unguarded: Path) -> Classifier:
    """The bundled model without its out-of-distribution check, loaded once for all tests."""
    return load_classifier(unguarded, num_threads=1)


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> FactCache:
    """Cache of the measurements of the real images, which all processes of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    return FactCache((folder.parent if is_worker else folder) / "real-facts")


@pytest.fixture(scope="session")
def drawn_dataset(tmp_path_factory: pytest.TempPathFactory, draw: Draw) -> Dataset:
    """Twenty-eight melanomas, fifty-six nevi, a copy and an unreadable file."""
    data = tmp_path_factory.mktemp("drawn") / "data"
    for number in range(84):
        draw(data / ("melanoma" if number % 3 == 0 else "nevus") / f"{number:02d}.jpg", number)
    draw(data / "nevus" / "copy.jpg", 1)  # of nevus/01.jpg, to the byte
    (data / "melanoma" / "broken.jpg").write_text("no image")
    return merge_records(open_folder(data, FactCache(data.parent)).records)


@pytest.fixture(scope="session")
def drawn_split(drawn_dataset: Dataset) -> Split:
    """Sixty images in train, twelve each in validation and test; a third are melanomas."""
    return split_dataset(drawn_dataset.table, seed=1)


class RecordingObserver:
    """Records the progress of a training, and stops it at a given point.

    Args:
        stop_at: Epoch and batch, counted from 1; or a phase; or None.
    """

    def __init__(self, stop_at: tuple[int, int] | Phase | None = None) -> None:
        self.stop_at = stop_at
        self.phases: list[tuple[Phase, int, int]] = []
        self.batches: list[BatchState] = []
        self.epochs: list[EpochReport] = []

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        self.phases.append((phase, done, total))
        if phase is self.stop_at:
            raise Stopped

    def on_batch(self, state: BatchState) -> None:
        self.batches.append(state)
        if (state.epoch, state.batch) == self.stop_at:
            raise Stopped

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


@pytest.fixture(scope="session")
def make_observer() -> type[RecordingObserver]:
    return RecordingObserver


def build_tiny(include_top: bool, weights: None, input_tensor: Any) -> Any:
    """Build a backbone of one convolution. Real backbones take seconds to compile."""
    import keras

    assert (include_top, weights) == (False, None)
    activation = keras.layers.Conv2D(12, 3, strides=4, name="tiny")(input_tensor)
    activation = keras.layers.BatchNormalization(name="tiny_normalization")(activation)
    source = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(source, keras.layers.ReLU()(activation))


@pytest.fixture(scope="module")
def tiny_backbone() -> Iterator[None]:
    """Replace MobileNetV2 by a single convolution."""
    from melanoma_core.networks.network import BACKBONES, Backbone

    with pytest.MonkeyPatch.context() as patch:
        tiny = Backbone(build_tiny, 1 / 127.5, -1.0)
        patch.setitem(BACKBONES, Architecture.MOBILENET, tiny)
        yield

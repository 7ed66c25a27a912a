"""One way of training, timed in a process of its own: `… training_ways WAY FOLDER SCRATCH`.

Prints one JSON object: images per second of every epoch's training steps ("first", and "later",
the median of the others), and "begun", the time at which the first batch was done.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import pandas as pd

from melanoma_core.data.dataset import hash_table, load_records
from melanoma_core.data.splitting import Split
from melanoma_core.networks.network import build_network, split_network
from melanoma_core.networks.trainer import TrainingTask, train_network
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.training.observer import BatchState, EpochReport, Phase, Stopped
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.recipe import PRESETS, Recipe

NUM_EPOCHS = 3
MOBILENET = PROJECT_ROOT.parent / "shared/weights/mobilenet_v2_1.0_224_no_top.weights.h5"
BASELINE = replace(PRESETS["baseline"], epochs=NUM_EPOCHS)
TRANSFER = replace(PRESETS["transfer"], head_epochs=NUM_EPOCHS)


class Clock:
    """Follows a training and keeps the seconds of each epoch's steps."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase
        self._since = time.perf_counter()
        self._last = self._since
        self.begun = float("nan")
        self.seconds: list[float] = []

    def on_phase(self, phase: Phase, done: int, total: int) -> None:
        """What is prepared is part of the first epoch."""

    def on_batch(self, state: BatchState) -> None:
        """Note when the steps of an epoch end."""
        if state.phase is not self._phase:
            raise Stopped
        self._last = time.perf_counter()
        if self.begun != self.begun:
            self.begun = time.time()

    def on_epoch(self, report: EpochReport) -> None:
        """Close an epoch; what is measured between two belongs to neither."""
        if report.phase is self._phase:
            self.seconds.append(self._last - self._since)
            self._since = time.perf_counter()


class KerasClock(keras.callbacks.Callback):
    """The same of keras' own `fit`."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.perf_counter()
        self.begun = float("nan")
        self.seconds: list[float] = []

    def on_train_batch_end(self, batch, logs=None) -> None:  # noqa: ARG002  # keras' signature
        """Note the first."""
        if self.begun != self.begun:
            self.begun = time.time()

    def on_epoch_end(self, epoch, logs=None) -> None:  # noqa: ARG002  # keras' signature
        """Close an epoch."""
        now = time.perf_counter()
        self.seconds.append(now - self._since)
        self._since = now


def read_split(folder: Path) -> Split:
    """Take all photographs for train but two per class, which keep the trainer's checks content."""
    records = load_records(folder)
    number = records.groupby("name").cumcount()
    subset = number.map({0: "validation", 1: "test"}).fillna("train")
    table = records.assign(
        image_id=[f"{i}" for i in range(len(records))],
        label=records["name"],
        subset=subset,
        group=range(len(records)),
    )
    return Split(table, 0, hash_table(table))


def train_here(folder: Path, scratch: Path, recipe: Recipe, phase: Phase) -> dict[str, float]:
    """Train as a run does."""
    split = read_split(folder)
    class_names = sorted(set(split.table["label"]))
    clock = Clock(phase)
    weights = MOBILENET if recipe.architecture == "MobileNetV2" else None
    with suppress(Stopped):
        train_network(TrainingTask(recipe, split, tuple(class_names), weights), scratch, clock)
    return summarise(len(split.subset("train")), clock.seconds, clock.begun)


def train_usually(folder: Path) -> dict[str, float]:
    """Train as tutorials do: decode in every epoch."""
    data = keras.utils.image_dataset_from_directory(
        folder, label_mode="categorical", image_size=(180, 180), batch_size=32, verbose=False
    )
    network = build_network(BASELINE, len(data.class_names), None)
    return fit(network, data, sum(1 for _ in folder.glob("*/*")))


def train_frozen(folder: Path) -> dict[str, float]:
    """Train the head by running the frozen backbone over the decoded photographs in every epoch."""
    table = read_split(folder).subset("train")
    labels = pd.get_dummies(table["label"]).to_numpy(dtype="float32")
    network = build_network(TRANSFER, labels.shape[1], MOBILENET)
    backbone, _ = split_network(network)
    backbone.trainable = False
    pixels = load_pixels(table, TRANSFER.image_size)
    return fit(network, (pixels, labels), len(table), num_epochs=2)


def fit(network, data, num_images: int, num_epochs: int = NUM_EPOCHS) -> dict[str, float]:
    """Time keras' own loop."""
    network.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
    clock = KerasClock()
    given = {"x": data} if not isinstance(data, tuple) else {"x": data[0], "y": data[1]}
    batch_size = 32 if "y" in given else None
    network.fit(**given, epochs=num_epochs, batch_size=batch_size, verbose=0, callbacks=[clock])
    return summarise(num_images, clock.seconds, clock.begun)


def begin_usually(folder: Path) -> dict[str, float]:
    """Do the first step of the usual way."""
    data = keras.utils.image_dataset_from_directory(
        folder, label_mode="categorical", image_size=(180, 180), batch_size=32, verbose=False
    )
    network = build_network(BASELINE, len(data.class_names), None)
    return {"begun": fit(network, data.take(1), 32, num_epochs=2)["begun"]}


def summarise(num_images: int, seconds: list[float], begun: float) -> dict[str, float]:
    """Turn seconds into images per second."""
    first, *later = seconds
    return {
        "first": num_images / first,
        "later": num_images / statistics.median(later),
        "begun": begun,
    }


WAYS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "baseline": lambda folder, scratch: train_here(folder, scratch, BASELINE, Phase.NETWORK),
    "usual": lambda folder, _: train_usually(folder),
    "begin": lambda folder, _: begin_usually(folder),
    "head": lambda folder, scratch: train_here(folder, scratch, TRANSFER, Phase.HEAD),
    "frozen": lambda folder, _: train_frozen(folder),
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))))

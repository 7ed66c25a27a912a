"""Recipe and split -> trained weights."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.scanning import Progress
from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError, RecipeError
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.batches import TrainingBatches
from melanoma_core.training.network import build_network
from melanoma_core.training.recipe import Recipe

CLASS_NAMES = tuple(Diagnosis)
MELANOMA_INDEX = CLASS_NAMES.index(Diagnosis.MEL)
_OWNER_NAME = "training.json"  # in the folder of checkpoints: whose they are


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training stands after a step.

    Attributes:
        epoch: Number of the epoch that runs, from 1.
        num_epochs: Epochs in all.
        step: Steps done in all epochs together.
        num_steps: Steps of all epochs together.
        loss: Mean training loss of the epoch so far.
        remaining_seconds: Estimate of what is left, from the pace so far.
        validation_roc_auc: Of melanoma, after the last epoch that ended; NaN before.
        validation_loss: Likewise.
    """

    epoch: int
    num_epochs: int
    step: int
    num_steps: int
    loss: float
    remaining_seconds: float
    validation_roc_auc: float
    validation_loss: float


Report = Callable[[TrainingProgress], None]


def load_pixels(
    table: pd.DataFrame, image_size: int, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """Decode the photographs of a table once, at the size that the network sees.

    Returns:
        uint8 [N, size, size, 3], in the order of the table.

    Raises:
        ImageError: A file has gone or changed since the table was made.
    """
    pixels = np.empty((len(table), image_size, image_size, 3), dtype=np.uint8)

    def load(row: int) -> None:
        # As a reading does, to the pixel: another way to the same size is another picture.
        photograph = read_image(Path(table["path"].iloc[row]))
        pixels[row] = resize_to_square(photograph.pixels, image_size)

    with ThreadPoolExecutor() as pool:
        for done, _ in enumerate(pool.map(load, range(len(table))), start=1):
            if progress:
                progress(done, len(table))
    return pixels


def label_indices(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of each row's label in `CLASS_NAMES`, int64 [N]."""
    positions = {name: index for index, name in enumerate(CLASS_NAMES)}
    return np.array([positions[label] for label in table["label"]], dtype=np.int64)


def train_network(
    recipe: Recipe,
    split: Split,
    weights: Path | str | None,
    checkpoints: Path,
    report: Report,
    progress: Progress | None = None,
) -> keras.Model:
    """Train on the train subset, watching the validation subset; test is not looked at.

    Args:
        recipe: How.
        split: On what.
        weights: Of the backbone; see `network.build_network`.
        checkpoints: Folder that keeps the state after each epoch, so that the same call
            continues where a killed one stopped.
        report: Called after each step.
        progress: Called while the photographs are decoded.

    Returns:
        The network of the last epoch, with logits as its output.

    Raises:
        DatasetError: A subset lacks melanoma or any other diagnosis.
        RecipeError: The weights do not fit, or the checkpoints are those of another training.
        ImageError: A file has gone or changed since the split was made.
    """
    train, validation = split.subset("train"), split.subset("validation")
    _check_subsets(split)
    _claim(checkpoints, recipe, split)
    keras.utils.set_random_seed(recipe.seed)
    # Before the minutes of decoding, since its weights may be wrong.
    network = build_network(recipe, len(CLASS_NAMES), weights)
    both = load_pixels(pd.concat([train, validation]), recipe.image_size, progress)
    batches = TrainingBatches(both[: len(train)], label_indices(train), len(CLASS_NAMES), recipe)
    network.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate=_schedule(recipe, len(batches)), weight_decay=recipe.weight_decay
        ),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        ),
        jit_compile=False,  # XLA on a CPU takes 14 times as long here as without
    )
    watcher = _Watcher(
        batches, both[len(train) :], label_indices(validation), recipe.epochs, report
    )
    network.fit(
        batches,
        epochs=recipe.epochs,
        shuffle=False,  # the batches are drawn at random; keras' order of them could not be resumed
        verbose=0,
        callbacks=[keras.callbacks.BackupAndRestore(checkpoints, delete_checkpoint=False), watcher],
    )
    return network


def _check_subsets(split: Split) -> None:
    """Find out before hours of training what would fail after them."""
    for name in ("train", "validation", "test"):
        labels = split.subset(name)["label"]
        num_melanomas = int((labels == Diagnosis.MEL).sum())
        if not 0 < num_melanomas < len(labels):
            raise DatasetError(
                f"Found {num_melanomas} melanomas among the {len(labels)} photographs of the "
                f"{name} subset. It needs at least 1, and 1 of another diagnosis. Add "
                "photographs of more lesions."
            )


def _claim(checkpoints: Path, recipe: Recipe, split: Split) -> None:
    """Keep a training's state from being continued by another one.

    Another split would test on images that the state was trained on, and another recipe would
    be told on a card of a network that it did not make.
    """
    owner = json.dumps({"recipe": asdict(recipe), "split": split.sha256}, indent=2)
    path = checkpoints / _OWNER_NAME
    found = path.read_text("utf-8") if path.exists() else None
    if found != owner and checkpoints.is_dir() and any(checkpoints.iterdir()):
        raise RecipeError(
            f"{checkpoints} holds the state of a training with another recipe or other data. Name "
            "an empty folder, or repeat the recipe and data that it was begun with."
        )
    checkpoints.mkdir(parents=True, exist_ok=True)
    path.write_text(owner, "utf-8")


def _schedule(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.schedules.CosineDecay:
    warmup_steps = recipe.warmup_epochs * steps_per_epoch
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 100,
        decay_steps=max(1, recipe.epochs * steps_per_epoch - warmup_steps),
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup_steps,
    )


class _Watcher(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Measures the validation subset after each epoch and reports after each step."""

    def __init__(
        self,
        batches: TrainingBatches,
        pixels: NDArray[np.uint8],
        labels: NDArray[np.int64],
        num_epochs: int,
        report: Report,
    ) -> None:
        super().__init__()
        self._batches = batches
        self._pixels = pixels
        self._labels = labels
        self._num_epochs = num_epochs
        self._steps_per_epoch = len(batches)
        self._report = report
        self._started = time.monotonic()
        self._steps_here = 0  # a resumed run's pace is that of its own steps
        self._epoch = 0
        self._roc_auc = self._loss = float("nan")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # keras' signature
        self._epoch = epoch
        self._batches.start_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._steps_here += 1
        step = self._epoch * self._steps_per_epoch + batch + 1
        num_steps = self._num_epochs * self._steps_per_epoch
        pace = (time.monotonic() - self._started) / self._steps_here
        self._report(
            TrainingProgress(
                epoch=self._epoch + 1,
                num_epochs=self._num_epochs,
                step=step,
                num_steps=num_steps,
                loss=float((logs or {}).get("loss", float("nan"))),
                remaining_seconds=pace * (num_steps - step),
                validation_roc_auc=self._roc_auc,
                validation_loss=self._loss,
            )
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002  # keras' signature
        logits = self.model.predict(self._pixels, batch_size=128, verbose=0).astype(np.float64)
        log_sum = np.logaddexp.reduce(logits, axis=1)
        rows = np.arange(len(logits))
        self._loss = float(np.mean(log_sum - logits[rows, self._labels]))
        melanoma = np.exp(logits[:, MELANOMA_INDEX] - log_sum)
        self._roc_auc = float(roc_auc_score(self._labels == MELANOMA_INDEX, melanoma))

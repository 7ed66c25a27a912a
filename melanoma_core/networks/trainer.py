"""Recipe and split -> trained weights."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.files import explain_write_errors
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.hardware import choose_precision
from melanoma_core.networks.inference import predict
from melanoma_core.networks.network import (
    LOGITS_LAYER,
    build_network,
    compile_network,
    split_network,
)
from melanoma_core.networks.stage import Labelled, Pace, Stage
from melanoma_core.progress import Progress
from melanoma_core.training.batches import TrainingBatches, compute_bias_correction, disable_augmentation
from melanoma_core.training.checkpoints import (
    Arrays,
    Checkpoint,
    load_checkpoint,
    load_features,
    remove_features,
    save_checkpoint,
    save_features,
    sign_training,
)
from melanoma_core.training.observer import EpochReport, Observer, Phase
from melanoma_core.training.photographs import open_pixels
from melanoma_core.training.predictions import find_melanoma
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.schedule import find_best_epoch, should_stop_early, compute_learning_rate
from melanoma_core.training.weights import KERAS_SUFFIX

_ORDER = 3  # a stream of chance; see `batches` for the others


def train_network(
    recipe: Recipe,
    split: Split,
    class_names: Sequence[str],
    weights: Path | str | None,
    folder: Path,
    observer: Observer,
) -> keras.Model:
    """Train on the train subset, watching validation; test is not looked at.

    First the head alone, on features of the frozen backbone, then the whole network. The state
    is kept after each epoch: the same call goes on where a killed one was, and on a processor it
    ends at the very same weights.

    Args:
        recipe: How.
        split: On what, as `preparation.prepare_split` returns it.
        class_names: Outputs of the network, in order; one of them means melanoma.
        weights: Of the backbone; see `network.build_network`.
        folder: Keeps the state.
        observer: Follows it, and may stop it within a batch.

    Returns:
        The network, uint8 photographs -> logits float32, of the last epoch or, with early
        stopping, of the best.

    Raises:
        DatasetError: A subset lacks melanoma or any other diagnosis.
        RecipeError: The weights do not fit, the folder holds the state of another training, or
            the loss is no longer a number.
        ImageError: A file has gone or changed since the split was made.
        FolderError: The folder cannot be written to, as on a full disk.
        Stopped: The observer raised it.
    """
    _check_subsets(split, class_names)
    with explain_write_errors(folder, "then resume the run"):
        folder.mkdir(parents=True, exist_ok=True)
    signature = sign_training(recipe, split, class_names)
    kept = load_checkpoint(folder, signature)
    keras.utils.set_random_seed(recipe.seed)
    precision = choose_precision(recipe)
    # Before the minutes of decoding, since its weights may be wrong. A checkpoint has its own.
    network = build_network(recipe, len(class_names), None if kept else weights, precision)
    start = None
    if recipe.start_share and isinstance(weights, Path) and weights.suffix == KERAS_SUFFIX:
        start = build_network(recipe, len(class_names), weights)
    training = _Training(recipe, tuple(class_names), folder, signature, observer, network)
    if kept:
        training.restore(kept)
    if not training.is_over:
        _train(training, split)
    finished = training.finish(precision)
    if start is not None:
        _give_back(
            finished, start, recipe, compute_bias_correction(recipe, split.subset(TRAIN), class_names)
        )
    return finished


class _Training:
    """A training with all that it keeps.

    Attributes:
        recipe: The recipe.
        class_names: Outputs of the network.
        folder: Where the state is kept.
        signature: Of the state.
        observer: Follows it.
        network: What is trained.
        history: What was measured after each epoch so far.
    """

    def __init__(
        self,
        recipe: Recipe,
        class_names: tuple[str, ...],
        folder: Path,
        signature: str,
        observer: Observer,
        network: keras.Model,
    ) -> None:
        self.recipe = recipe
        self.class_names = class_names
        self.folder = folder
        self.signature = signature
        self.observer = observer
        self.network = network
        self.history: tuple[EpochReport, ...] = ()
        self._best: Arrays = ()
        self._restored: Checkpoint | None = None

    def restore(self, kept: Checkpoint) -> None:
        """Take up what an earlier process kept, and tell its epochs again."""
        self.network.set_weights(kept.weights)
        self.history = kept.history
        self._best = kept.best or kept.weights
        self._restored = kept
        for report in kept.history:
            self.observer.on_epoch(report)

    @property
    def is_over(self) -> bool:
        """Whether every epoch is done, or early stopping ends the training."""
        return len(self.history) >= self.recipe.total_epochs or should_stop_early(
            self._losses, self.recipe.early_stopping
        )

    @property
    def _losses(self) -> list[float]:
        """Validation losses of the whole network so far."""
        return [
            report.figures[VALIDATION]["loss"]
            for report in self.history
            if report.phase is Phase.NETWORK
        ]

    def tell(self, phase: Phase, already: int = 0, total: int | None = None) -> Progress:
        """Return what reports the progress of a phase to the observer."""

        def report(done: int, of: int) -> None:
            self.observer.on_phase(phase, already + done, total or of)

        return report

    def run(self, stage: Stage) -> None:
        """Train a phase from its first epoch that was not done."""
        optimizer = stage.model.optimizer
        optimizer.build(stage.model.trainable_variables)
        if self._restored and self._restored.phase is stage.phase:
            for variable, value in zip(optimizer.variables, self._restored.optimizer, strict=True):
                variable.assign(value)
        pace = Pace()
        while len(self.history) < stage.end and not self.is_over:
            epoch = len(self.history)
            learning_rate = stage.train_epoch(epoch, self.recipe, pace, self.observer)
            started = time.perf_counter()
            report = EpochReport(
                epoch + 1,
                self.recipe.total_epochs,
                stage.phase,
                learning_rate,
                self._measure(stage),
            )
            self._keep(report, stage)
            pace.rest_seconds = time.perf_counter() - started
            self.observer.on_epoch(report)

    def _measure(self, stage: Stage) -> dict[str, dict[str, float]]:
        return {
            name: measure_epoch(
                predict(stage.model, images.inputs, progress=self.tell(Phase.MEASURING)),
                images.labels,
                self.class_names,
            )
            for name, images in stage.measured.items()
        }

    def _keep(self, report: EpochReport, stage: Stage) -> None:
        self.history = (*self.history, report)
        weights = self.network.get_weights()
        best: Arrays = ()
        if self.recipe.early_stopping and report.phase is Phase.NETWORK:
            if find_best_epoch(self._losses) == len(self._losses) - 1:
                self._best = weights
            else:
                best = self._best
        optimizer = [variable.numpy() for variable in stage.model.optimizer.variables]
        kept = Checkpoint(self.history, weights, optimizer, best)
        save_checkpoint(self.folder, self.signature, kept)

    def finish(self, precision: str) -> keras.Model:
        """Return the network with the weights that are wanted, computing in 32 bits."""
        if self.recipe.early_stopping and self._best:
            self.network.set_weights(self._best)
        if precision == "float32":
            return self.network
        exact = build_network(self.recipe, len(self.class_names), None)
        exact.set_weights(self.network.get_weights())
        return exact


def _give_back(
    network: keras.Model,
    start: keras.Model,
    recipe: Recipe,
    correction: NDArray[np.float32],
) -> None:
    """Give a network a share of the weights back that it went on from (`Recipe.start_share`)."""
    bias = start.get_layer(LOGITS_LAYER).bias
    # A finished model says how frequent the classes are; one in training, how they are drawn.
    bias.assign(bias - correction)
    for now, then in zip(network.trainable_weights, start.trainable_weights, strict=True):
        now.assign((1 - recipe.start_share) * now + recipe.start_share * then)


def _train(training: _Training, split: Split) -> None:
    recipe = training.recipe
    tables = {name: split.subset(name) for name in (TRAIN, VALIDATION, PUBLISHED)}
    # In an order of chance, so that its first rows are a sample.
    order = np.random.default_rng([recipe.seed, _ORDER]).permutation(len(tables[TRAIN]))
    tables[TRAIN] = tables[TRAIN].iloc[order]
    table = pd.concat([rows for rows in tables.values() if len(rows)], ignore_index=True)
    labels = index_labels(table, training.class_names)
    tell = training.tell(Phase.DECODING)
    with open_pixels(table, recipe.image_size, training.folder, tell) as pixels:
        ends = np.cumsum([len(rows) for rows in tables.values()])
        photographs = {
            name: Labelled(pixels[end - len(rows) : end], labels[end - len(rows) : end])
            for (name, rows), end in zip(tables.items(), ends, strict=True)
            if len(rows)
        }
        if len(training.history) < recipe.head_epochs:
            training.run(_make_head_stage(training, photographs))
        remove_features(training.folder)
        training.run(_make_network_stage(training, photographs))


def _make_head_stage(training: _Training, photographs: Mapping[str, Labelled]) -> Stage:
    recipe = training.recipe
    backbone, head = split_network(training.network)
    features = load_features(training.folder, training.signature)
    if features is None:
        total = sum(len(images.labels) for images in photographs.values())
        features = {}
        for name, images in photographs.items():
            done = sum(map(len, features.values()))
            tell = training.tell(Phase.FEATURES, done, total)
            features[name] = predict(backbone, images.inputs, progress=tell)
        save_features(training.folder, training.signature, features)
    compile_network(head, recipe)
    subsets = {
        name: Labelled(features[name], images.labels) for name, images in photographs.items()
    }
    return Stage(
        phase=Phase.HEAD,
        model=head,
        batches=TrainingBatches(*subsets[TRAIN], len(training.class_names), disable_augmentation(recipe)),
        measured=_choose_measured(subsets),
        first_epoch=0,
        num_epochs=recipe.head_epochs,
        learning_rate=lambda _: recipe.head_learning_rate,
        is_last=False,
    )


def _make_network_stage(training: _Training, photographs: Mapping[str, Labelled]) -> Stage:
    recipe = training.recipe
    compile_network(training.network, recipe)
    batches = TrainingBatches(*photographs[TRAIN], len(training.class_names), recipe)
    return Stage(
        phase=Phase.NETWORK,
        model=training.network,
        batches=batches,
        measured=_choose_measured(photographs),
        first_epoch=recipe.head_epochs,
        num_epochs=recipe.epochs,
        learning_rate=lambda step: compute_learning_rate(recipe, step, len(batches)),
        is_last=True,
    )


def _choose_measured(subsets: Mapping[str, Labelled]) -> dict[str, Labelled]:
    """Return the subsets, and of the train subset no more images than validation has."""
    sample = subsets[TRAIN].head(len(subsets[VALIDATION].labels))
    return {**subsets, TRAIN: sample}


def _check_subsets(split: Split, class_names: Sequence[str]) -> None:
    """Find out before hours of training what would fail after them."""
    melanoma = class_names[find_melanoma(class_names)]
    for name in (TRAIN, VALIDATION, TEST):
        labels = split.subset(name)["label"]
        num_melanomas = int((labels == melanoma).sum())
        if not 0 < num_melanomas < len(labels):
            raise DatasetError(
                f"Found {num_melanomas} melanomas among the {len(labels)} photographs of the "
                f"{name} subset. It needs at least 1, and 1 of another diagnosis. Add "
                "photographs of more lesions."
            )


def measure_epoch(
    logits: NDArray[np.float32], labels: NDArray[np.int64], class_names: Sequence[str]
) -> dict[str, float]:
    """Measure what a network says of some images; without intervals, for curves.

    Args:
        logits: float [N, C].
        labels: int [N], positions in the class names.
        class_names: C names, one of which means melanoma.

    Returns:
        "loss" (cross-entropy, whatever loss is trained on), "accuracy", "balanced_accuracy" (mean
        recall of the classes that occur), "melanoma_sensitivity" and "melanoma_specificity" (of
        melanoma put first), "roc_auc" (of the probability of melanoma), and "recall/<class>" of
        each class. NaN where undefined.
    """
    melanoma = find_melanoma(class_names)
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    predicted = logits.argmax(axis=1)
    recalls = {
        f"recall/{name}": _share(predicted == index, labels == index)
        for index, name in enumerate(class_names)
    }
    defined = [recall for recall in recalls.values() if not np.isnan(recall)]
    own = log_probabilities[np.arange(len(labels)), labels]
    return {
        "loss": -_mean(own),
        "accuracy": _mean(predicted == labels),
        "balanced_accuracy": _mean(np.array(defined)),
        "melanoma_sensitivity": _share(predicted == melanoma, labels == melanoma),
        "melanoma_specificity": _share(predicted != melanoma, labels != melanoma),
        "roc_auc": _measure_roc_auc(log_probabilities[:, melanoma], labels == melanoma),
    } | recalls


def _measure_roc_auc(score: NDArray[np.float64], is_melanoma: NDArray[np.bool_]) -> float:
    if is_melanoma.all() or not is_melanoma.any() or np.isnan(score).any():
        return float("nan")
    return float(roc_auc_score(is_melanoma, score))


def _share(event: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return _mean(event[among])


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")

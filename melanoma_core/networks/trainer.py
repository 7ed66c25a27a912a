"""Train the network of a recipe on a split, with checkpoints after each epoch."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.files import explain_write_errors
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.hardware import choose_precision
from melanoma_core.networks.inference import predict, predict_outputs
from melanoma_core.networks.network import (
    LOGITS_LAYER,
    build_network,
    compile_network,
    split_network,
)
from melanoma_core.networks.outline import is_of_outline
from melanoma_core.networks.stage import MOST_SAMPLED, LabelledInputs, Throughput, TrainingStage
from melanoma_core.progress import Progress
from melanoma_core.training.batches import ImageFacts, TrainingBatches, disable_augmentation
from melanoma_core.training.checkpoints import (
    RESUME_ADVICE,
    Arrays,
    Checkpoint,
    load_checkpoint,
    load_features,
    remove_features,
    save_checkpoint,
    save_features,
    sign_training,
)
from melanoma_core.training.classes import find_positive, names_tiers
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.epoch_metrics import measure_epoch
from melanoma_core.training.observer import EpochReport, Observer, Phase
from melanoma_core.training.outlines import Outlines, load_outlines
from melanoma_core.training.photographs import open_pixels
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.schedule import (
    compute_learning_rate,
    find_best_epoch,
    should_stop_early,
)
from melanoma_core.training.targets import find_members, list_targets
from melanoma_core.training.weights import KERAS_SUFFIX

_ORDER_STREAM = 3  # a random stream of the seed; see `batches` for the others


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """What is trained.

    Attributes:
        recipe: The training configuration.
        split: The prepared split (`preparation.prepare_split`).
        class_names: Outputs of the network, in order; one of them means melanoma.
        weights: Initial weights; see `network.build_network`.
    """

    recipe: Recipe
    split: Split
    class_names: tuple[str, ...]
    weights: Path | str | None = None


def train_network(task: TrainingTask, folder: Path, observer: Observer) -> keras.Model:
    """Train on the train subset and evaluate on validation after each epoch; test is not used.

    The head is trained first, on features of the frozen backbone, then the whole network. The
    state is saved after each epoch. The same call resumes a killed training, and on a CPU it ends
    with exactly the same weights as an uninterrupted one.

    Args:
        task: What is trained.
        folder: Folder of the saved state.
        observer: Receives the progress, and can stop the training within a batch.

    Returns:
        The network, uint8 [N, size, size, 3] -> logits float32 [N, C], with the weights of the
        last epoch or, with early stopping, of the best epoch.

    Raises:
        DatasetError: A subset lacks melanoma or any other diagnosis.
        RecipeError: The weights do not fit, the folder holds the state of another training, or
            the loss is not finite.
        ImageError: A file was removed or changed since the split was made.
        FolderError: The folder cannot be written to, for example because the disk is full.
        Stopped: Raised by the observer.
    """
    _check_subsets(task.split, task.class_names)
    with explain_write_errors(folder, RESUME_ADVICE):
        folder.mkdir(parents=True, exist_ok=True)
    training = _Training(task, folder, observer)
    is_averaged = task.recipe.start_share and _is_complete(task.weights)
    start = _build_start_network(task) if is_averaged else None
    if not training.is_finished:
        training.run()
    network = training.get_finished_network()
    if start is not None:
        _average_with_start(network, start, task.recipe.start_share)
    return network


class _Training:
    """A training with its state, restored from the folder if there is a checkpoint.

    Attributes:
        is_finished: Whether all epochs are done or early stopping ended the training.
    """

    def __init__(self, task: TrainingTask, folder: Path, observer: Observer) -> None:
        self._recipe, self._class_names = task.recipe, task.class_names
        self._split = task.split
        self._folder = folder
        self._observer = observer
        self._signature = sign_training(task.recipe, task.split, task.class_names)
        self._checkpoint = load_checkpoint(folder, self._signature)
        self._history: tuple[EpochReport, ...] = ()
        self._best: Arrays = ()
        keras.utils.set_random_seed(task.recipe.seed)
        self._precision = choose_precision(task.recipe)
        # Built before the minutes of decoding, because the initial weights may not fit.
        if self._checkpoint is None and _is_complete(task.weights):
            self._network = _build_start_network(task, self._precision)
            return
        weights = None if self._checkpoint else task.weights
        self._network = build_network(task.recipe, len(task.class_names), weights, self._precision)
        if self._checkpoint:
            self._restore(self._checkpoint)

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint, and report its epochs again."""
        self._network.set_weights(checkpoint.weights)
        self._history = checkpoint.history
        self._best = checkpoint.best or checkpoint.weights
        for report in checkpoint.history:
            self._observer.on_epoch(report)

    @property
    def is_finished(self) -> bool:
        return len(self._history) >= self._recipe.total_epochs or should_stop_early(
            self._losses, self._recipe.early_stopping
        )

    @property
    def _losses(self) -> list[float]:
        """Validation losses of the whole network so far."""
        return [
            report.figures[VALIDATION]["loss"]
            for report in self._history
            if report.phase is Phase.NETWORK
        ]

    def run(self) -> None:
        """Decode the photographs and train both stages."""
        tables = {name: self._split.subset(name) for name in (TRAIN, VALIDATION, PUBLISHED)}
        # Shuffled, so that its first rows are a random sample.
        rng = np.random.default_rng([self._recipe.seed, _ORDER_STREAM])
        tables[TRAIN] = tables[TRAIN].iloc[rng.permutation(len(tables[TRAIN]))]
        self._sources = tables[TRAIN]["source"].to_numpy()
        self._targets = list_targets(tables[TRAIN]["label"], self._class_names)
        self._members = find_members(self._targets, self._class_names)
        table = pd.concat([rows for rows in tables.values() if len(rows)], ignore_index=True)
        labels = index_labels(table, self._targets)
        outlines: dict[str, Outlines] = {}
        if self._recipe.outline_weight:
            outlines = {name: load_outlines(rows, self._recipe) for name, rows in tables.items()}
        progress = self._report_progress(Phase.DECODING)
        with open_pixels(table, self._recipe.image_size, self._folder, progress) as pixels:
            ends = np.cumsum([len(rows) for rows in tables.values()])
            photographs = {
                name: LabelledInputs(
                    pixels[end - len(rows) : end],
                    labels[end - len(rows) : end],
                    outlines.get(name),
                )
                for (name, rows), end in zip(tables.items(), ends, strict=True)
                if len(rows)
            }
            if len(self._history) < self._recipe.head_epochs:
                self._run_stage(self._make_head_stage(photographs))
            remove_features(self._folder)
            self._run_stage(self._make_network_stage(photographs))

    def get_finished_network(self) -> keras.Model:
        """Return the network with its final weights, in 32-bit precision."""
        if self._recipe.early_stopping and self._best:
            self._network.set_weights(self._best)
        if self._precision == "float32":
            return self._network
        exact = build_network(self._recipe, len(self._class_names), None)
        exact.set_weights(self._network.get_weights())
        return exact

    def _make_head_stage(self, photographs: Mapping[str, LabelledInputs]) -> TrainingStage:
        recipe = self._recipe
        backbone, head = split_network(self._network)
        features = load_features(self._folder, self._signature)
        if features is None:
            total = sum(len(images.labels) for images in photographs.values())
            features = {}
            for name, images in photographs.items():
                done = sum(map(len, features.values()))
                progress = self._report_progress(Phase.FEATURES, done, total)
                features[name] = predict(backbone, images.inputs, progress=progress)
            save_features(self._folder, self._signature, features)
        compile_network(head, recipe, self._members)
        subsets = {
            name: LabelledInputs(features[name], images.labels)
            for name, images in photographs.items()
        }
        return TrainingStage(
            phase=Phase.HEAD,
            model=head,
            batches=self._make_batches(subsets[TRAIN], disable_augmentation(recipe)),
            evaluated=self._select_evaluated(subsets),
            first_epoch=0,
            num_epochs=recipe.head_epochs,
            learning_rate=lambda _: recipe.head_learning_rate,
            is_last=False,
        )

    def _make_network_stage(self, photographs: Mapping[str, LabelledInputs]) -> TrainingStage:
        recipe = self._recipe
        compile_network(self._network, recipe, self._members)
        batches = self._make_batches(photographs[TRAIN], recipe)
        return TrainingStage(
            phase=Phase.NETWORK,
            model=self._network,
            batches=batches,
            evaluated=self._select_evaluated(photographs),
            first_epoch=recipe.head_epochs,
            num_epochs=recipe.epochs,
            learning_rate=lambda step: compute_learning_rate(recipe, step, len(batches)),
            is_last=True,
        )

    def _select_evaluated(self, subsets: Mapping[str, LabelledInputs]) -> dict[str, LabelledInputs]:
        """Return the subsets, with a sample of train that is no larger than validation.

        Images of which only the risk tier is known are left out: no metric is defined for them.
        """
        inputs, labels, _ = subsets[TRAIN]
        number = min(len(subsets[VALIDATION].labels), MOST_SAMPLED)
        if not self._members:  # a view takes no memory
            return {**subsets, TRAIN: LabelledInputs(inputs[:number], labels[:number])}
        sample = np.flatnonzero(labels < len(self._class_names))[:number]
        return {**subsets, TRAIN: LabelledInputs(inputs[sample], labels[sample])}

    def _make_batches(self, train: LabelledInputs, recipe: Recipe) -> TrainingBatches:
        facts = ImageFacts(self._sources, train.outlines)
        return TrainingBatches(train.inputs, train.labels, len(self._targets), recipe, facts)

    def _run_stage(self, stage: TrainingStage) -> None:
        """Train a stage, from its first unfinished epoch."""
        optimizer = stage.model.optimizer
        optimizer.build(stage.model.trainable_variables)
        if self._checkpoint and self._checkpoint.phase is stage.phase:
            for variable, value in zip(
                optimizer.variables, self._checkpoint.optimizer, strict=True
            ):
                variable.assign(value)
        throughput = Throughput()
        while len(self._history) < stage.end and not self.is_finished:
            epoch = len(self._history)
            rate = stage.train_epoch(epoch, self._recipe, throughput, self._observer)
            started = time.perf_counter()
            figures = self._evaluate(stage)
            report = EpochReport(epoch + 1, self._recipe.total_epochs, stage.phase, rate, figures)
            self._save(report, stage)
            throughput.evaluation_seconds = time.perf_counter() - started
            self._observer.on_epoch(report)

    def _evaluate(self, stage: TrainingStage) -> dict[str, dict[str, float]]:
        progress = self._report_progress(Phase.MEASURING)
        figures = {}
        for name, images in stage.evaluated.items():
            logits, *drawn = predict_outputs(stage.model, images.inputs, progress=progress)
            figures[name] = measure_epoch(logits, images.labels, self._class_names)
            if drawn and images.outlines:
                figures[name]["outline_dice"] = images.outlines.compare(drawn[0] > 0)
        return figures

    def _save(self, report: EpochReport, stage: TrainingStage) -> None:
        self._history = (*self._history, report)
        weights = self._network.get_weights()
        best: Arrays = ()
        if self._recipe.early_stopping and report.phase is Phase.NETWORK:
            if find_best_epoch(self._losses) == len(self._losses) - 1:
                self._best = weights
            else:
                best = self._best
        optimizer = [variable.numpy() for variable in stage.model.optimizer.variables]
        checkpoint = Checkpoint(self._history, weights, optimizer, best)
        save_checkpoint(self._folder, self._signature, checkpoint)

    def _report_progress(self, phase: Phase, before: int = 0, total: int | None = None) -> Progress:
        """Return a progress callback that reports to the observer.

        Args:
            phase: The phase.
            before: Items that were finished before.
            total: Total number of items; None takes the number that is passed to the callback.
        """

        def report(done: int, of: int) -> None:
            self._observer.on_phase(phase, before + done, total or of)

        return report


def _is_complete(weights: Path | str | None) -> bool:
    return isinstance(weights, Path) and weights.suffix == KERAS_SUFFIX


def _build_start_network(task: TrainingTask, precision: str = "float32") -> keras.Model:
    """Return the complete model that a training starts from, as the training sees it.

    The bias of a finished model expects natural class frequencies, a training those of the draw.
    """
    start = build_network(task.recipe, len(task.class_names), task.weights, precision)
    bias = start.get_layer(LOGITS_LAYER).bias
    train = task.split.subset(TRAIN)
    bias.assign(bias - compute_bias_correction(task.recipe, train, task.class_names))
    return start


def _average_with_start(network: keras.Model, start: keras.Model, share: float) -> None:
    """Average the weights of a network with those that it started from (`Recipe.start_share`).

    The outline head may be new, so it keeps its own.
    """
    for own, initial in zip(network.trainable_weights, start.trainable_weights, strict=True):
        if not is_of_outline(own):
            own.assign((1 - share) * own + share * initial)


def _check_subsets(split: Split, class_names: Sequence[str]) -> None:
    """Raise before hours of training what would fail after them."""
    melanoma = class_names[find_positive(class_names)]
    kind, other = "melanoma", "diagnosis"
    if names_tiers(class_names):
        kind, other = "malignant lesion", "tier"
    for name in (TRAIN, VALIDATION, TEST):
        labels = split.subset(name)["label"]
        num_melanomas = int((labels == melanoma).sum())
        if not 0 < num_melanomas < len(labels):
            raise DatasetError(
                f"Found {num_melanomas} {kind}s among the {len(labels)} images of the {name} "
                f"subset. It needs at least 1 {kind} and 1 image of another {other}. Add "
                "images of more lesions."
            )

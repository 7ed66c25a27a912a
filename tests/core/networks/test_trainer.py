"""Stopped, killed and resumed trainings end with the same weights as uninterrupted ones."""

import logging
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.errors import DatasetError, FolderError, ImageError, RecipeError
from melanoma_core.networks import hardware, trainer
from melanoma_core.networks.hardware import choose_precision
from melanoma_core.networks.inference import predict, predict_table
from melanoma_core.networks.network import build_network, split_network
from melanoma_core.networks.trainer import TrainingTask, train_network
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.checkpoints import load_checkpoint, load_features, sign_training
from melanoma_core.training.draw import compute_bias_correction
from melanoma_core.training.epoch_metrics import measure_epoch
from melanoma_core.training.observer import Phase, Stopped
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.recipe import Architecture, Loss, Rebalancing, Recipe, Schedule

pytestmark = pytest.mark.usefixtures("tiny_backbone")

CLASS_NAMES = tuple(Diagnosis)
THREE_CLASSES = ("nevus", "melanoma", "vascular lesion")
# Every kind of randomness, and early stopping: every part of the state matters.
SMALL = Recipe(
    name="small",
    architecture=Architecture.SMALL_CNN,
    image_size=32,
    head_epochs=0,
    epochs=4,
    images_per_epoch=32,
    batch_size=16,
    early_stopping=3,
    batch_normalization=True,
    loss=Loss.FOCAL,
    mixup=0.2,
    rebalancing=Rebalancing.CLASS_WEIGHTS,
)
TRANSFER = Recipe(
    name="transfer", image_size=32, head_epochs=2, epochs=2, images_per_epoch=32, batch_size=16
)
# One process with two trainings, since TensorFlow takes seconds to start. The second training
# starts within a batch of the first one, and then kills the process.
KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from melanoma_core.networks.network import BACKBONES, Backbone
from melanoma_core.training.recipe import Architecture
from melanoma_core.networks.trainer import TrainingTask, train_network
from tests.core.conftest import build_tiny

BACKBONES[Architecture.MOBILENET] = Backbone(build_tiny, 1 / 127.5, -1.0)
folder = Path(sys.argv[1])
small, transfer, split, class_names = pickle.loads((folder / "begin.pickle").read_bytes())
class Trigger:
    def __init__(self, at, action): self.at, self.action = at, action
    def on_phase(self, phase, done, total): pass
    def on_epoch(self, report): pass
    def on_batch(self, state):
        if (state.epoch, state.batch) == self.at:
            self.action()
def train(recipe, at, action):
    task = TrainingTask(recipe, split, class_names)
    train_network(task, folder / recipe.name, Trigger(at, action))
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
train(small, (3, 2), lambda: train(transfer, (2, 1), kill))
"""


@dataclass(frozen=True)
class FinishedTraining:
    """An uninterrupted training."""

    observer: Any
    weights: list[np.ndarray]
    folder: Path


def train(recipe: Recipe, split: Split, folder: Path, observer: Any) -> keras.Model:
    return train_network(TrainingTask(recipe, split, CLASS_NAMES), folder, observer)


def finish_training(recipe: Recipe, split: Split, folder: Path, observer: Any) -> FinishedTraining:
    network = train(recipe, split, folder, observer)
    return FinishedTraining(observer, network.get_weights(), folder)


@pytest.fixture(scope="module")
def killed(drawn_split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the states of two trainings whose process was killed."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "begin.pickle").write_bytes(pickle.dumps((SMALL, TRANSFER, drawn_split, CLASS_NAMES)))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return folder


def assert_same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def curves(observer: Any) -> list[dict[str, Any]]:
    return [asdict(report) for report in observer.epochs]


@pytest.fixture(scope="module")
def small(
    drawn_split: Split, tmp_path_factory: pytest.TempPathFactory, make_observer: type
) -> FinishedTraining:
    return finish_training(SMALL, drawn_split, tmp_path_factory.mktemp("small"), make_observer())


@pytest.fixture(scope="module")
def transfer(
    drawn_split: Split,
    tmp_path_factory: pytest.TempPathFactory,
    make_observer: type,
    tiny_backbone: None,  # noqa: ARG001  # the mark does not apply to module fixtures
) -> FinishedTraining:
    return finish_training(
        TRANSFER, drawn_split, tmp_path_factory.mktemp("transfer"), make_observer()
    )


def test_every_batch_is_reported_once_and_in_order(small: FinishedTraining):
    reported = [(state.epoch, state.batch) for state in small.observer.batches]

    assert reported == [(epoch, batch) for epoch in range(1, 5) for batch in (1, 2)]
    assert {state.num_batches for state in small.observer.batches} == {2}
    assert {state.num_epochs for state in small.observer.batches} == {4}
    assert {state.phase for state in small.observer.batches} == {Phase.NETWORK}
    assert all(state.loss > 0 for state in small.observer.batches)


def test_throughput_and_remaining_time_are_known_after_the_first_batch(small: FinishedTraining):
    first, *others = small.observer.batches

    assert np.isnan([first.images_per_second, first.remaining_seconds]).all()
    assert all(state.images_per_second > 0 for state in others)
    assert all(state.remaining_seconds > 0 for state in others)


def test_every_epoch_is_evaluated_on_validation_and_as_many_images_of_train(
    small: FinishedTraining, drawn_split: Split
):
    assert [report.epoch for report in small.observer.epochs] == [1, 2, 3, 4]
    for report in small.observer.epochs:
        assert report.figures.keys() == {"train", "validation"}
        for figures in report.figures.values():
            assert figures["loss"] > 0
            assert np.isnan(figures["recall/BCC"])
    assert len(drawn_split.subset("validation")) == 12
    shares = [report.figures["train"]["accuracy"] * 12 for report in small.observer.epochs]
    np.testing.assert_allclose(shares, np.round(shares))


def test_the_reported_metrics_are_those_of_the_network(small: FinishedTraining, drawn_split: Split):
    network = build_network(SMALL, 8, None)
    network.set_weights(load_checkpoint(small.folder, sign(SMALL, drawn_split)).weights)
    validation = drawn_split.subset("validation")

    probabilities = predict_table(network, validation, 32)

    own = probabilities[np.arange(12), [CLASS_NAMES.index(x) for x in validation["label"]]]
    assert small.observer.epochs[-1].figures["validation"]["loss"] == pytest.approx(
        -np.log(own).mean(), rel=1e-5
    )


def sign(recipe: Recipe, split: Split) -> str:
    return sign_training(recipe, split, CLASS_NAMES)


def test_a_killed_and_resumed_training_equals_an_uninterrupted_one_bit_by_bit(
    small: FinishedTraining, drawn_split: Split, killed: Path, make_observer: type
):
    observer = make_observer()

    resumed = train(SMALL, drawn_split, killed / "small", observer)

    assert [(s.epoch, s.batch) for s in observer.batches][:2] == [(3, 1), (3, 2)]
    assert repr(curves(observer)) == repr(curves(small.observer))  # NaN included
    assert_same(resumed.get_weights(), small.weights)


def run_backbone(split: Split) -> np.ndarray:
    """Return the features of the untrained backbone for the validation subset."""
    keras.utils.set_random_seed(TRANSFER.seed)
    backbone, _ = split_network(build_network(TRANSFER, 8, None))
    return predict(backbone, load_pixels(split.subset("validation"), 32))


def test_a_training_killed_in_the_head_and_stopped_in_the_network_equals_an_uninterrupted_one(
    transfer: FinishedTraining, drawn_split: Split, killed: Path, make_observer: type
):
    state = killed / "transfer"
    features = load_features(state, sign(TRANSFER, drawn_split))
    assert features["train"].shape == (60, 12)
    np.testing.assert_array_equal(features["validation"], run_backbone(drawn_split))
    stopped, observer = make_observer(stop_at=(4, 1)), make_observer()

    with pytest.raises(Stopped):
        train(TRANSFER, drawn_split, state, stopped)
    resumed = train(TRANSFER, drawn_split, state, observer)

    assert [(s.epoch, s.batch) for s in stopped.batches] == [(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)]
    assert [(s.epoch, s.batch) for s in observer.batches] == [(4, 1), (4, 2)]
    assert Phase.FEATURES not in {phase for phase, _, _ in stopped.phases}
    assert repr(curves(observer)) == repr(curves(transfer.observer))
    assert_same(resumed.get_weights(), transfer.weights)


def test_the_head_is_trained_before_the_network_at_its_own_learning_rate(
    transfer: FinishedTraining,
):
    assert [(report.phase, report.epoch) for report in transfer.observer.epochs] == [
        (Phase.HEAD, 1),
        (Phase.HEAD, 2),
        (Phase.NETWORK, 3),
        (Phase.NETWORK, 4),
    ]
    rates = [report.learning_rate for report in transfer.observer.epochs]
    # Steps 1 of 2 in the warm-up, then 1 of 2 down half a cosine.
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 3e-4 * (0.01 + 0.99 / 2), 3e-4 / 2])


def test_features_are_computed_once_and_removed_when_the_head_is_trained(
    transfer: FinishedTraining,
):
    phases = [phase for phase, _, _ in transfer.observer.phases if phase is not Phase.MEASURING]

    assert phases == [Phase.DECODING] * 2 + [Phase.FEATURES] * 2
    assert [path.name for path in transfer.folder.iterdir()] == ["checkpoint.npz"]


def test_a_training_stops_within_an_epoch_and_keeps_the_epochs_before(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    observer = make_observer(stop_at=(2, 1))

    with pytest.raises(Stopped):
        train(SMALL, drawn_split, tmp_path, observer)

    assert len(observer.batches) == 3
    assert len(load_checkpoint(tmp_path, sign(SMALL, drawn_split)).history) == 1


@pytest.mark.parametrize("phase", [Phase.DECODING, Phase.MEASURING])
def test_a_training_stops_while_no_batch_runs(
    drawn_split: Split, tmp_path: Path, make_observer: type, phase: Phase
):
    with pytest.raises(Stopped):
        train(SMALL, drawn_split, tmp_path, make_observer(phase))


def test_a_finished_training_is_loaded_from_its_folder(
    small: FinishedTraining, drawn_split: Split, make_observer: type
):
    observer = make_observer(stop_at=(1, 1))

    again = train(SMALL, drawn_split, small.folder, observer)

    assert observer.phases == observer.batches == []
    assert len(observer.epochs) == 4
    assert_same(again.get_weights(), small.weights)


def test_early_stopping_ends_with_the_weights_of_the_best_epoch(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    # Random images can only be memorised, so the validation loss rises soon.
    hasty = replace(
        SMALL,
        learning_rate=3e-3,
        schedule=Schedule.CONSTANT,
        batch_normalization=False,
        loss=Loss.CROSS_ENTROPY,
        mixup=0.0,
        epochs=12,
        early_stopping=1,
        warmup_epochs=0,
    )
    observer = make_observer()

    network = train(hasty, drawn_split, tmp_path / "hasty", observer)
    losses = [report.figures["validation"]["loss"] for report in observer.epochs]
    best = int(np.argmin(losses))
    kept = load_checkpoint(tmp_path / "hasty", sign(hasty, drawn_split))

    assert len(losses) == best + 2 < 12
    assert_same(network.get_weights(), kept.best)
    again = train(hasty, drawn_split, tmp_path / "hasty", make_observer((1, 1)))
    assert_same(again.get_weights(), kept.best)


def test_labels_can_have_any_name_and_a_published_share_is_evaluated_too(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    names = {"MEL": "melanoma", "NV": "a mole"}
    table = drawn_split.table.assign(label=drawn_split.table["label"].map(names))
    table.loc[table.index[table["subset"] == "train"][:10], "subset"] = "published"
    split = replace(drawn_split, table=table)
    observer = make_observer()

    task = TrainingTask(replace(SMALL, epochs=1), split, ("a mole", "melanoma"))
    network = train_network(task, tmp_path, observer)

    assert network.output_shape == (None, 2)
    (report,) = observer.epochs
    assert report.figures.keys() == {"train", "validation", "published"}
    assert "recall/a mole" in report.figures["validation"]
    tenths = report.figures["published"]["accuracy"] * 10
    assert tenths == pytest.approx(round(tenths))


def test_the_state_of_another_recipe_is_not_resumed(
    small: FinishedTraining, drawn_split: Split, make_observer: type
):
    with pytest.raises(RecipeError, match="state of a training with another recipe or other data"):
        train(replace(SMALL, epochs=3), drawn_split, small.folder, make_observer())


def test_the_state_of_another_split_is_not_resumed(
    small: FinishedTraining, drawn_split: Split, make_observer: type
):
    other = split_dataset(drawn_split.table.assign(subset="unassigned"), seed=2)

    with pytest.raises(RecipeError, match="Name an empty folder"):
        train(SMALL, other, small.folder, make_observer())


@pytest.mark.parametrize("recipe", [SMALL, TRANSFER], ids=["small", "transfer"])
def test_images_of_a_tier_are_learned_and_not_measured(
    recipe: Recipe, drawn_split: Split, tmp_path: Path, make_observer: type
):
    table = drawn_split.table
    benign = (table["subset"] == "train") & (table["label"] == "NV")
    split = replace(drawn_split, table=table.assign(label=table["label"].mask(benign, "benign")))
    observer = make_observer()

    network = train(replace(recipe, source_balance=0.5), split, tmp_path, observer)

    assert network.output_shape == (None, len(CLASS_NAMES))
    assert all(state.loss > 0 for state in observer.batches)
    assert np.isnan(observer.epochs[-1].figures["train"]["recall/NV"])
    assert observer.epochs[-1].figures["train"]["recall/MEL"] >= 0


def test_a_subset_without_melanoma_is_refused_before_the_training(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    table = drawn_split.table
    healthy = table[(table["subset"] != "validation") | (table["label"] != "MEL")]
    split = replace(drawn_split, table=healthy)

    with pytest.raises(DatasetError, match="0 melanomas among the 8 images of the validation"):
        train(SMALL, split, tmp_path, make_observer())


def test_a_removed_photograph_is_named(drawn_split: Split, tmp_path: Path, make_observer: type):
    split = replace(drawn_split, table=drawn_split.table.assign(path=tmp_path / "gone.jpg"))

    with pytest.raises(ImageError, match=r"no file .*gone\.jpg"):
        train(SMALL, split, tmp_path, make_observer())


def test_a_folder_that_cannot_be_created_is_an_error(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    (tmp_path / "file").write_text("")

    with pytest.raises(FolderError, match=r"Cannot write .*state \(Not a directory\)"):
        train(SMALL, drawn_split, tmp_path / "file" / "state", make_observer())


def test_a_loss_that_is_not_finite_ends_the_training_with_an_error(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    wild = replace(SMALL, learning_rate=1e30, warmup_epochs=0, schedule=Schedule.CONSTANT)

    with pytest.raises(
        RecipeError, match=r"not a finite number, in epoch 1 at learning rate 1e\+30"
    ):
        train(wild, drawn_split, tmp_path, make_observer())


def test_without_a_gpu_mixed_precision_is_ignored_with_a_log_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hardware, "list_accelerators", tuple)

    with caplog.at_level(logging.INFO, logger="melanoma_core"):
        assert choose_precision(SMALL) == "float32"

    assert caplog.messages == [
        "Found no GPU. Training computes in 32 bits instead of mixed precision."
    ]


def test_a_network_trained_in_mixed_precision_is_returned_in_32_bits(
    drawn_split: Split, tmp_path: Path, make_observer: type, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer, "choose_precision", lambda _: "mixed_float16")
    recipe = replace(SMALL, epochs=2, images_per_epoch=16)

    with pytest.raises(Stopped):
        train(recipe, drawn_split, tmp_path, make_observer((2, 1)))
    network = train(recipe, drawn_split, tmp_path, make_observer())

    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_fine_tuned_network_is_averaged_with_the_model_that_it_started_from(
    drawn_split: Split, tmp_path: Path, make_observer: type
):
    path = tmp_path / "model.keras"
    keras.utils.set_random_seed(1)
    recipe = replace(SMALL, weights=str(path), epochs=1, early_stopping=0, start_share=0.25)
    start = build_network(recipe, len(CLASS_NAMES), None)
    start.save(path)
    task = TrainingTask(recipe, drawn_split, CLASS_NAMES, path)

    averaged = train_network(task, tmp_path, make_observer())

    trained = build_network(recipe, len(CLASS_NAMES), None)
    trained.set_weights(load_checkpoint(tmp_path, sign(recipe, drawn_split)).weights)
    correction = compute_bias_correction(recipe, drawn_split.subset("train"), CLASS_NAMES)
    for initial, own, found in zip(
        start.trainable_weights, trained.trainable_weights, averaged.trainable_weights, strict=True
    ):
        # The bias of a finished model expects natural class frequencies, not those of the draw.
        before = initial - correction if initial.shape == (len(CLASS_NAMES),) else initial
        assert not np.array_equal(own, before)
        np.testing.assert_allclose(found, 0.75 * own + 0.25 * before, atol=1e-6)


def test_the_metrics_of_four_photographs():
    logits = np.log([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    labels = np.array([0, 1, 1, 0])

    found = measure_epoch(logits.astype(np.float32), labels, THREE_CLASSES)

    assert found == pytest.approx(
        {
            "loss": -np.mean(np.log([0.7, 0.4, 0.8, 0.3])),
            "accuracy": 0.5,
            "balanced_accuracy": 0.5,
            "melanoma_sensitivity": 0.5,
            "melanoma_specificity": 0.5,
            "roc_auc": 0.75,
            "recall/nevus": 0.5,
            "recall/melanoma": 0.5,
            "recall/vascular lesion": np.nan,
        },
        nan_ok=True,
    )


def test_without_melanoma_its_metrics_are_undefined():
    found = measure_epoch(np.zeros((2, 3), np.float32), np.array([0, 2]), THREE_CLASSES)

    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == {"melanoma_sensitivity", "roc_auc", "recall/melanoma"}
    assert found["loss"] == pytest.approx(np.log(3))


def test_without_photographs_all_metrics_are_undefined():
    found = measure_epoch(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), THREE_CLASSES)

    assert all(np.isnan(value) for value in found.values())


def test_logits_that_are_not_finite_have_no_roc_auc():
    found = measure_epoch(np.full((2, 3), np.nan, np.float32), np.array([0, 1]), THREE_CLASSES)

    assert np.isnan(found["roc_auc"])
    assert np.isnan(found["loss"])


def test_classes_without_melanoma_are_refused():
    with pytest.raises(DatasetError, match="Found 0 classes that mean melanoma"):
        measure_epoch(np.zeros((1, 1), np.float32), np.zeros(1, np.int64), ("nevus",))

"""Trainings that are stopped, killed and resumed end at the very weights of one that was not."""

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
from melanoma_core.networks.trainer import train_network
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.batches import correct_frequencies
from melanoma_core.training.checkpoints import load_checkpoint, load_features, sign_training
from melanoma_core.training.observer import Phase, Stopped
from melanoma_core.training.photographs import load_pixels
from melanoma_core.training.recipe import Architecture, Loss, Rebalancing, Recipe, Schedule

pytestmark = pytest.mark.usefixtures("tiny_backbone")

CLASS_NAMES = tuple(Diagnosis)
# All that is drawn by chance, and early stopping: every part of the state matters.
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
# A process that is killed at a batch.
KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from melanoma_core.networks.network import BACKBONES, Backbone
from melanoma_core.training.recipe import Architecture
from melanoma_core.networks.trainer import train_network
from tests.core.conftest import build_tiny

BACKBONES[Architecture.MOBILENET] = Backbone(build_tiny, 1 / 127.5, -1.0)
folder = Path(sys.argv[1])
recipe, split, class_names, kill_at = pickle.loads((folder / "begin.pickle").read_bytes())
class Killer:
    def on_phase(self, phase, done, total): pass
    def on_epoch(self, report): pass
    def on_batch(self, state):
        if (state.epoch, state.batch) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
train_network(recipe, split, class_names, None, folder / "state", Killer())
"""


@dataclass(frozen=True)
class Whole:
    """A training that nobody stopped."""

    witness: Any
    weights: list[np.ndarray]
    folder: Path


def train_whole(recipe: Recipe, split: Split, folder: Path, witness: Any) -> Whole:
    network = train_network(recipe, split, CLASS_NAMES, None, folder, witness)
    return Whole(witness, network.get_weights(), folder)


def kill_training(recipe: Recipe, split: Split, folder: Path, kill_at: tuple[int, int]) -> Path:
    """Train in a process of its own until it kills itself, and return the folder of its state."""
    begin = (recipe, split, CLASS_NAMES, kill_at)
    (folder / "begin.pickle").write_bytes(pickle.dumps(begin))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return folder / "state"


def assert_same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def curves(witness: Any) -> list[dict[str, Any]]:
    return [asdict(report) for report in witness.epochs]


@pytest.fixture(scope="module")
def small(
    drawn_split: Split, tmp_path_factory: pytest.TempPathFactory, make_witness: type
) -> Whole:
    return train_whole(SMALL, drawn_split, tmp_path_factory.mktemp("small"), make_witness())


@pytest.fixture(scope="module")
def transfer(
    drawn_split: Split,
    tmp_path_factory: pytest.TempPathFactory,
    make_witness: type,
    tiny_backbone: None,  # noqa: ARG001  # the mark comes too late for a fixture of the module
) -> Whole:
    return train_whole(TRANSFER, drawn_split, tmp_path_factory.mktemp("transfer"), make_witness())


def test_every_batch_is_told_once_and_in_order(small: Whole):
    told = [(state.epoch, state.batch) for state in small.witness.batches]

    assert told == [(epoch, batch) for epoch in range(1, 5) for batch in (1, 2)]
    assert {state.num_batches for state in small.witness.batches} == {2}
    assert {state.num_epochs for state in small.witness.batches} == {4}
    assert {state.phase for state in small.witness.batches} == {Phase.NETWORK}
    assert all(state.loss > 0 for state in small.witness.batches)


def test_pace_and_what_is_left_are_known_after_the_first_batch(small: Whole):
    first, *others = small.witness.batches

    assert np.isnan([first.images_per_second, first.remaining_seconds]).all()
    assert all(state.images_per_second > 0 for state in others)
    assert all(state.remaining_seconds > 0 for state in others)


def test_every_epoch_is_measured_on_validation_and_as_many_images_of_train(
    small: Whole, drawn_split: Split
):
    assert [report.epoch for report in small.witness.epochs] == [1, 2, 3, 4]
    for report in small.witness.epochs:
        assert report.figures.keys() == {"train", "validation"}
        for figures in report.figures.values():
            assert figures["loss"] > 0
            assert np.isnan(figures["recall/BCC"])
    assert len(drawn_split.subset("validation")) == 12
    shares = [report.figures["train"]["accuracy"] * 12 for report in small.witness.epochs]
    np.testing.assert_allclose(shares, np.round(shares))


def test_the_measured_figures_are_those_of_the_network(small: Whole, drawn_split: Split):
    network = build_network(SMALL, 8, None)
    network.set_weights(load_checkpoint(small.folder, sign(SMALL, drawn_split)).weights)
    validation = drawn_split.subset("validation")

    probabilities = predict_table(network, validation, 32)

    own = probabilities[np.arange(12), [CLASS_NAMES.index(x) for x in validation["label"]]]
    assert small.witness.epochs[-1].figures["validation"]["loss"] == pytest.approx(
        -np.log(own).mean(), rel=1e-5
    )


def sign(recipe: Recipe, split: Split) -> str:
    return sign_training(recipe, split, CLASS_NAMES)


def test_killed_and_resumed_equals_uninterrupted_to_the_last_bit(
    small: Whole, drawn_split: Split, tmp_path: Path, make_witness: type
):
    state = kill_training(SMALL, drawn_split, tmp_path, kill_at=(3, 2))
    witness = make_witness()

    resumed = train_network(SMALL, drawn_split, CLASS_NAMES, None, state, witness)

    assert [(s.epoch, s.batch) for s in witness.batches][:2] == [(3, 1), (3, 2)]
    assert repr(curves(witness)) == repr(curves(small.witness))  # NaN included
    assert_same(resumed.get_weights(), small.weights)


def run_backbone(split: Split) -> np.ndarray:
    """What the backbone as it was built says of the validation subset."""
    keras.utils.set_random_seed(TRANSFER.seed)
    backbone, _ = split_network(build_network(TRANSFER, 8, None))
    return predict(backbone, load_pixels(split.subset("validation"), 32))


def test_killed_in_the_head_and_stopped_in_the_network_ends_as_if_it_had_not(
    transfer: Whole, drawn_split: Split, tmp_path: Path, make_witness: type
):
    state = kill_training(TRANSFER, drawn_split, tmp_path, kill_at=(2, 1))
    features = load_features(state, sign(TRANSFER, drawn_split))
    assert features["train"].shape == (60, 12)
    np.testing.assert_array_equal(features["validation"], run_backbone(drawn_split))
    stopped, witness = make_witness(stop_at=(4, 1)), make_witness()

    with pytest.raises(Stopped):
        train_network(TRANSFER, drawn_split, CLASS_NAMES, None, state, stopped)
    resumed = train_network(TRANSFER, drawn_split, CLASS_NAMES, None, state, witness)

    assert [(s.epoch, s.batch) for s in stopped.batches] == [(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)]
    assert [(s.epoch, s.batch) for s in witness.batches] == [(4, 1), (4, 2)]
    assert Phase.FEATURES not in {phase for phase, _, _ in stopped.phases}
    assert repr(curves(witness)) == repr(curves(transfer.witness))
    assert_same(resumed.get_weights(), transfer.weights)


def test_the_head_is_trained_before_the_network_at_its_own_learning_rate(transfer: Whole):
    assert [(report.phase, report.epoch) for report in transfer.witness.epochs] == [
        (Phase.HEAD, 1),
        (Phase.HEAD, 2),
        (Phase.NETWORK, 3),
        (Phase.NETWORK, 4),
    ]
    rates = [report.learning_rate for report in transfer.witness.epochs]
    # Steps 1 of 2 in the warm-up, then 1 of 2 down half a cosine.
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 3e-4 * (0.01 + 0.99 / 2), 3e-4 / 2])


def test_features_are_computed_once_and_gone_when_the_head_is_trained(transfer: Whole):
    phases = [phase for phase, _, _ in transfer.witness.phases if phase is not Phase.MEASURING]

    assert phases == [Phase.DECODING] * 2 + [Phase.FEATURES] * 2
    assert [path.name for path in transfer.folder.iterdir()] == ["checkpoint.npz"]


def test_a_stop_is_heard_at_the_batch_and_the_epochs_before_are_kept(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    witness = make_witness(stop_at=(2, 1))

    with pytest.raises(Stopped):
        train_network(SMALL, drawn_split, CLASS_NAMES, None, tmp_path, witness)

    assert len(witness.batches) == 3
    assert len(load_checkpoint(tmp_path, sign(SMALL, drawn_split)).history) == 1


@pytest.mark.parametrize("phase", [Phase.DECODING, Phase.MEASURING])
def test_a_stop_is_heard_while_no_batch_runs(
    drawn_split: Split, tmp_path: Path, make_witness: type, phase: Phase
):
    with pytest.raises(Stopped):
        train_network(SMALL, drawn_split, CLASS_NAMES, None, tmp_path, make_witness(phase))


def test_a_finished_training_is_taken_from_its_folder(
    small: Whole, drawn_split: Split, make_witness: type
):
    witness = make_witness(stop_at=(1, 1))

    again = train_network(SMALL, drawn_split, CLASS_NAMES, None, small.folder, witness)

    assert witness.phases == witness.batches == []
    assert len(witness.epochs) == 4
    assert_same(again.get_weights(), small.weights)


def test_early_stopping_ends_with_the_weights_of_the_best_epoch(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    # There is nothing to be learned of chance, so that it can only be learned by heart.
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
    witness = make_witness()

    network = train_network(hasty, drawn_split, CLASS_NAMES, None, tmp_path / "hasty", witness)
    losses = [report.figures["validation"]["loss"] for report in witness.epochs]
    best = int(np.argmin(losses))
    kept = load_checkpoint(tmp_path / "hasty", sign(hasty, drawn_split))

    assert len(losses) == best + 2 < 12
    assert_same(network.get_weights(), kept.best)
    again = train_network(
        hasty, drawn_split, CLASS_NAMES, None, tmp_path / "hasty", make_witness((1, 1))
    )
    assert_same(again.get_weights(), kept.best)


def test_labels_may_be_called_anything_and_a_published_share_is_measured_too(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    names = {"MEL": "melanoma", "NV": "a mole"}
    table = drawn_split.table.assign(label=drawn_split.table["label"].map(names))
    table.loc[table.index[table["subset"] == "train"][:10], "subset"] = "published"
    split = replace(drawn_split, table=table)
    witness = make_witness()

    network = train_network(
        replace(SMALL, epochs=1), split, ("a mole", "melanoma"), None, tmp_path, witness
    )

    assert network.output_shape == (None, 2)
    (report,) = witness.epochs
    assert report.figures.keys() == {"train", "validation", "published"}
    assert "recall/a mole" in report.figures["validation"]
    tenths = report.figures["published"]["accuracy"] * 10
    assert tenths == pytest.approx(round(tenths))


def test_the_state_of_another_recipe_is_not_continued(
    small: Whole, drawn_split: Split, make_witness: type
):
    with pytest.raises(RecipeError, match="state of a training with another recipe or other data"):
        train_network(
            replace(SMALL, epochs=3), drawn_split, CLASS_NAMES, None, small.folder, make_witness()
        )


def test_the_state_of_another_split_is_not_continued(
    small: Whole, drawn_split: Split, make_witness: type
):
    other = split_dataset(drawn_split.table.assign(subset="unassigned"), seed=2)

    with pytest.raises(RecipeError, match="Name an empty folder"):
        train_network(SMALL, other, CLASS_NAMES, None, small.folder, make_witness())


def test_a_subset_without_melanoma_is_found_before_anything_is_trained(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    table = drawn_split.table
    healthy = table[(table["subset"] != "validation") | (table["label"] != "MEL")]
    split = replace(drawn_split, table=healthy)

    with pytest.raises(DatasetError, match="0 melanomas among the 8 photographs of the validation"):
        train_network(SMALL, split, CLASS_NAMES, None, tmp_path, make_witness())


def test_a_photograph_that_has_gone_since_is_named(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    split = replace(drawn_split, table=drawn_split.table.assign(path=tmp_path / "gone.jpg"))

    with pytest.raises(ImageError, match=r"no file .*gone\.jpg"):
        train_network(SMALL, split, CLASS_NAMES, None, tmp_path, make_witness())


def test_a_folder_that_cannot_be_made_is_told(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    (tmp_path / "file").write_text("")

    with pytest.raises(FolderError, match=r"Cannot write .*state \(Not a directory\)"):
        train_network(
            SMALL, drawn_split, CLASS_NAMES, None, tmp_path / "file" / "state", make_witness()
        )


def test_a_loss_that_is_no_number_ends_the_training_in_a_sentence(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    wild = replace(SMALL, learning_rate=1e30, warmup_epochs=0, schedule=Schedule.CONSTANT)

    with pytest.raises(
        RecipeError, match=r"no longer a number, in epoch 1 at learning rate 1e\+30"
    ):
        train_network(wild, drawn_split, CLASS_NAMES, None, tmp_path, make_witness())


def test_without_a_gpu_mixed_precision_is_left_out_and_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hardware, "has_gpu", lambda: False)

    with caplog.at_level(logging.INFO, logger="melanoma_core"):
        assert choose_precision(SMALL) == "float32"

    assert caplog.messages == ["Found no GPU: mixed precision is left out."]


def test_a_network_of_mixed_precision_comes_back_in_32_bits(
    drawn_split: Split, tmp_path: Path, make_witness: type, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trainer, "choose_precision", lambda _: "mixed_float16")
    recipe = replace(SMALL, epochs=2)

    with pytest.raises(Stopped):
        train_network(recipe, drawn_split, CLASS_NAMES, None, tmp_path, make_witness((2, 1)))
    network = train_network(recipe, drawn_split, CLASS_NAMES, None, tmp_path, make_witness())

    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_share_of_the_model_that_it_went_on_from_is_in_the_finished_network(
    drawn_split: Split, tmp_path: Path, make_witness: type
):
    path = tmp_path / "model.keras"
    keras.utils.set_random_seed(1)
    recipe = replace(SMALL, weights=str(path), epochs=1, early_stopping=0)
    start = build_network(recipe, len(CLASS_NAMES), None)
    start.save(path)

    def train(share: float) -> keras.Model:
        changed = replace(recipe, start_share=share)
        folder = tmp_path / str(share)
        return train_network(changed, drawn_split, CLASS_NAMES, path, folder, make_witness())

    trained, blended = train(0.0), train(0.25)

    correction = correct_frequencies(recipe, drawn_split.subset("train"), CLASS_NAMES)
    for then, now, found in zip(
        start.trainable_weights, trained.trainable_weights, blended.trainable_weights, strict=True
    ):
        # A finished model's head expects the classes as often as they are, not as they are drawn.
        before = then - correction if then.shape == (len(CLASS_NAMES),) else then
        assert not np.array_equal(now, before)
        np.testing.assert_allclose(found, 0.75 * now + 0.25 * before, atol=1e-6)

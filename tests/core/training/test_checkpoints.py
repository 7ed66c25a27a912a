"""Checkpoints are complete or missing, however the process ends."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.errors import FolderError, RecipeError
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.training.checkpoints import (
    Checkpoint,
    load_checkpoint,
    load_features,
    remove_features,
    save_checkpoint,
    save_features,
    sign_training,
)
from melanoma_core.training.observer import EpochReport, Phase
from melanoma_core.training.recipe import Recipe

REPORT = EpochReport(1, 3, Phase.HEAD, 0.1, {"train": {"loss": 0.5, "roc_auc": float("nan")}})
CHECKPOINT = Checkpoint(
    history=(REPORT, replace(REPORT, epoch=2, phase=Phase.NETWORK)),
    weights=[np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0, np.float32)],
    optimizer=[np.array(7, np.int64), *(np.full(1, n, np.float32) for n in range(11))],
    best=[np.ones((2, 3), np.float32)],
)
# A process that saves one epoch, and is killed while it writes the next.
KILLED = """
import os, signal, sys
import numpy as np
from pathlib import Path
from melanoma_core.files import write_file
from melanoma_core.training.checkpoints import Checkpoint, save_checkpoint
from melanoma_core.training.observer import EpochReport, Phase

folder = Path(sys.argv[1])
report = EpochReport(1, 3, Phase.NETWORK, 0.1, {})
save_checkpoint(folder, "ours", Checkpoint((report,), [np.ones(10, np.float32)], []))
def die(file):
    file.write(b"half a checkpoint")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
write_file(folder / "checkpoint.npz", die, "then resume")
"""


def test_a_folder_without_a_checkpoint_returns_none(tmp_path: Path):
    assert load_checkpoint(tmp_path, "ours") is None


def test_a_checkpoint_is_loaded_as_it_was_saved(tmp_path: Path):
    save_checkpoint(tmp_path, "ours", CHECKPOINT)

    found = load_checkpoint(tmp_path, "ours")

    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
    assert [report.epoch for report in found.history] == [1, 2]
    assert found.phase is Phase.NETWORK
    assert found.history[0].figures["train"]["loss"] == 0.5
    assert np.isnan(found.history[0].figures["train"]["roc_auc"])
    for name in ("weights", "optimizer", "best"):
        saved = getattr(CHECKPOINT, name)
        assert len(getattr(found, name)) == len(saved)
        for ours, theirs in zip(saved, getattr(found, name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path):
    save_checkpoint(tmp_path, "theirs", CHECKPOINT)

    with pytest.raises(RecipeError, match=r"another recipe or other data\. Resuming needs"):
        load_checkpoint(tmp_path, "ours")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_an_error(tmp_path: Path, content: bytes):
    (tmp_path / "checkpoint.npz").write_bytes(content)

    with pytest.raises(FolderError, match=r"Cannot read .*checkpoint\.npz .* It is damaged"):
        load_checkpoint(tmp_path, "ours")


@pytest.mark.slow
def test_a_process_killed_while_writing_leaves_the_epoch_before(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=PROJECT_ROOT, check=False)

    assert done.returncode == -9
    np.testing.assert_array_equal(load_checkpoint(tmp_path, "ours").weights[0], np.ones(10))
    save_checkpoint(tmp_path, "ours", CHECKPOINT)  # the partial file does not matter
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_a_full_disk_leaves_the_epoch_before_and_the_error_advises_what_to_do(
    tmp_path: Path, full_disk
):
    save_checkpoint(tmp_path, "ours", CHECKPOINT)
    larger = replace(CHECKPOINT, weights=[np.zeros(100_000, np.float32)])

    with full_disk(50_000), pytest.raises(FolderError) as error:
        save_checkpoint(tmp_path, "ours", larger)

    assert str(error.value) == (
        f"Cannot write {tmp_path / 'checkpoint.npz'} (File too large). Free some space on its "
        "disk, then resume the run: it continues after its last finished epoch."
    )
    found = load_checkpoint(tmp_path, "ours")
    np.testing.assert_array_equal(found.weights[0], CHECKPOINT.weights[0])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_the_error_for_a_removed_folder_does_not_mention_disk_space(tmp_path: Path):
    with pytest.raises(FolderError, match=r"\(No such file or directory\). Check that you may"):
        save_checkpoint(tmp_path / "gone", "ours", CHECKPOINT)


def test_features_of_another_training_are_ignored(tmp_path: Path):
    features = {"train": np.ones((2, 3), np.float32), "validation": np.zeros((1, 3), np.float32)}
    assert load_features(tmp_path, "ours") is None

    save_features(tmp_path, "ours", features)

    assert load_features(tmp_path, "theirs") is None
    found = load_features(tmp_path, "ours")
    assert found.keys() == features.keys()
    np.testing.assert_array_equal(found["train"], features["train"])
    remove_features(tmp_path)
    remove_features(tmp_path)  # removing them twice is allowed
    assert load_features(tmp_path, "ours") is None


def test_the_signature_depends_on_recipe_split_and_classes(drawn_split: Split):
    recipe = Recipe(name="x")
    other = replace(drawn_split, table=drawn_split.table.assign(subset="train"))
    signatures = {
        sign_training(recipe, drawn_split, ("a", "b")),
        sign_training(replace(recipe, seed=2), drawn_split, ("a", "b")),
        sign_training(recipe, other, ("a", "b")),
        sign_training(recipe, drawn_split, ("b", "a")),
    }

    assert len(signatures) == 4
    assert sign_training(recipe, drawn_split, ["a", "b"]) in signatures


def test_the_signature_stays_when_recipes_get_more_fields():
    table = {"image_id": ["a"], "sha256": ["0"], "label": ["NV"], "subset": ["train"]}
    split = Split(pd.DataFrame(table), 1, "")

    signature = sign_training(Recipe(name="mine", epochs=3), split, ("MEL", "NV"))

    # Only what differs from the defaults counts, so this holds whatever fields are added.
    assert signature == "63d83be763b02867500bafe0e1e661ee4c94686452e1bb0700c51e7300a359c5"

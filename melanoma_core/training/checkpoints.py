"""The state of a training after each epoch, from which a killed training can resume."""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.dataset import hash_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import FolderError, RecipeError
from melanoma_core.files import write_file
from melanoma_core.training.observer import EpochReport, Phase
from melanoma_core.training.recipe import Recipe

RESUME_ADVICE = "then resume the run: it continues after its last finished epoch"
_CHECKPOINT_NAME = "checkpoint.npz"
_FEATURES_NAME = "features.npz"
_PARTS = ("weights", "optimizer", "best")  # the arrays of a checkpoint

Arrays = Sequence[NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training after a finished epoch.

    Attributes:
        history: The report of each epoch so far.
        weights: Weights of the network.
        optimizer: State of the optimizer in the phase of the last epoch.
        best: Weights of the best epoch of the whole network, if early stopping needs them and the
            best epoch is not the last; otherwise empty.
    """

    history: tuple[EpochReport, ...]
    weights: Arrays
    optimizer: Arrays
    best: Arrays = ()

    @property
    def phase(self) -> Phase:
        """Phase of the last epoch."""
        return self.history[-1].phase


def sign_training(recipe: Recipe, split: Split, class_names: Sequence[str]) -> str:
    """Return a SHA-256 (hex) that identifies a training by its recipe, split and classes.

    It protects against resuming from the state of another training: with another split, the
    network would be tested on images that it was trained on; with another recipe, its card would
    describe the wrong training. Fields of the recipe that have their default do not count, so a run
    can be resumed with a later version that has more of them.
    """
    plain = Recipe(name=recipe.name)
    values = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    changed = {name: str(each) for name, each in values.items() if each != getattr(plain, name)}
    settings = json.dumps({"name": recipe.name} | changed, sort_keys=True)
    parts = [settings, hash_table(split.table), *map(str, class_names)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def save_checkpoint(folder: Path, signature: str, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a folder atomically.

    Raises:
        FolderError: The file cannot be written. The previous checkpoint is unchanged.
    """
    history = [asdict(report) for report in checkpoint.history]
    arrays = {
        f"{part}/{index}": array
        for part in _PARTS
        for index, array in enumerate(getattr(checkpoint, part))
    }
    _save(folder / _CHECKPOINT_NAME, {"signature": signature, "history": history}, arrays)


def load_checkpoint(folder: Path, signature: str) -> Checkpoint | None:
    """Read the checkpoint of a folder; None if there is none.

    Raises:
        RecipeError: The checkpoint belongs to another training.
        FolderError: The file cannot be read.
    """
    path = folder / _CHECKPOINT_NAME
    if not path.exists():
        return None
    about, arrays = _load(path)
    if about["signature"] != signature:
        raise RecipeError(
            f"{folder} holds the state of a training with another recipe or other data. Resuming "
            "needs the same recipe and data. Name an empty folder, or use the original recipe and "
            "data."
        )
    history = tuple(
        EpochReport(**report | {"phase": Phase(report["phase"])}) for report in about["history"]
    )
    return Checkpoint(
        history,
        *([arrays[f"{part}/{i}"] for i in range(_count(arrays, part))] for part in _PARTS),
    )


def save_features(
    folder: Path, signature: str, features: Mapping[str, NDArray[np.float32]]
) -> None:
    """Save the features of the frozen backbone, by subset.

    Raises:
        FolderError: The file cannot be written.
    """
    _save(folder / _FEATURES_NAME, {"signature": signature}, features)


def load_features(folder: Path, signature: str) -> dict[str, NDArray[np.float32]] | None:
    """Read the features that this training saved; None if there are none.

    Raises:
        FolderError: The file cannot be read.
    """
    path = folder / _FEATURES_NAME
    if not path.exists():
        return None
    about, features = _load(path)
    return features if about["signature"] == signature else None


def remove_features(folder: Path) -> None:
    """Remove the saved features, if there are any."""
    (folder / _FEATURES_NAME).unlink(missing_ok=True)


def _count(arrays: Mapping[str, NDArray[Any]], part: str) -> int:
    return sum(name.startswith(f"{part}/") for name in arrays)


def _save(path: Path, about: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)

    def write(file: IO[bytes]) -> None:
        np.savez(file, allow_pickle=False, about=text, **arrays)

    write_file(path, write, RESUME_ADVICE)


def _load(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = dict(found)
        about: dict[str, Any] = json.loads(arrays.pop("about").tobytes())
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FolderError(
            f"Cannot read {path} ({error}). It is damaged: remove it and start the run again."
        ) from error
    return about, arrays

"""Create the synthetic images of an oversampling plan in a folder of their own."""

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.data.augmentation import Augmentation, augment_image
from melanoma_core.data.balancing import Child, OversamplingPlan, choose_parents, digest
from melanoma_core.data.images import encode_jpeg, read_bytes, read_image
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.files import PARTIAL_SUFFIX, explain_write_errors, write_file
from melanoma_core.progress import Progress
from melanoma_core.spreadsheets import format_table
from melanoma_core.taxonomy import Diagnosis

MANIFEST_NAME = "manifest.csv"
_MANIFEST_COLUMNS = (
    "path",
    "label",
    "parent_image_id",
    "parent_path",
    "parent_sha256",
    "seed",
    "number",
)
_MAX_SIDE = 512  # px; twice the input size of the networks

_SETTINGS_NAME = "oversampling.json"  # the settings; marks a folder as written by `oversample`
_ADVICE = "or choose another folder: the images made so far are kept"
_OWN_FILE = re.compile(r"[\w.-]{1,60}-\d+-[0-9a-f]{16}\.jpg(\.part)?", re.ASCII)
_OWN_FOLDER = re.compile(r"[\w.-]{0,40}-[0-9a-f]{8}", re.ASCII)
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)
_OWN_TABLES = {_SETTINGS_NAME, MANIFEST_NAME, f".{MANIFEST_NAME}{PARTIAL_SUFFIX}"}


@dataclass(frozen=True, eq=False)
class Oversampling:
    """Everything that determines the synthetic images.

    Attributes:
        table: Rows of the train subset, one per image.
        plan: The plan made for this table.
        augmentation: The limits of each operation.
        seed: Random seed for the choice of parents and the augmentation.

    Raises:
        DatasetError: A row belongs to another subset, or an image has more than one row.
    """

    table: pd.DataFrame
    plan: OversamplingPlan
    augmentation: Augmentation
    seed: int

    def __post_init__(self) -> None:
        others = self.table.loc[self.table["subset"] != "train", "image_id"]
        if len(others):
            raise DatasetError(
                f"Found {len(others)} images outside the train subset (the first is "
                f"{others.iloc[0]}). Synthetic images of them would leak into training. Oversample "
                "the train subset only."
            )
        repeated = self.table.loc[self.table["image_id"].duplicated(), "image_id"]
        if len(repeated):
            raise DatasetError(
                f"Found {len(repeated)} images with more than one row (the first is "
                f"{repeated.iloc[0]}). Each image needs exactly one. Clean the table first."
            )

    def choose_parents(self) -> list[Child]:
        """Return the synthetic images to create, each with its parent."""
        return choose_parents(self.table, self.plan, self.seed)

    def create(self, child: Child) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Create one synthetic image.

        Returns:
            The parent and the synthetic image, each uint8 [height, width, 3].

        Raises:
            DatasetError: The parent's file is missing or has changed.
        """
        row = self.table.iloc[child.parent]
        parent = _read_parent(row)
        seed = digest(self.seed, row["image_id"], child.number)
        return parent, augment_image(parent, self.augmentation, seed)


@dataclass(frozen=True, eq=False)
class Preview:
    """A synthetic image with its parent.

    Attributes:
        image_id: Image id of the parent.
        label: Label of both.
        parent: uint8 [height, width, 3].
        child: uint8 [height, width, 3], before JPEG compression.
    """

    image_id: str
    label: str
    parent: NDArray[np.uint8]
    child: NDArray[np.uint8]


def preview_oversampling(oversampling: Oversampling, count: int) -> list[Preview]:
    """Create a few of the images that `oversample` would write, in memory.

    Args:
        oversampling: What to create.
        count: Maximum number of images, taken from the classes in turn.

    Raises:
        DatasetError: A file is missing or has changed.
    """
    labels = oversampling.table["label"]
    by_class: dict[str, list[Child]] = {}
    for child in oversampling.choose_parents():
        by_class.setdefault(labels.iloc[child.parent], []).append(child)
    rounds = zip_longest(*by_class.values())
    in_turn = (child for each in rounds for child in each if child is not None)
    previews = []
    for child in islice(in_turn, count):
        row = oversampling.table.iloc[child.parent]
        previews.append(Preview(row["image_id"], row["label"], *oversampling.create(child)))
    return previews


def oversample(
    oversampling: Oversampling,
    folder: Path,
    *,
    data_folder: Path | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Write the synthetic images as `<folder>/<class>/<parent>-<number>-<key>.jpg`.

    Class folders are named by diagnosis code. Other labels become a portable name with a hash
    that keeps similar labels apart.

    The same arguments write the same files on any number of threads. Each file is renamed to its
    final name when complete, and its name contains a hash of everything it was created from. So a
    repeated call continues an interrupted one, and a call with other settings replaces its files.
    The manifest is written last.

    Args:
        oversampling: What to create.
        folder: A missing or empty folder, or one written by this function. It must lie outside
            the data.
        data_folder: A folder to keep out of, in addition to the folders of the original images.
        progress: Called with the number of images done and the total; an exception from it cancels
            the work.

    Returns:
        The manifest, one row per synthetic image: path, label, parent_image_id, parent_path,
        parent_sha256, seed, number (1 for the first image of that parent).

    Raises:
        DatasetError: The folder holds other files, or an original file is missing or has changed.
        FolderError: The folder cannot be written to.
    """
    require(Right.CHANGE_DATA)
    folder = folder.resolve()
    data_folders = {Path(path).parent for path in oversampling.table["path"]}
    _check_apart(folder, data_folders | ({data_folder} if data_folder else set()))
    settings = _describe_settings(oversampling)
    children = oversampling.choose_parents()
    manifest = _list_images(oversampling, children, settings)
    _prepare_folder(folder, settings, set(manifest["path"]))

    def write(position: int) -> None:
        path = folder / manifest["path"].iloc[position]
        if not path.exists():
            _, pixels = oversampling.create(children[position])
            write_file(path, encode_jpeg(pixels), _ADVICE)

    pool = ThreadPoolExecutor()  # Pillow releases the interpreter lock
    try:
        for done, _ in enumerate(pool.map(write, range(len(children))), start=1):
            if progress:
                progress(done, len(children))
    finally:
        pool.shutdown(cancel_futures=True)  # otherwise all queued images would still be written
    write_file(folder / MANIFEST_NAME, format_table(manifest), _ADVICE)
    paths = [str(folder / path) for path in manifest["path"]]
    return manifest.assign(path=pd.Series(paths, manifest.index, dtype=object))


def _check_apart(folder: Path, data_folders: Iterable[Path]) -> None:
    for data in {path.resolve() for path in data_folders}:
        if folder.is_relative_to(data) or data.is_relative_to(folder):
            raise DatasetError(
                f"Found that {folder} overlaps the folder of the original images ({data}). "
                "Synthetic images need a folder of their own, outside the data. Choose another "
                "folder."
            )


def _describe_settings(oversampling: Oversampling) -> str:
    """Return as JSON everything that the images depend on besides their parents."""
    versions = {name: version(name) for name in ("Augmentor", "Pillow")}
    settings = {"seed": oversampling.seed, **asdict(oversampling.augmentation), **versions}
    return json.dumps(settings, indent=2)


def _list_images(oversampling: Oversampling, children: list[Child], settings: str) -> pd.DataFrame:
    """Return the manifest, with paths relative to the folder."""
    rows = []
    parents = oversampling.table[["image_id", "label", "path", "sha256"]].to_numpy()
    for child in children:
        image_id, label, path, sha256 = parents[child.parent]
        key = digest(settings, image_id, sha256, child.number).hex()[:16]
        stem = re.sub(_UNSAFE, "_", image_id)[-40:]
        name = f"{_name_folder(label)}/{stem}-{child.number}-{key}.jpg"
        rows.append(
            (name, str(label), image_id, str(path), sha256, oversampling.seed, child.number)
        )
    # Type object, because pandas strings cannot hold file names that are not valid UTF-8.
    manifest = pd.DataFrame(rows, columns=list(_MANIFEST_COLUMNS), dtype=object)
    return manifest.astype({"seed": int, "number": int})


def _name_folder(label: str) -> str:
    if label in set(Diagnosis):
        return str(label)
    # Some file systems ignore case ("Nevus", "nevus") or reserve names such as "con".
    return f"{re.sub(_UNSAFE, '_', label)[:40]}-{digest(label).hex()[:8]}"


def _prepare_folder(folder: Path, settings: str, wanted: set[str]) -> None:
    """Create the folder and remove images of earlier calls that this call does not want."""
    with explain_write_errors(folder, _ADVICE):
        _check_owned(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
        (folder / _SETTINGS_NAME).write_text(settings, "utf-8")
        for path in list(folder.glob("*/*")):
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
        for label in {Path(path).parent.name for path in wanted}:
            (folder / label).mkdir(exist_ok=True)


def _check_owned(folder: Path) -> None:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    foreign = [path for path in found if not _is_own(path, folder)]
    if found and not (folder / _SETTINGS_NAME).is_file():
        foreign = found
    if foreign:
        raise DatasetError(
            f"Found {len(foreign)} files or folders in {folder} that oversampling did not write "
            f"(the first is {foreign[0].name}). Synthetic images need an empty folder. Choose "
            "another folder."
        )


def _is_own(path: Path, folder: Path) -> bool:
    if path.is_symlink():
        return False
    if path.parent == folder:
        if path.is_dir():
            return path.name in set(Diagnosis) or _OWN_FOLDER.fullmatch(path.name) is not None
        return path.name in _OWN_TABLES
    return path.is_file() and _OWN_FILE.fullmatch(path.name) is not None


def _read_parent(row: pd.Series) -> NDArray[np.uint8]:
    path = Path(row["path"])
    try:
        photograph = read_image(path, _MAX_SIDE)
        found = hashlib.sha256(read_bytes(path)).hexdigest()
    except (ImageError, OSError) as error:
        raise DatasetError(
            f"Found that {path} can no longer be read: {error} Every original image must be "
            "readable. Open the dataset again."
        ) from error
    if found != row["sha256"]:
        raise DatasetError(
            f"Found that {path} has changed since it was scanned. Original images must not change. "
            "Open the dataset again."
        )
    return photograph.pixels

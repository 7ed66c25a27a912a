"""New images of the train subset, in a folder of their own, each of which names its parent."""

import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.augmentation import Augmentation, change_picture
from melanoma_core.data.balancing import Child, OversamplingPlan, choose_parents, digest
from melanoma_core.data.images import encode_jpeg, read_image
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.progress import Progress
from melanoma_core.taxonomy import Diagnosis

MANIFEST_NAME = "manifest.csv"
MANIFEST_COLUMNS = (
    "path",
    "label",
    "parent_image_id",
    "parent_path",
    "parent_sha256",
    "seed",
    "number",
)
_WHOLE: dict[str, type] = {"seed": int, "number": int}
MAX_SIDE = 512  # px; twice what a network reads

_SETTINGS_NAME = "oversampling.json"  # what the images were made with; marks the folder as ours
_PART = ".part"  # of a file that is being written
_OWN_FILE = re.compile(r"[\w.-]{1,60}-\d+-[0-9a-f]{16}\.jpg(\.part)?", re.ASCII)
_OWN_FOLDER = re.compile(r"[\w.-]{0,40}-[0-9a-f]{8}", re.ASCII)
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)
_OWN_TABLES = {_SETTINGS_NAME, MANIFEST_NAME, MANIFEST_NAME + _PART}


@dataclass(frozen=True, eq=False)
class Preview:
    """A new image beside its parent.

    Attributes:
        image_id: The parent's.
        label: Of both.
        parent: uint8 [height, width, 3].
        child: uint8 [height, width, 3], as it is before it is saved as a JPEG.
    """

    image_id: str
    label: str
    parent: NDArray[np.uint8]
    child: NDArray[np.uint8]


def preview_oversampling(
    table: pd.DataFrame, plan: OversamplingPlan, augmentation: Augmentation, seed: int, count: int
) -> list[Preview]:
    """Make a few of the images that `oversample` would make, in memory.

    Args:
        table: Rows of the train subset.
        plan: Made of this table.
        augmentation: The limits of each change.
        seed: As for `oversample`.
        count: How many at most; one class takes its turn after the other.

    Raises:
        DatasetError: A row is of another subset, or a photograph has gone or changed.
    """
    _check_table(table)
    by_class: dict[str, list[Child]] = {}
    for child in choose_parents(table, plan, seed):
        by_class.setdefault(table["label"].iloc[child.parent], []).append(child)
    longest = max((len(children) for children in by_class.values()), default=0)
    turns = [
        children[turn]
        for turn in range(min(longest, count))
        for children in by_class.values()
        if turn < len(children)
    ]
    previews = []
    for child in turns[:count]:
        row = table.iloc[child.parent]
        parent = _read_parent(row)
        changed = change_picture(parent, augmentation, _seed_child(row, child, seed))
        previews.append(Preview(row["image_id"], row["label"], parent, changed))
    return previews


def oversample(
    table: pd.DataFrame,
    plan: OversamplingPlan,
    augmentation: Augmentation,
    *,
    folder: Path,
    data_folder: Path | None = None,
    seed: int,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Write the new images of a plan as `<folder>/<class>/<parent>-<number>-<key>.jpg`.

    A class folder bears the code of its diagnosis; other labels become a name that every file
    system takes, with a hash that tells apart what only differs in what was left out.

    The same arguments write the same files, on any number of threads. Each is written under
    another name first, and named by all it was made from; so after a call was cut short, the
    next one continues, and a call with other settings replaces what it finds. There is a
    manifest only when all is done.

    Args:
        table: Rows of the train subset.
        plan: Made of this table.
        augmentation: The limits of each change.
        folder: Missing, empty, or written by this function; outside of the data.
        data_folder: A folder to keep out of, besides those that the photographs lie in.
        seed: Of the choice of parents and of the changes.
        progress: Called with the number of images done and their number in all; what it raises
            ends the work.

    Returns:
        The manifest, a row per new image: path, label, parent_image_id, parent_path,
        parent_sha256, seed, number (the parent's 1st, 2nd… new image).

    Raises:
        DatasetError: A row is of another subset, the folder is not ours to write in or cannot be
            written, or a photograph has gone or changed.
    """
    _check_table(table)
    folder = folder.resolve()
    data_folders = {Path(path).parent for path in table["path"]}
    _check_apart(folder, data_folders | ({data_folder} if data_folder else set()))
    settings = _describe(augmentation, seed)
    children = choose_parents(table, plan, seed)
    manifest = _list_images(table, children, settings, seed)
    _claim(folder, settings, set(manifest["path"]))

    def write(position: int) -> None:
        path = folder / manifest["path"].iloc[position]
        if not path.exists():
            child = children[position]
            row = table.iloc[child.parent]
            parent = _read_parent(row)
            changed = change_picture(parent, augmentation, _seed_child(row, child, seed))
            _write(path, encode_jpeg(changed))

    pool = ThreadPoolExecutor()  # Pillow lets go of the interpreter
    try:
        for done, _ in enumerate(pool.map(write, range(len(children))), start=1):
            if progress:
                progress(done, len(children))
    finally:
        pool.shutdown(cancel_futures=True)  # or everything queued would still be written
    text = manifest.to_csv(index=False, lineterminator="\n")
    _write(folder / MANIFEST_NAME, text.encode("utf-8", "surrogateescape"))
    return _with_folder(manifest, folder)


def read_manifest(folder: Path) -> pd.DataFrame:
    """Read the manifest that `oversample` wrote, as it returned it.

    Raises:
        DatasetError: There is none, or it is not one.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = pd.read_csv(
            path,
            dtype={column: _WHOLE.get(column, object) for column in MANIFEST_COLUMNS},
            keep_default_na=False,
            encoding_errors="surrogateescape",
            lineterminator="\n",
        )
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise DatasetError(
            f"Cannot read {path} ({error}). It is written when oversampling is done: oversample "
            "anew, which continues where it stopped."
        ) from error
    if tuple(manifest.columns) != MANIFEST_COLUMNS:
        raise DatasetError(
            f"Found the columns {', '.join(manifest.columns)} in {path}. It must have "
            f"{', '.join(MANIFEST_COLUMNS)}. Oversample anew."
        )
    return _with_folder(manifest, folder.resolve())


def _check_table(table: pd.DataFrame) -> None:
    others = table.loc[table["subset"] != "train", "image_id"]
    if len(others):
        raise DatasetError(
            f"Found {len(others)} images outside the train subset (the first is "
            f"{others.iloc[0]}). A new image of one would be trained on, and measured by. "
            "Oversample the train subset alone."
        )
    twice = table.loc[table["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise DatasetError(
            f"Found {len(twice)} images that have more than one row (the first is "
            f"{twice.iloc[0]}). Each must have one. Clean the table first."
        )


def _check_apart(folder: Path, data_folders: Iterable[Path]) -> None:
    for data in {path.resolve() for path in data_folders}:
        if folder.is_relative_to(data) or data.is_relative_to(folder):
            raise DatasetError(
                f"{folder} is where the photographs are ({data}). New images need a folder of "
                "their own, outside of it. Name another one."
            )


def _describe(augmentation: Augmentation, seed: int) -> str:
    """Return as JSON all that the images depend on besides their parents."""
    versions = {name: version(name) for name in ("Augmentor", "Pillow")}
    return json.dumps({"seed": seed, **asdict(augmentation), **versions}, indent=2)


def _list_images(
    table: pd.DataFrame, children: list[Child], settings: str, seed: int
) -> pd.DataFrame:
    """Return the manifest, with paths from the folder on."""
    rows = []
    parents = table[["image_id", "label", "path", "sha256"]].to_numpy()
    for child in children:
        image_id, label, path, sha256 = parents[child.parent]
        key = digest(settings, image_id, sha256, child.number).hex()[:16]
        stem = re.sub(_UNSAFE, "_", image_id)[-40:]
        name = f"{_name_folder(label)}/{stem}-{child.number}-{key}.jpg"
        rows.append((name, str(label), image_id, str(path), sha256, seed, child.number))
    # Objects, as pandas' own strings cannot hold a file name that is no UTF-8.
    return pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS), dtype=object).astype(_WHOLE)


def _name_folder(label: str) -> str:
    if label in set(Diagnosis):
        return str(label)
    # "Nevus" and "nevus" are one folder on some systems, and "con" is none on others.
    return f"{re.sub(_UNSAFE, '_', label)[:40]}-{digest(label).hex()[:8]}"


def _claim(folder: Path, settings: str, wanted: set[str]) -> None:
    """Make the folder ours, and take out what another call left and this one does not want."""
    try:
        _check_owned(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
        (folder / _SETTINGS_NAME).write_text(settings, "utf-8")
        for path in list(folder.glob("*/*")):
            if path.relative_to(folder).as_posix() not in wanted:
                path.unlink()
        for label in {Path(path).parent.name for path in wanted}:
            (folder / label).mkdir(exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _check_owned(folder: Path) -> None:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    foreign = [path for path in found if not _is_own(path, folder)]
    if found and not (folder / _SETTINGS_NAME).is_file():
        foreign = found
    if foreign:
        raise DatasetError(
            f"{folder} holds {len(foreign)} files or folders that oversampling did not write (the "
            f"first is {foreign[0].name}). It needs an empty folder. Name another one."
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
        photograph = read_image(path, MAX_SIDE)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except (ImageError, OSError) as error:
        raise DatasetError(
            f"The photograph {path} could be read before and cannot be now: {error} Open the data "
            "anew."
        ) from error
    if found != row["sha256"]:
        raise DatasetError(f"The photograph {path} has changed since. Open the data anew.")
    return photograph.pixels


def _seed_child(row: pd.Series, child: Child, seed: int) -> bytes:
    return digest(seed, row["image_id"], child.number)


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + _PART)
    try:
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"Cannot write {path} ({error.strerror}). A folder that may be written to, on a disk with "
        "room, is needed. Make room or name another one; what was made is kept."
    )


def _with_folder(manifest: pd.DataFrame, folder: Path) -> pd.DataFrame:
    paths = [str(folder / path) for path in manifest["path"]]
    return manifest.assign(path=pd.Series(paths, manifest.index, dtype=object))

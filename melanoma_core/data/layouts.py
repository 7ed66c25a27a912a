"""The ways in which collections of skin photographs are laid out on disk, each read into one table.

Three layouts that hold photographs, and one table that holds labels alone:

* class folders: `Train/<class>/*.jpg` and `Test/<class>/*.jpg`, or `<class>/*.jpg`;
* HAM10000: `HAM10000_metadata.csv` (Tschandl et al. 2018, doi:10.1038/sdata.2018.161);
* ISIC 2017: `labels.csv` or the official ground truth, with the columns `image_id, melanoma,
  seborrheic_keratosis` (Codella et al. 2018, arXiv:1710.05006);
* ISIC 2019 ground truth: a one-hot table, with or without its metadata table.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})
_ISIC_ID = re.compile(r"ISIC_\d{7}")
_SUBSET_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}

RECORD_COLUMNS = (
    "image_id",
    "path",
    "name",
    "label",
    "subset",
    "lesion_id",
    "source",
    "age",
    "sex",
    "site",
    "licence",
)


class Layout(StrEnum):
    """A recognised layout, in the order in which their word counts on the same image.

    A table that came with the photographs is worth more than the name of a folder, into which
    somebody else has sorted copies.
    """

    HAM10000 = "ham10000"
    ISIC_2017 = "isic-2017"
    CLASS_FOLDERS = "class-folders"
    GROUND_TRUTH = "ground-truth"


@dataclass(frozen=True)
class Collection:
    """One folder whose layout was recognised.

    Attributes:
        folder: The folder.
        layout: How it is laid out.
        table: The CSV that says so, or None for class folders.
    """

    folder: Path
    layout: Layout
    table: Path | None


def find_collections(folder: Path) -> list[Collection]:
    """Recognise `folder` itself, or else each of its folders.

    Returns:
        The collections, in the order in which their word counts; at least one of them holds
        photographs.

    Raises:
        DatasetError: The folder does not exist, or nothing in it was recognised.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"Found no folder at {folder}. Name the folder that holds the photographs."
        )
    own = _recognise(folder)
    found = [own] if own else [c for c in map(_recognise, _subfolders(folder)) if c]
    if not any(c.layout is not Layout.GROUND_TRUTH for c in found):
        names = ", ".join(f'"{sub.name}"' for sub in _subfolders(folder)[:5]) or "no folders"
        raise DatasetError(
            f"Found no layout that is known in {folder} (it holds {names}). Looked for class "
            "folders with images, with or without Train and Test above them; "
            "HAM10000_metadata.csv; and a table with the columns image_id, melanoma and "
            "seborrheic_keratosis (ISIC 2017). Name a folder laid out like one of these."
        )
    order = list(Layout)
    return sorted(found, key=lambda c: (order.index(c.layout), c.folder.name))


def read_records(collection: Collection) -> pd.DataFrame:
    """Read the photographs of a collection, one row each.

    Returns:
        `RECORD_COLUMNS`; `name` is the label as the collection writes it, `label` the diagnosis
        that it means, missing where it is none of the eight.

    Raises:
        DatasetError: The table lacks a column, or names photographs that are not there.
    """
    readers = {
        Layout.HAM10000: _read_ham10000,
        Layout.ISIC_2017: _read_isic_2017,
        Layout.CLASS_FOLDERS: _read_class_folders,
    }
    records = readers[collection.layout](collection)
    labels = [parse_diagnosis(name) if isinstance(name, str) else None for name in records["name"]]
    records["label"] = pd.Series(labels, records.index, dtype=object)
    return records.reindex(columns=list(RECORD_COLUMNS))


def read_ground_truth(collection: Collection) -> pd.DataFrame:
    """Read an ISIC 2019 ground truth with its metadata, where that lies beside it.

    Returns:
        Index `image_id`, unique, without the "_downsampled" that ISIC 2019 appends to the ids of
        photographs that it made smaller; columns `label` (Diagnosis, missing for UNK),
        `lesion_id`, `age` (years), `sex`, `site`.

    Raises:
        DatasetError: A row marks no class or more than one, or an image has two rows.
    """
    table = _read_by_image(_needed(collection.table))
    onehot = table.reindex(columns=[*Diagnosis, "UNK"]).fillna(0) > 0
    wrong = onehot.index[onehot.sum(axis=1) != 1]
    if len(wrong):
        raise DatasetError(
            f"Found {len(wrong)} rows in {collection.table} that do not mark exactly one class "
            f"(the first is {wrong[0]}). Restore the table from its source."
        )
    truth = onehot.idxmax(axis=1).map(parse_diagnosis).to_frame("label")
    facts = pd.DataFrame(columns=["lesion_id", "age", "sex", "site"])
    for path in _tables(collection.folder):
        if {"image", "lesion_id", "age_approx"} <= _columns(path):
            names = {"age_approx": "age", "anatom_site_general": "site"}
            facts = _read_by_image(path).rename(columns=names)
    return truth.join(facts.reindex(columns=["lesion_id", "age", "sex", "site"]))


def isic_id(name: str) -> str | None:
    """Return the ISIC id in a file's name ("ISIC_0025509(1).jpg" is ISIC_0025509), or None."""
    match = _ISIC_ID.search(name)
    return match.group() if match else None


def _recognise(folder: Path) -> Collection | None:
    for table in _tables(folder):
        columns = _columns(table)
        if {"lesion_id", "image_id", "dx"} <= columns:
            return Collection(folder, Layout.HAM10000, table)
        if {"image_id", "melanoma", "seborrheic_keratosis"} <= columns:
            return Collection(folder, Layout.ISIC_2017, table)
        if {"image", "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"} <= columns:
            return Collection(folder, Layout.GROUND_TRUTH, table)
    classes = {class_folder.name for class_folder, _ in _class_folders(folder)}
    if any(parse_diagnosis(name) for name in classes):
        return Collection(folder, Layout.CLASS_FOLDERS, None)
    return None


def _read_ham10000(collection: Collection) -> pd.DataFrame:
    table = _read_table(_needed(collection.table))
    table = table.rename(columns={"dx": "name", "localization": "site"})
    for column in table.columns.intersection(["sex", "site"]):
        table[column] = table[column].mask(table[column] == "unknown")
    return _with_paths(table, collection).assign(
        source=collection.folder.name, licence="CC BY-NC 4.0"
    )


def _read_isic_2017(collection: Collection) -> pd.DataFrame:
    table = _read_table(_needed(collection.table))
    name = pd.Series("nevus", index=table.index)
    name = name.mask(table["melanoma"] > 0, "melanoma")
    name = name.mask(table["seborrheic_keratosis"] > 0, "seborrheic keratosis")
    return _with_paths(table.assign(name=name), collection).assign(source=collection.folder.name)


def _read_class_folders(collection: Collection) -> pd.DataFrame:
    rows = [
        {
            "image_id": isic_id(path.name) or _own_id(path, collection.folder),
            "path": path,
            "name": class_folder.name,
            "subset": subset,
            "source": collection.folder.name,
        }
        for class_folder, subset in _class_folders(collection.folder)
        for path in _images(class_folder)
    ]
    return pd.DataFrame(rows, columns=["image_id", "path", "name", "subset", "source"])


def _own_id(path: Path, folder: Path) -> str:
    """Name a photograph that has no ISIC id, apart from its namesakes in other collections."""
    return path.relative_to(folder.parent).as_posix()


def _class_folders(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each class folder with its subset, which is None where no folder above says it."""
    for child in _subfolders(folder):
        subset = _SUBSET_FOLDERS.get(child.name.lower())
        if subset is None:
            if any(_images(child)):
                yield child, None
        else:
            yield from ((grandchild, subset) for grandchild in _subfolders(child))


def _with_paths(table: pd.DataFrame, collection: Collection) -> pd.DataFrame:
    files = {
        path.stem: path
        for path in sorted(collection.folder.rglob("*"))
        if _is_image(path) and path.parent.name.lower() != "masks"
    }
    table = table.assign(path=table["image_id"].map(files))
    missing = table["image_id"][table["path"].isna()]
    if len(missing):
        raise DatasetError(
            f"Found no file for {len(missing)} of the {len(table)} photographs that "
            f"{collection.table} names (the first is {missing.iloc[0]}). Put the photographs "
            "beside the table, or take their rows out of it."
        )
    return table


def _needed(table: Path | None) -> Path:
    if table is None:
        raise ValueError("this layout has a table")
    return table


def _tables(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


def _read_table(path: Path) -> pd.DataFrame:
    try:
        # Ids are names: "0042" is not 42, nor 42.0 where another row has none.
        return pd.read_csv(path, dtype=dict.fromkeys(("image", "image_id", "lesion_id"), str))
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise DatasetError(
            f"Cannot read the table {path}: {error}. Restore it from its source."
        ) from error


def _read_by_image(path: Path) -> pd.DataFrame:
    table = _read_table(path)
    ids = [isic_id(str(name)) or name for name in table["image"]]
    table = table.set_index(pd.Index(ids, name="image_id"))
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise DatasetError(
            f"Found {len(twice)} images that have more than one row in {path} (the first is "
            f"{twice[0]}). Restore the table from its source."
        )
    return table


def _columns(table: Path) -> set[str]:
    try:
        return set(pd.read_csv(table, nrows=0).columns)
    except (OSError, ValueError):  # not a table
        return set()


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_image(path))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()

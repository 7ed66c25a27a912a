"""Recognise how an image collection is laid out on disk, and read it into one table.

Layouts with images, and one with labels only:

* class folders: `Train/<class>/*.jpg` and `Test/<class>/*.jpg`, or `<class>/*.jpg`;
* images at any depth below a table: HAM10000 (Tschandl et al. 2018,
  doi:10.1038/sdata.2018.161), ISIC 2017 to 2020 (Codella et al. 2018, arXiv:1710.05006; Codella
  et al. 2019, arXiv:1902.03368; Combalia et al. 2019, arXiv:1908.02288; Rotemberg et al. 2021,
  doi:10.1038/s41597-021-00815-z), a download from the ISIC Archive, or any table with the columns
  `image_id` and `diagnosis`;
* ISIC 2019 ground truth: a one-hot table, with or without its metadata table.

Other tables in the folder add metadata of the images, for example their lesion.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pandas as pd

from melanoma_core.data import tables
from melanoma_core.data.folders import list_images, list_subfolders, list_tables, walk_folders
from melanoma_core.data.tables import (
    METADATA_COLUMNS,
    TableFormat,
    extract_isic_id,
    make_image_key,
    read_metadata,
)
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import parse_diagnosis

_RECORD_COLUMNS = (
    "image_id",
    "path",
    "name",
    "label",
    "subset",
    "lesion_id",
    "patient_id",
    "source",
    "age",
    "sex",
    "site",
    "licence",
)

_SUBSET_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


class Layout(StrEnum):
    """A recognised layout. The order is that of precedence when labels of an image disagree.

    A table published with the images takes precedence over folder names, because folders often
    hold copies that were sorted by others.
    """

    HAM10000 = "ham10000"
    ISIC_2019 = "isic-2019"
    ISIC_2020 = "isic-2020"
    ISIC_2018 = "isic-2018"
    ISIC_2017 = "isic-2017"
    ISIC_ARCHIVE = "isic-archive"
    TABLE = "table"
    CLASS_FOLDERS = "class-folders"
    GROUND_TRUTH = "ground-truth"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a code
        """The name to display."""
        return _TITLES[self]


_TITLES = {
    Layout.HAM10000: "HAM10000",
    Layout.ISIC_2019: "ISIC 2019",
    Layout.ISIC_2020: "ISIC 2020",
    Layout.ISIC_2018: "ISIC 2018",
    Layout.ISIC_2017: "ISIC 2017",
    Layout.ISIC_ARCHIVE: "ISIC Archive",
    Layout.TABLE: "images with a table",
    Layout.CLASS_FOLDERS: "class folders",
    Layout.GROUND_TRUTH: "ISIC 2019 ground truth",
}
_FORMATS: dict[Layout, TableFormat] = {
    Layout.HAM10000: tables.HAM10000,
    Layout.ISIC_2019: tables.ISIC_2019,
    Layout.ISIC_2020: tables.ISIC_2020,
    Layout.ISIC_2018: tables.ISIC_2018,
    Layout.ISIC_2017: tables.ISIC_2017,
    Layout.ISIC_ARCHIVE: tables.ISIC_ARCHIVE,
    Layout.TABLE: tables.PLAIN,
    Layout.GROUND_TRUTH: tables.ISIC_2019,
}


@dataclass(frozen=True)
class Collection:
    """A folder with a recognised layout.

    Attributes:
        folder: The folder.
        layout: Its layout.
        table: The CSV file with the labels, or None for class folders.
    """

    folder: Path
    layout: Layout
    table: Path | None


def find_collections(folder: Path) -> list[Collection]:
    """Find the collections in a folder: the folder itself, or else its subfolders.

    Args:
        folder: A collection, or a folder of collections.

    Returns:
        The collections in order of precedence. At least one of them has images.

    Raises:
        DatasetError: The folder does not exist or cannot be listed, or has no known layout.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises without permission
        raise DatasetError(
            f"Found no folder at {folder}. Choose the folder that contains the images."
        )
    found = _recognise_folder(folder)
    if not found:
        # By real path, so that two links to one folder give one collection.
        children = {os.path.realpath(child): child for child in list_subfolders(folder)}
        found = [c for child in children.values() for c in _recognise_folder(child)]
    if not any(c.layout is not Layout.GROUND_TRUTH for c in found):
        raise DatasetError(
            f"Found no known dataset layout in {folder} ({_describe_content(folder)}). A dataset "
            "is either a folder of images per diagnosis, with or without Train and Test above, or "
            f"images with a table: {_describe_formats()}. Choose a folder with one of these "
            "layouts."
        )
    order = list(Layout)
    return sorted(found, key=lambda c: (order.index(c.layout), c.folder.name))


def _recognise_folder(folder: Path) -> list[Collection]:
    """Recognise a folder by the columns of its tables and the names of its subfolders.

    Returns:
        The collection, or an empty list. An ISIC 2019 table also counts as a ground truth.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    columns = {table: set(tables.read_columns(table)) for table in list_tables(folder)}
    for layout, table_format in _FORMATS.items():
        for table, names in columns.items():
            if not table_format.columns <= names:
                continue
            if layout is not Layout.ISIC_2019:
                return [Collection(folder, layout, table)]
            truth = Collection(folder, Layout.GROUND_TRUTH, table)
            has_images = any(list_images(inner) for inner in walk_folders(folder))
            return [Collection(folder, layout, table), truth] if has_images else [truth]
    class_names = {class_folder.name for class_folder, _ in _list_class_folders(folder)}
    if any(parse_diagnosis(name) for name in class_names):
        return [Collection(folder, Layout.CLASS_FOLDERS, None)]
    return []


def read_records(collection: Collection) -> pd.DataFrame:
    """Read the images of a collection with their labels and metadata, one row per file.

    Args:
        collection: A collection with images.

    Returns:
        `_RECORD_COLUMNS`. `name` is the label as the collection writes it, missing for a file
        that is not in the table. `label` is its diagnosis, missing if it is not one of the eight.

    Raises:
        DatasetError: The table cannot be read, contradicts itself, or names images that do not
            exist; or a folder cannot be listed.
    """
    table = collection.table
    if table is None:
        records = _read_class_folders(collection.folder)
    else:
        records = _read_with_table(collection, table)
    records = _add_metadata(records, collection)
    labels = [parse_diagnosis(name) if isinstance(name, str) else None for name in records["name"]]
    records["label"] = pd.Series(labels, records.index, dtype=object)
    records["source"] = collection.folder.name
    return records.reindex(columns=list(_RECORD_COLUMNS))


def read_ground_truth(collection: Collection) -> pd.DataFrame:
    """Read an ISIC 2019 ground truth, with the metadata table in the same folder if there is one.

    Args:
        collection: A collection of the layout `GROUND_TRUTH`.

    Returns:
        Index `image_id`, unique, without the suffix "_downsampled" that ISIC 2019 appends to some
        ids. Columns `label` (Diagnosis, missing for UNK), `lesion_id`, `age` (years), `sex`,
        `site`.

    Raises:
        DatasetError: A row does not mark exactly one class, or an image has contradicting rows.
    """
    if collection.table is None:
        raise ValueError("A ground truth needs a table.")
    truth = read_metadata(collection.table, tables.ISIC_2019).reset_index()
    truth = _add_metadata(truth, collection).set_index("key").rename_axis("image_id")
    label = truth["name"].map(parse_diagnosis).astype(object)
    return truth.assign(label=label)[["label", "lesion_id", "age", "sex", "site"]]


def _read_class_folders(folder: Path) -> pd.DataFrame:
    rows = [
        (make_image_key(path.name), _make_image_id(path, folder), path, class_folder.name, subset)
        for class_folder, subset in _list_class_folders(folder)
        for path in list_images(class_folder)
    ]
    records = pd.DataFrame(rows, columns=["key", "image_id", "path", "name", "subset"])
    return records.reindex(columns=[*records.columns, *METADATA_COLUMNS])


def _read_with_table(collection: Collection, table: Path) -> pd.DataFrame:
    """Return one row per file, including files that are not in the table."""
    folder = collection.folder
    metadata = read_metadata(table, _FORMATS[collection.layout])
    rows = [
        (make_image_key(path.name), path, _make_image_id(path, folder), _read_subset(inner, folder))
        for inner in walk_folders(folder)
        for path in list_images(inner)
    ]
    files = pd.DataFrame(rows, columns=["key", "path", "image_id", "subset"], dtype=object)
    missing = metadata["image_id"][~metadata.index.isin(files["key"])]
    if len(missing):
        raise DatasetError(
            f"Found no file for {len(missing)} of the {len(metadata)} images in {table} (the first "
            f"is {missing.iloc[0]}). Every row needs an image file. Add the files to the folder, "
            "or delete their rows."
        )
    is_in_table = files["key"].isin(metadata.index)
    # Ids of official tables are globally unique, those of other tables are not.
    if collection.layout is not Layout.TABLE:
        files["image_id"] = files["image_id"].mask(is_in_table, files["key"])
    ambiguous = files["path"][is_in_table & files["key"].isin(_find_ambiguous_keys(files))]
    if len(ambiguous):
        raise DatasetError(
            f"Found {len(ambiguous)} files with the same name as another file in {table} (the "
            f"first is {ambiguous.iloc[0]}). Names must be unique. Rename the files, and adapt "
            "the table."
        )
    return files.join(metadata.drop(columns="image_id"), on="key")


def _add_metadata(records: pd.DataFrame, collection: Collection) -> pd.DataFrame:
    """Fill missing metadata from the other tables in the folder."""
    records = records.astype(dict.fromkeys(METADATA_COLUMNS, object)).astype({"age": float})
    keys = records["key"].where(~records["key"].isin(_find_ambiguous_keys(records)))
    for table in list_tables(collection.folder):
        if table != collection.table and tables.has_metadata(tables.read_columns(table)):
            metadata = read_metadata(table)
            for column in METADATA_COLUMNS:
                records[column] = records[column].fillna(keys.map(metadata[column]))
    return records


def _find_ambiguous_keys(records: pd.DataFrame) -> pd.Index:
    """Return the keys that several images share."""
    num_images = records.groupby("key")["image_id"].nunique()
    return num_images.index[num_images > 1]


def _make_image_id(path: Path, folder: Path) -> str:
    """Return the ISIC id, else a path that is unique among the collections of a folder."""
    return extract_isic_id(path.name) or path.relative_to(folder.parent).as_posix()


def _read_subset(folder: Path, top: Path) -> str | None:
    """Return the subset given by the folder name, or by the closest parent folder below `top`."""
    for name in reversed(folder.relative_to(top).parts):
        if name.lower() in _SUBSET_FOLDERS:
            return _SUBSET_FOLDERS[name.lower()]
    return None


def _list_class_folders(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each class folder with its subset, or None if it is not in a subset folder."""
    for child in list_subfolders(folder):
        subset = _SUBSET_FOLDERS.get(child.name.lower())
        if subset is None:
            if list_images(child):
                yield child, None
        else:
            yield from ((grandchild, subset) for grandchild in list_subfolders(child))


def _describe_content(folder: Path) -> str:
    folders = ", ".join(f'"{sub.name}"' for sub in list_subfolders(folder)[:5]) or "no folders"
    files = [
        f"{table.name} ({', '.join(tables.read_columns(table)[:8]) or 'no columns'})"
        for table in list_tables(folder)[:3]
    ]
    return "; ".join([f"it contains {folders}", f"{len(list_images(folder))} images", *files])


def _describe_formats() -> str:
    return "; ".join(
        f"{_TITLES[layout]} ({', '.join(sorted(table_format.columns))})"
        for layout, table_format in _FORMATS.items()
        if layout is not Layout.GROUND_TRUTH
    )

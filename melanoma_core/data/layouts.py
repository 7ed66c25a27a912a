"""The ways in which collections of skin photographs are laid out on disk, each read into one table.

Layouts that hold photographs, and one that holds labels alone:

* class folders: `Train/<class>/*.jpg` and `Test/<class>/*.jpg`, or `<class>/*.jpg`;
* photographs at any depth beside a table: HAM10000 (Tschandl et al. 2018,
  doi:10.1038/sdata.2018.161), ISIC 2017 to 2020 (Codella et al. 2018, arXiv:1710.05006; Codella
  et al. 2019, arXiv:1902.03368; Combalia et al. 2019, arXiv:1908.02288; Rotemberg et al. 2021,
  doi:10.1038/s41597-021-00815-z), a download from the ISIC Archive, or any table with the columns
  `image_id` and `diagnosis`;
* ISIC 2019 ground truth: a one-hot table, with or without its metadata table.

Other tables in the folder that say something of photographs (their lesion, say) add to it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pandas as pd

from melanoma_core.data import tables
from melanoma_core.data.tables import FACT_COLUMNS, isic_id, photograph_key, read_facts
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import parse_diagnosis

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})
RECORD_COLUMNS = (
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
# What comes beside photographs: outlines of their lesions, and what a Mac packs into archives.
_NOT_PHOTOGRAPHS = {"masks", "__macosx"}
_MASK_ENDINGS = ("_segmentation", "_superpixels", "_mask")


class Layout(StrEnum):
    """A recognised layout, in the order in which their word counts on the same image.

    A table that came with the photographs is worth more than the name of a folder, into which
    somebody else has sorted copies.
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
        """What a person calls it."""
        return _TITLES[self]


_TITLES = {
    Layout.HAM10000: "HAM10000",
    Layout.ISIC_2019: "ISIC 2019",
    Layout.ISIC_2020: "ISIC 2020",
    Layout.ISIC_2018: "ISIC 2018",
    Layout.ISIC_2017: "ISIC 2017",
    Layout.ISIC_ARCHIVE: "ISIC Archive",
    Layout.TABLE: "photographs with a table",
    Layout.CLASS_FOLDERS: "class folders",
    Layout.GROUND_TRUTH: "ISIC 2019 ground truth",
}
_FORMS = {
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
        DatasetError: The folder does not exist or cannot be listed, or nothing in it was
            recognised.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where we may not look
        raise DatasetError(
            f"Found no folder at {folder}. Name the folder that holds the photographs."
        )
    found = recognise_folder(folder)
    if not found:
        # By their real paths: two links to one folder are one collection.
        children = {os.path.realpath(child): child for child in list_subfolders(folder)}
        found = [c for child in children.values() for c in recognise_folder(child)]
    if not any(c.layout is not Layout.GROUND_TRUTH for c in found):
        raise DatasetError(
            f"Found no layout that is known in {folder} ({_describe_content(folder)}). Looked for "
            "class folders with images, named like diagnoses, with or without Train and Test "
            f"above them; and for images beside a table: {_describe_forms()}. Name a folder laid "
            "out like one of these."
        )
    order = list(Layout)
    return sorted(found, key=lambda c: (order.index(c.layout), c.folder.name))


def recognise_folder(folder: Path) -> list[Collection]:
    """Recognise one folder by its tables' columns and its folders' names, opening no photograph.

    Returns:
        The collection; also its table, as a ground truth, if that is ISIC 2019's; or nothing.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    columns = {table: set(tables.read_columns(table)) for table in _tables(folder)}
    for layout, form in _FORMS.items():
        for table, names in columns.items():
            if form.columns <= names:
                collection = Collection(folder, layout, table)
                if layout is not Layout.ISIC_2019:
                    return [collection]
                truth = Collection(folder, Layout.GROUND_TRUTH, table)
                return [collection, truth] if any(map(_images, _folders_below(folder))) else [truth]
    class_names = {class_folder.name for class_folder, _ in _class_folders(folder)}
    if any(parse_diagnosis(name) for name in class_names):
        return [Collection(folder, Layout.CLASS_FOLDERS, None)]
    return []


def read_records(collection: Collection) -> pd.DataFrame:
    """Read the photographs of a collection, one row per file.

    Returns:
        `RECORD_COLUMNS`; `name` is the label as the collection writes it, missing for a file that
        its table does not name; `label` the diagnosis that it means, missing where it is none of
        the eight.

    Raises:
        DatasetError: The table cannot be read, contradicts itself, or names photographs that are
            not there; or a folder cannot be listed.
    """
    table = collection.table
    if table is None:
        records = _read_class_folders(collection.folder)
    else:
        records = _read_beside_table(collection, table)
    records = _fill_in(records, collection)
    labels = [parse_diagnosis(name) if isinstance(name, str) else None for name in records["name"]]
    records["label"] = pd.Series(labels, records.index, dtype=object)
    records["source"] = collection.folder.name
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
    if collection.table is None:
        raise ValueError("a ground truth has a table")
    truth = read_facts(collection.table, tables.ISIC_2019).reset_index()
    truth = _fill_in(truth, collection).set_index("key").rename_axis("image_id")
    label = truth["name"].map(parse_diagnosis).astype(object)
    return truth.assign(label=label)[["label", "lesion_id", "age", "sex", "site"]]


def _read_class_folders(folder: Path) -> pd.DataFrame:
    rows = [
        (photograph_key(path.name), _own_id(path, folder), path, class_folder.name, subset)
        for class_folder, subset in _class_folders(folder)
        for path in _images(class_folder)
    ]
    records = pd.DataFrame(rows, columns=["key", "image_id", "path", "name", "subset"])
    return records.reindex(columns=[*records.columns, *FACT_COLUMNS])


def _read_beside_table(collection: Collection, table: Path) -> pd.DataFrame:
    """Return one row per file, also for those that the table does not name."""
    folder = collection.folder
    facts = read_facts(table, _FORMS[collection.layout])
    files = pd.DataFrame(
        [
            (photograph_key(path.name), path, _own_id(path, folder), subset)
            for inner in _folders_below(folder)
            for subset in [_read_subset(inner, folder)]
            for path in _images(inner)
        ],
        columns=["key", "path", "image_id", "subset"],
        dtype=object,
    )
    missing = facts["image_id"][~facts.index.isin(files["key"])]
    if len(missing):
        raise DatasetError(
            f"Found no file for {len(missing)} of the {len(facts)} photographs that {table} names "
            f"(the first is {missing.iloc[0]}). Put the photographs beside the table, or take "
            "their rows out of it."
        )
    is_named = files["key"].isin(facts.index)
    # The ids of official tables mean the same photograph wherever they occur, others do not.
    if collection.layout is not Layout.TABLE:
        files["image_id"] = files["image_id"].mask(is_named, files["key"])
    unclear = files["path"][is_named & files["key"].isin(_ambiguous(files))]
    if len(unclear):
        raise DatasetError(
            f"Found {len(unclear)} files that share a name, so that it is not clear which of them "
            f"{table} means (the first is {unclear.iloc[0]}). Give each a name of its own."
        )
    return files.join(facts.drop(columns="image_id"), on="key")


def _fill_in(records: pd.DataFrame, collection: Collection) -> pd.DataFrame:
    """Add what the folder's other tables know of the photographs, where it is unknown."""
    records = records.astype(dict.fromkeys(FACT_COLUMNS, object)).astype({"age": float})
    clear = records["key"].where(~records["key"].isin(_ambiguous(records)))
    for table in _tables(collection.folder):
        if table != collection.table and tables.holds_facts(tables.read_columns(table)):
            facts = read_facts(table)
            for column in FACT_COLUMNS:
                records[column] = records[column].fillna(clear.map(facts[column]))
    return records


def _ambiguous(records: pd.DataFrame) -> pd.Index:
    """Return the keys under which there are several photographs."""
    num_images = records.groupby("key")["image_id"].nunique()
    return num_images.index[num_images > 1]


def _own_id(path: Path, folder: Path) -> str:
    """Name a photograph that has no ISIC id, apart from its namesakes in other collections."""
    return isic_id(path.name) or path.relative_to(folder.parent).as_posix()


def _read_subset(folder: Path, top: Path) -> str | None:
    """Return the subset that the folder of files says, or the nearest above it, below `top`."""
    for name in reversed(folder.relative_to(top).parts):
        if name.lower() in _SUBSET_FOLDERS:
            return _SUBSET_FOLDERS[name.lower()]
    return None


def _class_folders(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each class folder with its subset, which is None where no folder above says it."""
    for child in list_subfolders(folder):
        subset = _SUBSET_FOLDERS.get(child.name.lower())
        if subset is None:
            if _images(child):
                yield child, None
        else:
            yield from ((grandchild, subset) for grandchild in list_subfolders(child))


def _describe_content(folder: Path) -> str:
    folders = ", ".join(f'"{sub.name}"' for sub in list_subfolders(folder)[:5]) or "no folders"
    files = [
        f"{table.name} ({', '.join(tables.read_columns(table)[:8]) or 'no columns'})"
        for table in _tables(folder)[:3]
    ]
    return "; ".join([f"it holds {folders}", f"{len(_images(folder))} images", *files])


def _describe_forms() -> str:
    return "; ".join(
        f"{_TITLES[layout]} ({', '.join(sorted(form.columns))})"
        for layout, form in _FORMS.items()
        if layout is not Layout.GROUND_TRUTH
    )


def list_subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder by name, without hidden ones and outlines of lesions.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if _is_folder(entry) and entry.name.lower() not in _NOT_PHOTOGRAPHS
    ]


def _images(folder: Path) -> list[Path]:
    """Return the images in a folder; also a link to one that is gone, so that it is reported."""
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if is_image_name(entry.name) and not _is_folder(entry)
    ]


def _folders_below(folder: Path) -> Iterator[Path]:
    """Yield a folder and those in it at any depth, each once however links lead back to it."""
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        inner = waiting.pop()
        real = os.path.realpath(inner)
        if real not in seen:
            seen.add(real)
            yield inner
            waiting.extend(reversed(list_subfolders(inner)))


def _tables(folder: Path) -> list[Path]:
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if entry.name.lower().endswith(".csv") and not _is_folder(entry)
    ]


def _list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """List what is not hidden, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        raise DatasetError(
            f"Cannot list the folder {folder} ({error.strerror}). Check that it is still there "
            "and that you may open it."
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_dir()  # known from the listing, unlike in every other way
    return os.path.isdir(entry.path)  # noqa: PTH112 - False also for a link to itself


def is_image_name(name: str) -> bool:
    """Return whether a file is named as a photograph is, and not as the outline of a lesion."""
    stem, dot, suffix = name.lower().rpartition(".")  # of 400,000 names, which a Path is slow for
    return dot + suffix in IMAGE_SUFFIXES and not stem.endswith(_MASK_ENDINGS)

"""Recognise how an image collection is laid out on disk.

Layouts with images, and one with labels only:

* class folders: `Train/<class>/*.jpg` and `Test/<class>/*.jpg`, or `<class>/*.jpg`, at any depth;
* images at any depth below a folder with a table, or beside one with tables (`table_formats`);
* ISIC 2019 ground truth: a one-hot table that is called so, with or without its metadata table.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from melanoma_core.data import table_formats
from melanoma_core.data.folders import (
    has_images,
    list_images,
    list_subfolders,
    list_tables,
    parse_subset,
    walk_folders,
)
from melanoma_core.data.table_files import TableFile, open_table
from melanoma_core.data.table_formats import TableFormat, holds_answers
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import parse_diagnosis, parse_tier


class Layout(StrEnum):
    """A recognised layout. The order is that of precedence when labels of an image disagree.

    A table published with the images takes precedence over folder names, because folders often
    hold copies that were sorted by others.
    """

    HAM10000 = "ham10000"
    ISIC_2019 = "isic-2019"
    MILK10K = "milk10k"
    ISIC_2020 = "isic-2020"
    ISIC_2018 = "isic-2018"
    ISIC_2017 = "isic-2017"
    BCN20000 = "bcn20000"
    ISIC_ARCHIVE = "isic-archive"
    PAD_UFES_20 = "pad-ufes-20"
    DERM7PT = "derm7pt"
    DDI = "ddi"
    FITZPATRICK17K = "fitzpatrick17k"
    PH2 = "ph2"
    TABLE = "table"
    ONE_HOT = "one-hot"
    CLASS_FOLDERS = "class-folders"
    GROUND_TRUTH = "ground-truth"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a code
        """The name to display."""
        return _TITLES[self]


_TITLES = {
    Layout.HAM10000: "HAM10000",
    Layout.ISIC_2019: "ISIC 2019",
    Layout.MILK10K: "MILK10k",
    Layout.ISIC_2020: "ISIC 2020",
    Layout.ISIC_2018: "ISIC 2018",
    Layout.ISIC_2017: "ISIC 2017",
    Layout.BCN20000: "BCN20000",
    Layout.ISIC_ARCHIVE: "ISIC Archive",
    Layout.PAD_UFES_20: "PAD-UFES-20",
    Layout.DERM7PT: "Derm7pt",
    Layout.DDI: "DDI",
    Layout.FITZPATRICK17K: "Fitzpatrick17k",
    Layout.PH2: "PH2",
    Layout.TABLE: "images with a table",
    Layout.ONE_HOT: "images with a one-hot table",
    Layout.CLASS_FOLDERS: "class folders",
    Layout.GROUND_TRUTH: "ISIC 2019 ground truth",
}
_FORMATS: dict[Layout, TableFormat] = {
    Layout.HAM10000: table_formats.HAM10000,
    Layout.ISIC_2019: table_formats.ISIC_2019,
    Layout.MILK10K: table_formats.MILK10K,
    Layout.ISIC_2020: table_formats.ISIC_2020,
    Layout.ISIC_2018: table_formats.ISIC_2018,
    Layout.ISIC_2017: table_formats.ISIC_2017,
    Layout.BCN20000: table_formats.BCN20000,
    Layout.ISIC_ARCHIVE: table_formats.ISIC_ARCHIVE,
    Layout.PAD_UFES_20: table_formats.PAD_UFES_20,
    Layout.DERM7PT: table_formats.DERM7PT,
    Layout.DDI: table_formats.DDI,
    Layout.FITZPATRICK17K: table_formats.FITZPATRICK17K,
    Layout.PH2: table_formats.PH2,
    Layout.TABLE: table_formats.PLAIN,
    Layout.ONE_HOT: table_formats.ONE_HOT,
}
_ORDER = list(Layout)
# A ground truth is called so: a table of answers has the same columns.
_TRUTH_NAME = re.compile(r"truth", re.IGNORECASE)
_ANSWERS_NAME = re.compile(r"pred|answer|submission|result|output", re.IGNORECASE)


@dataclass(frozen=True)
class LabelTable:
    """A table with labels and the layout that its columns show."""

    file: TableFile
    layout: Layout

    @property
    def format(self) -> TableFormat:
        """How its labels are written."""
        return _FORMATS[self.layout]


@dataclass(frozen=True)
class Collection:
    """A folder with a recognised layout.

    Attributes:
        folder: The folder.
        layout: Its layout.
        tables: The tables that show the layout; none for class folders.
    """

    folder: Path
    layout: Layout
    tables: tuple[LabelTable, ...] = ()


def find_collections(folder: Path) -> list[Collection]:
    """Find the collections in a folder: the folder itself, or else its subfolders.

    Where no subfolder has both images and labels, as in an unzipped archive of ISIC 2018, the
    folder is one collection with the tables below it.

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
        with_labels = [c for c in found if c.layout is not Layout.GROUND_TRUTH]
        if not any(has_images(c.folder) for c in with_labels) and has_images(folder):
            _check_depth(folder, children.values())
            tables = [table for inner in walk_folders(folder) for table in list_tables(inner)]
            found = _recognise_tables(folder, find_label_tables(tables)) or found
    if not any(c.layout is not Layout.GROUND_TRUTH for c in found):
        raise DatasetError(
            f"Found no known dataset layout in {folder} ({_describe_content(folder)}). A dataset "
            "is either a folder of images per diagnosis, with or without Train and Test above, or "
            f"images with a table: {_describe_formats()}. Choose a folder with one of these "
            "layouts."
        )
    return sorted(found, key=lambda c: (_ORDER.index(c.layout), c.folder.name))


def _check_depth(folder: Path, children: Iterable[Path]) -> None:
    """Check that the collections of a folder do not lie one level deeper, several to a child.

    Their tables must not be joined: images of one collection would get facts of another.

    Raises:
        DatasetError: They do; the message names the children.
    """
    deeper = [
        child.name
        for child in children
        if any(has_images(each) and _recognise_folder(each) for each in list_subfolders(child))
    ]
    if deeper:
        raise DatasetError(
            f"Found collections below {', '.join(sorted(deeper))} in {folder}, one level too deep. "
            "A dataset is a collection, or a folder of collections. Choose one of these folders."
        )


def find_label_tables(paths: list[Path]) -> list[LabelTable]:
    """Return those files that are tables with labels, in order of precedence.

    A table that holds the answers of a model is none.
    """
    found = []
    for table in filter(None, map(open_table, paths)):
        layout = next((each for each, form in _FORMATS.items() if form.fits(table)), None)
        if layout and not holds_answers(table, _FORMATS[layout]):
            found.append(LabelTable(table, layout))
    return sorted(found, key=lambda each: _ORDER.index(each.layout))


def is_ground_truth(table: LabelTable) -> bool:
    """Return whether a table is an ISIC 2019 ground truth, by its columns and its name."""
    name = table.file.path.name
    return (
        table.layout is Layout.ISIC_2019
        and bool(_TRUTH_NAME.search(name))
        and not _ANSWERS_NAME.search(name)
    )


def name_class(folder: Path, top: Path) -> str | None:
    """Return the class of the images in a folder by its name and those of the folders above it.

    Args:
        folder: A folder below `top`.
        top: Folder of the collection.

    Returns:
        The name that is one of the eight diagnoses; two names if they contradict each other. If
        there is none, the name of the outermost folder that is not a subset.

    Example:
        >>> top = Path("set")
        >>> [name_class(top / each, top) for each in ("Train/melanoma/part1", "Train/wart", "Test")]
        ['melanoma', 'wart', None]
    """
    names = [name for name in folder.relative_to(top).parts if not _is_subset(name)]
    known = {diagnosis: name for name in names if (diagnosis := parse_diagnosis(name))}
    if len(known) > 1:
        return "/".join(known.values())
    return next(iter(known.values()), names[0] if names else None)


def _recognise_folder(folder: Path) -> list[Collection]:
    """Recognise a folder by the columns of its tables and the names of its subfolders.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    files = list_tables(folder)
    labels = find_label_tables(files)
    if labels:
        return _recognise_tables(folder, labels)
    if any(_list_class_names(folder)):
        return [Collection(folder, Layout.CLASS_FOLDERS)]
    tables = filter(None, map(open_table, files))
    if any("isic_id" in table.columns for table in tables) and has_images(folder):
        return [Collection(folder, Layout.ISIC_ARCHIVE)]
    return []


def _recognise_tables(folder: Path, labels: list[LabelTable]) -> list[Collection]:
    """Return the collection with these tables, and their ground truth as another one."""
    truths = tuple(table for table in labels if is_ground_truth(table))
    truth = [Collection(folder, Layout.GROUND_TRUTH, truths)] if truths else []
    if not labels or (truths and not has_images(folder)):
        return truth
    return [Collection(folder, labels[0].layout, tuple(labels)), *truth]


def _is_subset(name: str) -> bool:
    return parse_subset(name) is not None and parse_diagnosis(name) is None


def _list_class_names(folder: Path) -> Iterator[str]:
    """Yield the names of the folders of a diagnosis or tier, also of those in subset folders."""
    for child in list_subfolders(folder):
        if _is_subset(child.name):
            yield from _list_class_names(child)
        # A collection can have the name of a diagnosis.
        elif parse_tier(child.name) or (
            parse_diagnosis(child.name) and not any(_list_class_names(child))
        ):
            yield child.name


def _describe_content(folder: Path) -> str:
    folders = ", ".join(f'"{sub.name}"' for sub in list_subfolders(folder)[:5]) or "no folders"
    tables = [table for path in list_tables(folder) if (table := open_table(path))]
    files = [table.describe() for table in tables[:3]]
    return "; ".join([f"it contains {folders}", f"{len(list_images(folder))} images", *files])


def _describe_formats() -> str:
    return "; ".join(f"{_TITLES[layout]} ({form.describe()})" for layout, form in _FORMATS.items())

"""Read the tables of image collections into one set of columns."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from melanoma_core.data.identities import ID_COLUMNS, clean_ids
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

# The names that tables use for each column.
_SYNONYMS = {
    "image_id": ("image_id", "image", "image_name", "isic_id"),
    "lesion_id": ("lesion_id",),
    "patient_id": ("patient_id",),
    "age": ("age", "age_approx"),
    "sex": ("sex",),
    "site": ("site", "localization", "anatom_site_general", "anatom_site_general_challenge"),
    "licence": ("licence", "copyright_license"),
}
METADATA_COLUMNS = tuple(_SYNONYMS)[1:]
# Ids are read as text: "0042" must not become 42, nor 42.0 where another row has no id.
_TEXT_COLUMNS = (*_SYNONYMS["image_id"], *ID_COLUMNS)

_ISIC_2018_CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
_ISIC_2019_CLASSES = (*Diagnosis, "UNK")
# The diagnosis columns of the ISIC Archive, from the coarsest level to the finest.
_ARCHIVE_LEVELS = ("diagnosis_1", "diagnosis_2", "diagnosis_3", "diagnosis_4", "diagnosis_5")
_ISIC_ID = re.compile(r"ISIC_\d{7}")
_SUFFIX = re.compile(r"\.(jpe?g|png|tiff?|webp|bmp)$", re.IGNORECASE)


@dataclass(frozen=True)
class TableFormat:
    """A format of tables that give the diagnosis of each image.

    Attributes:
        columns: Columns that identify the format. A table with all of them has this format.
        read_names: Function that returns the label of each row as the table writes it.
        one_hot: Whether each row must mark exactly one class. The label is missing otherwise.
        licence: Licence of all images, if there is only one.
    """

    columns: frozenset[str]
    read_names: Callable[[pd.DataFrame], pd.Series]
    one_hot: bool = False
    licence: str | None = None


def extract_isic_id(name: str) -> str | None:
    """Return the ISIC id in a file name, or None.

    Example:
        >>> extract_isic_id("ISIC_0025509(1).jpg")
        'ISIC_0025509'
    """
    match = _ISIC_ID.search(name)
    return match.group() if match else None


def make_image_key(name: str) -> str:
    """Return the key that matches an image file with its row in a table.

    Tables name an image with or without its folder and suffix, and with additions such as
    "_downsampled". Unicode is normalised, because some systems write "ü" as two characters.

    Args:
        name: File name, or image name as a table writes it.

    Returns:
        The ISIC id if the name contains one, else the name without folder and suffix.

    Example:
        >>> make_image_key("images/mole 1.JPG"), make_image_key("ISIC_0000002_downsampled")
        ('mole 1', 'ISIC_0000002')
    """
    bare = name.rpartition("/")[2]
    return extract_isic_id(bare) or unicodedata.normalize("NFC", _SUFFIX.sub("", bare))


def read_columns(path: Path) -> list[str]:
    """Return the column names of a CSV file, or an empty list if it is not a readable table."""
    try:
        return [str(name) for name in pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns]
    except (OSError, ValueError):
        return []


def has_metadata(columns: list[str]) -> bool:
    """Return whether a table with these columns has metadata of images.

    Example:
        >>> has_metadata(["image", "lesion_id"]), has_metadata(["image", "score"])
        (True, False)
    """
    present = set(columns)
    names_images = not present.isdisjoint(_SYNONYMS["image_id"])
    return names_images and any(
        not present.isdisjoint(_SYNONYMS[name]) for name in METADATA_COLUMNS
    )


def read_metadata(path: Path, table_format: TableFormat | None = None) -> pd.DataFrame:
    """Read the labels and metadata of images from a table.

    Args:
        path: A CSV file.
        table_format: Format of the diagnosis. None reads the metadata only.

    Returns:
        Index `key` (`make_image_key`), unique. Columns `image_id` as the table writes it, `name`
        (the label as written, missing without a format), and `METADATA_COLUMNS`: age in years,
        the others text. Unknown values are missing.

    Raises:
        DatasetError: The table cannot be read, or contradicts itself.
    """
    table = _read_table(path)
    metadata = pd.DataFrame(
        {name: _select_first(table, synonyms) for name, synonyms in _SYNONYMS.items()}
    )
    without_id = np.flatnonzero(metadata["image_id"].isna())
    if len(without_id):
        raise DatasetError(
            f"Found {len(without_id)} rows without an image id in {path} (the first is row "
            f"{without_id[0] + 1}). Every row needs one. Add the ids, or delete the rows."
        )
    metadata["age"] = pd.to_numeric(metadata["age"], errors="coerce")
    for column in ID_COLUMNS:
        metadata[column] = pd.Series(clean_ids(metadata[column]), metadata.index, dtype=object)
    for column in ("sex", "site"):
        text = metadata[column].astype("str").str.strip().str.lower()
        metadata[column] = text.mask(text.isin({"", "unknown"}))
    metadata["name"] = table_format.read_names(table) if table_format else None
    if table_format and table_format.one_hot:
        _check_one_hot(metadata, path)
    if table_format and table_format.licence:
        metadata["licence"] = table_format.licence
    metadata.index = pd.Index(metadata["image_id"].map(make_image_key), name="key")
    return _drop_repeated_rows(metadata, path)


def _read_table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(_TEXT_COLUMNS, str), encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(
            f"Cannot read the table {path} ({error.strerror}). Check its permissions."
        ) from error
    except ValueError as error:  # includes the parser errors of pandas
        raise DatasetError(
            f"Cannot read the table {path}: {error}. Restore it from its source."
        ) from error


def _select_first(table: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    present = [name for name in names if name in table]
    return table[present[0]] if present else pd.Series(None, table.index, dtype=object)


def _check_one_hot(metadata: pd.DataFrame, path: Path) -> None:
    wrong = metadata["image_id"][metadata["name"].isna()]
    if len(wrong):
        raise DatasetError(
            f"Found {len(wrong)} rows in {path} that do not mark exactly one class (the first is "
            f"{wrong.iloc[0]}). Restore the table from its source."
        )


def _drop_repeated_rows(metadata: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Drop rows that repeat another one, and raise an error for those that contradict it."""
    is_repeated = metadata.reset_index().drop(columns="image_id").duplicated().to_numpy()
    metadata = metadata[~is_repeated]
    contradicting = metadata.index[metadata.index.duplicated()].unique()
    if len(contradicting):
        raise DatasetError(
            f"Found {len(contradicting)} images with contradicting rows in {path} (the first is "
            f"{contradicting[0]}). Each image needs one row. Keep the correct one."
        )
    return metadata


def _read_one_hot(classes: tuple[str, ...], table: pd.DataFrame) -> pd.Series:
    marks = table.reindex(columns=list(classes)).apply(pd.to_numeric, errors="coerce") > 0
    first = pd.Series(np.array(classes, dtype=object)[marks.to_numpy().argmax(axis=1)], marks.index)
    return first.where(marks.sum(axis=1) == 1)


def _read_isic_2017(table: pd.DataFrame) -> pd.Series:
    name = pd.Series("nevus", table.index, dtype=object)
    name = name.mask(table["melanoma"] > 0, "melanoma")
    return name.mask(table["seborrheic_keratosis"] > 0, "seborrheic keratosis")


def _read_archive(table: pd.DataFrame) -> pd.Series:
    """Return the finest level that names one of the eight diagnoses, else the finest level."""
    levels = table.reindex(columns=[*_ARCHIVE_LEVELS[::-1], "diagnosis"]).astype(object)
    is_known = levels.map(lambda name: isinstance(name, str) and parse_diagnosis(name) is not None)
    known, written = (names.bfill(axis=1).iloc[:, 0] for names in (levels.where(is_known), levels))
    return known.fillna(written)


HAM10000 = TableFormat(
    columns=frozenset({"lesion_id", "image_id", "dx"}),
    read_names=itemgetter("dx"),
    licence="CC BY-NC 4.0",
)
ISIC_2017 = TableFormat(
    columns=frozenset({"image_id", "melanoma", "seborrheic_keratosis"}),
    read_names=_read_isic_2017,
)
ISIC_2018 = TableFormat(
    columns=frozenset({"image", *_ISIC_2018_CLASSES}),
    read_names=partial(_read_one_hot, _ISIC_2018_CLASSES),
    one_hot=True,
)
ISIC_2019 = TableFormat(
    columns=frozenset({"image", *Diagnosis}),
    read_names=partial(_read_one_hot, _ISIC_2019_CLASSES),
    one_hot=True,
)
ISIC_2020 = TableFormat(
    columns=frozenset({"image_name", "diagnosis", "benign_malignant"}),
    read_names=itemgetter("diagnosis"),
)
ISIC_ARCHIVE = TableFormat(columns=frozenset({"isic_id"}), read_names=_read_archive)
PLAIN = TableFormat(
    columns=frozenset({"image_id", "diagnosis"}),
    read_names=itemgetter("diagnosis"),
)

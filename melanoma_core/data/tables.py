"""The tables that come with collections of photographs, each read into the same columns."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

# What the tables call what is known of a photograph.
_SYNONYMS = {
    "image_id": ("image_id", "image", "image_name", "isic_id"),
    "lesion_id": ("lesion_id",),
    "patient_id": ("patient_id",),
    "age": ("age", "age_approx"),
    "sex": ("sex",),
    "site": ("site", "localization", "anatom_site_general", "anatom_site_general_challenge"),
    "licence": ("licence", "copyright_license"),
}
FACT_COLUMNS = tuple(_SYNONYMS)[1:]
# Ids are names: "0042" is not 42, nor 42.0 where another row has none.
_ID_COLUMNS = (*_SYNONYMS["image_id"], "lesion_id", "patient_id")

_ISIC_2018_CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
_ISIC_2019_CLASSES = (*Diagnosis, "UNK")
# The ISIC Archive's diagnosis, from the coarsest level to the finest.
_ARCHIVE_LEVELS = ("diagnosis_1", "diagnosis_2", "diagnosis_3", "diagnosis_4", "diagnosis_5")
_ISIC_ID = re.compile(r"ISIC_\d{7}")
_SUFFIX = re.compile(r"\.(jpe?g|png|tiff?|webp|bmp)$", re.IGNORECASE)


@dataclass(frozen=True)
class TableForm:
    """One kind of table that says which diagnosis each photograph has.

    Attributes:
        columns: What it is known by: a table that has them all is of this form.
        read_names: Returns the label of each row as the table says it.
        one_hot: Each row has to mark exactly one class; the label of another is missing.
        licence: Of all its photographs, where that is one.
    """

    columns: frozenset[str]
    read_names: Callable[[pd.DataFrame], pd.Series]
    one_hot: bool = False
    licence: str | None = None


def isic_id(name: str) -> str | None:
    """Return the ISIC id in a file's name ("ISIC_0025509(1).jpg" is ISIC_0025509), or None."""
    match = _ISIC_ID.search(name)
    return match.group() if match else None


def photograph_key(name: str) -> str:
    """Return what a photograph's file and its row in a table have in common.

    Tables name it with its folder and suffix or without, and with marks such as "_downsampled";
    some systems write "ü" as one character and some as two.
    """
    bare = name.rpartition("/")[2]
    return isic_id(bare) or unicodedata.normalize("NFC", _SUFFIX.sub("", bare))


def read_columns(path: Path) -> list[str]:
    """Return the names of a table's columns; none if it is no table that can be read."""
    try:
        return [str(name) for name in pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns]
    except (OSError, ValueError):
        return []


def holds_facts(columns: list[str]) -> bool:
    """Tell whether a table knows something of photographs, be it their diagnosis or not."""
    known = set(columns)
    names_images = not known.isdisjoint(_SYNONYMS["image_id"])
    return names_images and any(not known.isdisjoint(_SYNONYMS[name]) for name in FACT_COLUMNS)


def read_facts(path: Path, form: TableForm | None = None) -> pd.DataFrame:
    """Read what a table says of its photographs.

    Args:
        path: A CSV file.
        form: How it says the diagnosis; None to read the rest alone.

    Returns:
        Index `key` (`photograph_key`), unique; columns `image_id` as the table writes it, `name`
        (the label as written, missing without a form), and `FACT_COLUMNS`: age in years, the
        others text, missing where the table does not say.

    Raises:
        DatasetError: The table cannot be read, or contradicts itself.
    """
    table = _read_table(path)
    facts = pd.DataFrame({name: _first_of(table, names) for name, names in _SYNONYMS.items()})
    nameless = np.flatnonzero(facts["image_id"].isna())
    if len(nameless):
        raise DatasetError(
            f"Found {len(nameless)} rows that name no photograph in {path} (the first is row "
            f"{nameless[0] + 1}). Write the photograph's id into them, or take them out."
        )
    facts["age"] = pd.to_numeric(facts["age"], errors="coerce")
    for column in ("sex", "site"):
        text = facts[column].astype("str").str.strip().str.lower()
        facts[column] = text.mask(text.isin({"", "unknown"}))
    facts["name"] = form.read_names(table) if form else None
    if form and form.one_hot and facts["name"].isna().any():
        _refuse_marks(facts, path)
    if form and form.licence:
        facts["licence"] = form.licence
    facts.index = pd.Index(facts["image_id"].map(photograph_key), name="key")
    return _without_twins(facts, path)


def _first_of(table: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    present = [name for name in names if name in table]
    return table[present[0]] if present else pd.Series(None, table.index, dtype=object)


def _without_twins(facts: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Leave out rows that repeat another one, and refuse those that contradict it."""
    facts = facts[~facts.reset_index().drop(columns="image_id").duplicated().to_numpy()]
    twice = facts.index[facts.index.duplicated()].unique()
    if len(twice):
        raise DatasetError(
            f"Found {len(twice)} photographs that have more than one row in {path} (the first is "
            f"{twice[0]}). Leave the one that is right."
        )
    return facts


def _read_table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(_ID_COLUMNS, str), encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(
            f"Cannot read the table {path} ({error.strerror}). Check that you may read it."
        ) from error
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise DatasetError(
            f"Cannot read the table {path}: {error}. Restore it from its source."
        ) from error


def _refuse_marks(facts: pd.DataFrame, path: Path) -> None:
    wrong = facts["image_id"][facts["name"].isna()]
    raise DatasetError(
        f"Found {len(wrong)} rows in {path} that do not mark exactly one class (the first is "
        f"{wrong.iloc[0]}). Restore the table from its source."
    )


def _read_one_hot(classes: tuple[str, ...], table: pd.DataFrame) -> pd.Series:
    marks = table.reindex(columns=list(classes)).apply(pd.to_numeric, errors="coerce") > 0
    first = pd.Series(np.array(classes, dtype=object)[marks.to_numpy().argmax(axis=1)], marks.index)
    return first.where(marks.sum(axis=1) == 1)


def _read_isic_2017(table: pd.DataFrame) -> pd.Series:
    name = pd.Series("nevus", table.index, dtype=object)
    name = name.mask(table["melanoma"] > 0, "melanoma")
    return name.mask(table["seborrheic_keratosis"] > 0, "seborrheic keratosis")


def _read_archive(table: pd.DataFrame) -> pd.Series:
    """Return the finest level that names one of the eight diagnoses, else the finest there is."""
    levels = table.reindex(columns=[*_ARCHIVE_LEVELS[::-1], "diagnosis"]).astype(object)
    is_known = levels.map(lambda name: isinstance(name, str) and parse_diagnosis(name) is not None)
    known, written = (names.bfill(axis=1).iloc[:, 0] for names in (levels.where(is_known), levels))
    return known.fillna(written)


HAM10000 = TableForm(
    columns=frozenset({"lesion_id", "image_id", "dx"}),
    read_names=itemgetter("dx"),
    licence="CC BY-NC 4.0",
)
ISIC_2017 = TableForm(
    columns=frozenset({"image_id", "melanoma", "seborrheic_keratosis"}),
    read_names=_read_isic_2017,
)
ISIC_2018 = TableForm(
    columns=frozenset({"image", *_ISIC_2018_CLASSES}),
    read_names=partial(_read_one_hot, _ISIC_2018_CLASSES),
    one_hot=True,
)
ISIC_2019 = TableForm(
    columns=frozenset({"image", *Diagnosis}),
    read_names=partial(_read_one_hot, _ISIC_2019_CLASSES),
    one_hot=True,
)
ISIC_2020 = TableForm(
    columns=frozenset({"image_name", "diagnosis", "benign_malignant"}),
    read_names=itemgetter("diagnosis"),
)
ISIC_ARCHIVE = TableForm(columns=frozenset({"isic_id"}), read_names=_read_archive)
PLAIN = TableForm(
    columns=frozenset({"image_id", "diagnosis"}),
    read_names=itemgetter("diagnosis"),
)

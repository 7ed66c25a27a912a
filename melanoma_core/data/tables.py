"""Read the tables of image collections into one set of columns."""

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from melanoma_core.data.folders import parse_subset
from melanoma_core.data.identities import ID_COLUMNS, clean_ids
from melanoma_core.data.skin_tone import SKIN_TYPES
from melanoma_core.data.table_files import TableFile
from melanoma_core.data.table_formats import IMAGE_COLUMNS, Marks, TableFormat
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import parse_confirmation

# The names that tables use for each column. The first that has a value counts.
_SYNONYMS = {
    "lesion_id": ("lesion_id", "case_num"),
    "patient_id": ("patient_id",),
    "age": ("age", "age_approx", "age_approximate"),
    "sex": ("sex", "gender"),
    "site": (
        *("site", "localization", "anatom_site_general", "anatom_site_general_challenge"),
        *("region", "location"),
    ),
    "confirmation": (
        *("confirmation", "diagnosis_confirm_type", "dx_type", "biopsed", "concomitant_biopsy"),
        "histological_diagnosis",
    ),
    "fitzpatrick": ("fitzpatrick", "fitzpatrick_skin_type", "fitspatrick", "fitzpatrick_scale"),
    "licence": ("licence", "license", "copyright_license"),
    "attribution": ("attribution",),
    "image_type": ("image_type",),
    "subset": ("subset", "split", "partition"),
}
FACT_COLUMNS = (*_SYNONYMS, "not_understood")
# What the table of one collection says about the files of that image in all collections.
JOINED_FACTS = ("age", "sex", "site", "confirmation", "fitzpatrick")
# Columns that say whether there was a biopsy. Without one, a group of dermatologists agreed in
# PAD-UFES-20 (Pacheco et al. 2020); the ISIC Archive then says it in `diagnosis_confirm_type`.
_BIOPSIES = {
    "biopsed": {"true": "histopathology", "false": "consensus"},
    "concomitant_biopsy": {"true": "histopathology", "false": None},
}
_SKIN_TYPES = {str(number): name for number, name in enumerate(SKIN_TYPES, start=1)} | {
    name.casefold(): name for name in SKIN_TYPES
}
_NO_SKIN_TYPE = "-1"  # of Fitzpatrick17k (Groh et al. 2021)
_UNKNOWN = frozenset({"unknown", "not known", "not reported", "not stated", "-", "?", "n/a"})
_SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}
_AGE = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*\+?(?:\s*(?:y|years?))?", re.IGNORECASE)
_ISIC_ID = re.compile(r"ISIC_\d{7}(?!\d)", re.IGNORECASE)
_SUFFIX = re.compile(
    r"\.(jpe?g|jpe|jfif|png|tiff?|webp|bmp|hei[cf]s?|hif|avifs?|jxl|dcm|dicom)$", re.IGNORECASE
)


def extract_isic_id(name: str) -> str | None:
    """Return the ISIC id in a file name, or None. It has seven digits, no more.

    Example:
        >>> extract_isic_id("isic_0025509(1).jpg"), extract_isic_id("ISIC_00255091.jpg")
        ('ISIC_0025509', None)
    """
    match = _ISIC_ID.search(name)
    return match.group().upper() if match else None


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
    bare = normalise_path(name).rpartition("/")[2]
    return extract_isic_id(bare) or _SUFFIX.sub("", bare)


def normalise_path(name: str) -> str:
    r"""Return a path in a table with "/" between its folders, in composed Unicode.

    Example:
        >>> normalise_path("images\\mole 1.JPG")
        'images/mole 1.JPG'
    """
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")


def strip_image_suffix(name: str) -> str:
    """Return a file name or path without the suffix of an image."""
    return _SUFFIX.sub("", name)


def parse_skin_type(text: str) -> str | None:
    """Return a Fitzpatrick skin type, "I" to "VI", or None for anything else.

    A range such as "I-II" is no type: nothing says which of the two it is.

    Example:
        >>> [parse_skin_type(text) for text in ("2.0", "type iv", "I-II", "7")]
        ['II', 'IV', None, None]
    """
    bare = re.sub(r"^(fitzpatrick|fst|skin|type|\s)+|\.0+$", "", text.strip().casefold())
    return _SKIN_TYPES.get(bare)


def has_facts(table: TableFile) -> bool:
    """Return whether a table names images and says something about them."""
    columns = {column for names in _SYNONYMS.values() for column in names}
    return bool(table.columns.intersection(IMAGE_COLUMNS) and table.columns & columns)


def read_rows(table: TableFile, table_format: TableFormat | None = None) -> pd.DataFrame:
    """Read the labels and facts of images, or of lesions, from a table.

    Args:
        table: The table.
        table_format: Its format. None reads the facts only.

    Returns:
        One row per image, each once, with the index 0…N-1: `image` as the table writes it (for a
        table of lesions, the lesion), `name` (the label as written, missing without a format) and
        `FACT_COLUMNS`: age in years, sex "female" or "male", confirmation (Confirmation),
        fitzpatrick "I" to "VI", not_understood (values that mean no confirmation or skin type),
        the others text. Unknown values are missing.

    Raises:
        DatasetError: The table cannot be read, contradicts itself, or does not mark one class.
    """
    images = _list_image_columns(table_format)
    labels = table_format.labels.find_columns(table) if table_format else ()
    needed = {column for names in _SYNONYMS.values() for column in names}
    cells = table.read(needed.union(labels, (column for names, _ in images for column in names)))
    rows = pd.DataFrame(
        {name: _read_first(cells, names) for name, names in _SYNONYMS.items()}, cells.index
    )
    rows["confirmation"] = _read_confirmations(cells)
    rows = _read_values(rows)
    rows["name"] = table_format.labels.read(cells, table) if table_format else None
    if table_format:
        rows["licence"] = _complete_licences(rows, table_format)
        rows["image_type"] = rows["image_type"].fillna(table_format.image_type)
        rows["confirmation"] = rows["confirmation"].fillna(table_format.confirmation)
    parts = [
        rows.assign(image=_read_first(cells, names), image_type=image_type or rows["image_type"])
        for names, image_type in images
    ]
    parts = [part[part["image"].notna()] for part in parts] if len(parts) > 1 else parts
    rows = pd.concat(parts, ignore_index=True)
    _check_images(rows, table)
    if table_format and isinstance(table_format.labels, Marks):
        _check_marks(rows, table, labels)
    return _drop_repeated_rows(rows, table)


def _complete_licences(rows: pd.DataFrame, table_format: TableFormat) -> pd.Series:
    if table_format.licence is None:
        return rows["licence"]
    prefix, licence = table_format.licence
    is_published = rows["lesion_id"].astype(str).str.startswith(prefix)
    return rows["licence"].mask(rows["licence"].isna() & is_published, licence)


def _list_image_columns(
    table_format: TableFormat | None,
) -> list[tuple[tuple[str, ...], str | None]]:
    """Return groups of columns that name an image, each with the type of these images."""
    if table_format and table_format.by_lesion:
        return [(("lesion_id",), None)]
    if table_format and table_format.images:
        return [((column,), image_type) for column, image_type in table_format.images]
    return [(IMAGE_COLUMNS, None)]


def _read_first(cells: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Return the first known value among some columns."""
    value = pd.Series(None, cells.index, dtype=object)
    for name in names:
        if name in cells:
            value = value.fillna(cells[name])
    return value.mask(value.map(lambda text: str(text).casefold() in _UNKNOWN), None)


def _read_confirmations(cells: pd.DataFrame) -> pd.Series:
    """Return how a table writes that a diagnosis was confirmed."""
    columns = [name for name in _SYNONYMS["confirmation"] if name in cells]
    written = cells[columns].copy()
    for name, meanings in _BIOPSIES.items():
        if name in written:
            written[name] = written[name].map(
                lambda text, words=meanings: words.get(str(text).casefold(), text)
            )
    if "histological_diagnosis" in written:  # of PH2, where a pathologist saw the lesion
        is_known = written["histological_diagnosis"].notna()
        written["histological_diagnosis"] = is_known.map({True: "histopathology", False: None})
    return _read_first(written, tuple(columns))


def _parse_texts(
    texts: pd.Series, parse: Callable[[str], str | None]
) -> tuple[pd.Series, pd.Series]:
    """Return the meaning of each text, and the texts without one."""
    values = texts.map({text: parse(text) for text in texts.dropna().unique()}).astype(object)
    values = values.where(values.notna(), None)
    return values, texts.where(values.isna() & texts.notna(), None)


def _read_values(rows: pd.DataFrame) -> pd.DataFrame:
    def lower(column: str) -> pd.Series:
        return rows[column].map(lambda text: text.lower() if isinstance(text, str) else None)

    ages = rows["age"].map(lambda text: _AGE.fullmatch(text) if isinstance(text, str) else None)
    ids = {
        column: pd.Series(clean_ids(rows[column]), rows.index, dtype=object)
        for column in ID_COLUMNS
    }
    skin_types = rows["fitzpatrick"].mask(rows["fitzpatrick"] == _NO_SKIN_TYPE, None)
    confirmations, unknown_confirmations = _parse_texts(rows["confirmation"], parse_confirmation)
    skin_types, unknown_types = _parse_texts(skin_types, parse_skin_type)
    not_understood = [
        "; ".join(
            f'{name} "{text}"'
            for name, text in zip(("confirmation", "skin type"), texts, strict=True)
            if isinstance(text, str)
        )
        or None
        for texts in zip(unknown_confirmations, unknown_types, strict=True)
    ]
    return rows.assign(
        **ids,
        confirmation=confirmations,
        fitzpatrick=skin_types,
        not_understood=pd.Series(not_understood, rows.index, dtype=object),
        age=ages.map(lambda age: float(age[1].replace(",", ".")) if age else np.nan).astype(float),
        sex=lower("sex").map(_SEXES).astype(object),
        site=lower("site").astype(object),
        subset=rows["subset"]
        .map(lambda text: parse_subset(text) if isinstance(text, str) else None)
        .astype(object),
    )


def _check_images(rows: pd.DataFrame, table: TableFile) -> None:
    without = np.flatnonzero(rows["image"].isna())
    if len(without):
        raise DatasetError(
            f"Found {len(without)} rows without an image id in {table.path} (the first is row "
            f"{without[0] + 1}). Every row needs one. Add the ids, or delete the rows."
        )


def _check_marks(rows: pd.DataFrame, table: TableFile, labels: tuple[str, ...]) -> None:
    wrong = rows["image"][rows["name"].isna()]
    if len(wrong):
        classes = ", ".join(table.header[name] for name in labels)
        raise DatasetError(
            f"Found {len(wrong)} rows in {table.path} that do not mark exactly one class (the "
            f"first is {wrong.iloc[0]}). The classes are {classes}, of {table.describe()}. "
            "Restore the table from its source."
        )


def _drop_repeated_rows(rows: pd.DataFrame, table: TableFile) -> pd.DataFrame:
    """Drop rows that repeat another one, and raise an error for those that contradict it."""
    keys = rows["image"].map(
        lambda image: extract_isic_id(image) or strip_image_suffix(normalise_path(image))
    )
    is_repeated = rows.drop(columns="image").assign(key=keys).duplicated().to_numpy()
    rows, keys = rows[~is_repeated], keys[~is_repeated]
    contradicting = keys[keys.duplicated()].unique()
    if len(contradicting):
        raise DatasetError(
            f"Found {len(contradicting)} images with contradicting rows in {table.path} (the first "
            f"is {contradicting[0]}). Each image needs one row. Keep the correct one."
        )
    return rows.reset_index(drop=True)

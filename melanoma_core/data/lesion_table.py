"""Read which photographs show the same lesion from a table, and match its rows with files."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.data.identities import is_placeholder
from melanoma_core.data.matching import match_files
from melanoma_core.data.table_files import decode_text, find_separator
from melanoma_core.data.table_formats import IMAGE_COLUMNS
from melanoma_core.errors import DatasetError
from melanoma_core.spreadsheets import restore

_GERMAN_IMAGES = ("dateiname", "datei", "bild_id", "bild", "foto")
_IMAGES = (*IMAGE_COLUMNS, "photograph", "file", "path", "name", *_GERMAN_IMAGES)
_LESIONS = ("lesion_id", "lesion", "case_num", "läsion_id", "läsions_id", "läsion", "laesion")
_SHOWN = 5  # names in a message
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([,;|\t])"?[,;|\t]*\r?\n', re.IGNORECASE)  # of Excel
_BINARY_KINDS = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"\xff\xd8\xff": "a JPEG photograph",
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
}


@dataclass(frozen=True)
class LesionMatch:
    """The lesions of photographs, as a table gives them.

    Attributes:
        lesions: Lesion id of each photograph; None for one without a row.
        unmatched: Images of the table that are none of the photographs.
    """

    lesions: tuple[str | None, ...]
    unmatched: tuple[str, ...]


def read_lesion_table(content: bytes, name: str) -> dict[str, str]:
    r"""Read the lesion of each photograph from a table.

    Args:
        content: The table as a file: CSV, or with semicolons or tabs; UTF-8, UTF-16 or Excel's.
            Excel's first line `sep=;` is no row. Column names may be German.
        name: Name of the table, for messages.

    Returns:
        Lesion id by image, as the table writes them. Rows without a lesion id are left out.

    Raises:
        DatasetError: It is no table, lacks a column, has no row, or gives an image two lesions.

    Example:
        >>> read_lesion_table(b"image,lesion_id\na.jpg,left arm\nb.jpg,left arm\n", "t.csv")
        {'a.jpg': 'left arm', 'b.jpg': 'left arm'}
    """
    header, *rows = _read_cells(content, name)
    image_column, lesion_column = _find_columns(header, name)
    lesions: dict[str, str] = {}
    for row in rows:
        padded = [restore(cell.strip()) for cell in row] + [""] * len(header)
        image, lesion = padded[image_column], padded[lesion_column]
        if not image or is_placeholder(lesion):
            continue
        if lesions.setdefault(image, lesion) != lesion:
            raise DatasetError(
                f"Found two lesions of {image} in {name}: {lesions[image]} and {lesion}. A "
                "photograph belongs to one lesion. Correct the table."
            )
    if not lesions:
        raise DatasetError(
            f"Found no row with an image and a lesion id in {name}. Fill in the columns "
            f"{header[image_column]} and {header[lesion_column]}."
        )
    return lesions


def match_lesions(lesions: Mapping[str, str], paths: Sequence[Path], name: str) -> LesionMatch:
    """Match the rows of a table of lesions with photographs by their names.

    Names are compared with or without folder and suffix.

    Args:
        lesions: From `read_lesion_table`.
        paths: The photographs.
        name: Name of the table, for messages.

    Raises:
        DatasetError: No row is about a photograph, or several rows or photographs have one name.

    Example:
        >>> match_lesions({"b": "left arm"}, [Path("a.jpg"), Path("b.jpg")], "t.csv")
        LesionMatch(lesions=(None, 'left arm'), unmatched=())
    """
    images, files = list(lesions), list(dict.fromkeys(paths))
    match = match_files(images, files)
    if match.ambiguous:
        raise DatasetError(
            f"The table {name} does not say which of these photographs it means: "
            f"{list_names([str(files[each]) for each in match.ambiguous])}. Write their folders "
            "into the table, or rename them."
        )
    row_of = dict(zip(files, match.rows, strict=True))
    used = {row for row in match.rows if row is not None}
    if not used:
        raise DatasetError(
            f"No row of {name} is about one of the photographs. The table names "
            f"{list_names(images)}; the photographs are "
            f"{list_names([path.name for path in files])}. Correct the table, or choose another."
        )
    repeated = set(range(len(images))) - used - set(match.missing)
    if repeated:
        raise DatasetError(
            f"Several rows of {name} are about the same photograph, among them "
            f"{list_names([images[row] for row in sorted(repeated)])}. Keep one row of each."
        )
    found = [None if (row := row_of[path]) is None else lesions[images[row]] for path in paths]
    return LesionMatch(tuple(found), tuple(images[row] for row in match.missing))


def list_names(names: Sequence[str]) -> str:
    """Return the first names for a message, and how many there are besides.

    >>> list_names(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _read_cells(content: bytes, name: str) -> list[list[str]]:
    """Return the rows that are not empty; at least the header."""
    kinds = [kind for start, kind in _BINARY_KINDS.items() if content.startswith(start)]
    try:
        text = _decode(content)
        if kinds or "\0" in text:
            raise ValueError(f"it is {kinds[0] if kinds else 'a binary file'}, not a text")
        named = _SEPARATOR_LINE.match(text)
        text = text[named.end() :] if named else text
        separator = named.group(1) if named else find_separator(text)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        cells = [row for row in rows if any(cell.strip() for cell in row)]
    except (ValueError, csv.Error) as error:
        raise DatasetError(
            f"Cannot read the table {name}: {error}. Save the table as CSV in UTF-8."
        ) from error
    if not cells:
        raise DatasetError(f"The table {name} is empty. It needs a header and a row per image.")
    return cells


def _decode(content: bytes) -> str:
    """Return the text of a table, also in the code page of Windows with other line ends.

    Raises:
        ValueError: The file is not text.
    """
    text = decode_text(content)
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8
        return content.decode("cp1252", "replace")
    return text


def _find_columns(header: Sequence[str], name: str) -> tuple[int, int]:
    """Return the positions of the columns of images and of lesion ids."""
    keys = [re.sub(r"[^\w]+", "_", cell.strip().lower()).strip("_") for cell in header]
    found = [
        next((keys.index(each) for each in known if each in keys), None)
        for known in (_IMAGES, _LESIONS)
    ]
    image, lesion = found
    if image is None or lesion is None:
        raise DatasetError(
            f"Found the columns {list_names([cell.strip() for cell in header])} in {name}. A table "
            "of lesions needs a column of file names or image ids, such as image_id, and a column "
            "lesion_id. Rename the columns."
        )
    return image, lesion

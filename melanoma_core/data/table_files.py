"""Read the cells of a table file, whatever program wrote it.

Commas, semicolons, tabs or bars separate the cells; PH2 uses double bars. The text is UTF-8, UTF-16
or that of Excel on Windows. Column names are compared in lower case with underscores.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.spreadsheets import restore

_HEAD_BYTES = 2**16
_SEPARATORS = ",;\t|"
_DOUBLE_BAR = "||"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "#N/A"})
_ISIC_ID = re.compile(r"ISIC_\d{7}(\.\w+)?", re.IGNORECASE)


@dataclass(frozen=True)
class TableFile:
    """A table whose header has been read.

    Attributes:
        path: The file.
        header: The column names as written, by the names under which they are compared.
        separator: What separates its cells.
        has_header: Whether its first line names the columns. ISIC 2016 has no such line.
    """

    path: Path
    header: dict[str, str]
    separator: str
    has_header: bool = True

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns, in lower case with underscores."""
        return frozenset(self.header)

    def describe(self) -> str:
        """Return the file name and the columns as written, for messages."""
        names = list(self.header.values())
        more = f", and {len(names) - 10} more" if len(names) > 10 else ""
        return f"{self.path.name} ({', '.join(names[:10])}{more})"

    def read(self, columns: Collection[str], limit: int | None = None) -> pd.DataFrame:
        """Read the cells of some columns, without empty lines.

        Args:
            columns: Names of columns. Those that the table lacks are omitted.
            limit: Number of rows to read; None for all.

        Returns:
            Text without surrounding spaces, missing for an empty cell.

        Raises:
            DatasetError: The file cannot be read.
        """
        wanted = [name for name in self.header if name in columns]
        positions = [list(self.header).index(name) for name in wanted]
        rows = [
            [cells[position] for position in positions] for cells in islice(_read_rows(self), limit)
        ]
        table = pd.DataFrame(rows, columns=pd.Index(wanted, dtype=object), dtype=object)
        return table.where(table.notna(), None)


def open_table(path: Path) -> TableFile | None:
    """Read the header of a file, or return None if it is not a readable table.

    A text without separators, such as a licence, is not a table.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        text = decode_text(head.rsplit(b"\n", 1)[0] if len(head) == _HEAD_BYTES else head)
    except (OSError, ValueError):
        return None
    line = next((line for line in text.splitlines() if line.strip()), "")
    separator = _find_separator(line)
    names = [name.strip() for name in next(csv.reader([line], delimiter=separator[0]), [])]
    if separator == _DOUBLE_BAR:
        names = _split_bars(line)
    if len(names) < 2 or "\0" in line:
        return None
    if _ISIC_ID.fullmatch(names[0]):
        return TableFile(path, {"image_id": "image_id", "diagnosis": "diagnosis"}, separator, False)
    header: dict[str, str] = {}
    for name in names:
        key = original = re.sub(r"[^\w]+", "_", name.strip().lower()).strip("_")
        number = 2
        while key in header:
            key, number = f"{original}_{number}", number + 1
        header[key] = name
    return TableFile(path, header, separator)


def read_text(path: Path) -> str:
    """Read a text file in the encoding in which it was written.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not text.
    """
    return decode_text(path.read_bytes())


def find_separator(text: str) -> str:
    """Return the separator of the cells in a table, from its first line."""
    return _find_separator(text.lstrip().partition("\n")[0])[0]


def decode_text(data: bytes) -> str:
    """Return the text of a file in the encoding in which it was written.

    Raises:
        ValueError: The file is not text.
    """
    if data.startswith(_UTF_16):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel writes the code page of Windows, with its line ends. On other systems a table can
        # hold file names that are not valid UTF-8.
        if b"\r\n" in data:
            return data.decode("cp1252", "replace")
        return data.decode("utf-8", "surrogateescape")


def _find_separator(line: str) -> str:
    if line.lstrip().startswith(_DOUBLE_BAR):
        return _DOUBLE_BAR
    counts = {each: len(next(csv.reader([line], delimiter=each), [])) for each in _SEPARATORS}
    return max(counts, key=lambda each: counts[each])


def _split_bars(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(_DOUBLE_BAR)]


def _read_rows(table: TableFile) -> Iterator[list[str | None]]:
    """Yield the cells of each line that is not empty, as many as the header has."""
    width = len(table.header)
    for number, cells in enumerate(_split_lines(table), start=1):
        found = [None if cell.strip() in _MISSING else restore(cell.strip()) for cell in cells]
        if any(cell is not None for cell in found[width:]):
            raise DatasetError(
                f"Cannot read the table {table.path}: found {len(found)} cells in row {number}, "
                f"and {width} columns. A cell that contains the separator needs quotes. Correct "
                "the row, or restore the table from its source."
            )
        if any(cell is not None for cell in found):
            yield found[:width] + [None] * (width - len(found))


def _split_lines(table: TableFile) -> Iterator[list[str]]:
    """Yield the cells of each line below the header."""
    try:
        text = read_text(table.path)
        if table.separator == _DOUBLE_BAR:  # followed by a legend, which is no table
            lines = (line for line in text.splitlines() if line.startswith(_DOUBLE_BAR))
            rows: Iterator[list[str]] = map(_split_bars, lines)
        else:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=table.separator)
        named = (row for row in rows if any(cell.strip() for cell in row))
        yield from islice(named, int(table.has_header), None)
    except OSError as error:
        raise DatasetError(
            f"Cannot read the table {table.path} ({error.strerror}). Check its permissions."
        ) from error
    except (ValueError, csv.Error) as error:
        raise DatasetError(
            f"Cannot read the table {table.path}: {error}. Restore it from its source."
        ) from error

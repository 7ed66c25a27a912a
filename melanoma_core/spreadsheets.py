"""Write tables as CSV that no spreadsheet executes, and read the same values back.

A spreadsheet takes a cell that begins with =, + or @ for a formula, which can send the table to
another server (CSV injection). An apostrophe before it makes the cell a text. pandas is imported
for its types alone, because a reading must not import it.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# An apostrophe of the text's own is counted, so that every text can be restored. A sign alone is no
# formula. Spreadsheets take the wide forms of the signs as the plain ones.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠].", re.DOTALL)


def defuse(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula; numbers stay as they are.

    >>> defuse("=1+1"), defuse("a=1"), defuse("-0.5")
    ("'=1+1", 'a=1', '-0.5')
    """
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def restore(cell: str) -> str:
    """Return the text that `defuse` turned into this cell.

    >>> restore(defuse("=1+1")), restore("it's")
    ('=1+1', "it's")
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def format_table(table: "pd.DataFrame", float_format: str | None = None) -> bytes:
    """Return a table as CSV.

    Args:
        table: A named index becomes the first column, any other is left out.
        float_format: Of the numbers; by default, each float is written exactly.

    Returns:
        UTF-8 with a line feed after each row. File names that are not UTF-8 keep their bytes.
    """
    whole = table if table.index.name is None else table.reset_index()
    text = _map_texts(whole, defuse).to_csv(
        index=False, float_format=float_format, lineterminator="\n"
    )
    return text.encode("utf-8", "surrogateescape")


def restore_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table that was given to `format_table`, from what pandas read of it."""
    return _map_texts(table, restore)


def format_rows(rows: Sequence[Mapping[str, str | float]]) -> bytes:
    """Return rows as CSV for a spreadsheet: UTF-8 with a byte order mark, which Excel needs.

    Args:
        rows: Values by column. A column that some rows lack is empty there.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    lines: list[list[str | float]] = [[*columns]]
    lines += [[row.get(name, "") for name in columns] for row in rows]
    for cells in lines:
        writer.writerow([_map_text(cell, defuse) for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _map_texts(table: "pd.DataFrame", change: Callable[[str], str]) -> "pd.DataFrame":
    """Change the texts in the cells and in the names of the columns."""
    mapped = table.set_axis(range(table.shape[1]), axis=1)
    for position, kind in enumerate(table.dtypes):
        if kind.kind in "biufcM":  # numbers and times
            continue
        column = mapped[position]
        cells = [_map_text(cell, change) for cell in column]
        if any(new is not old for new, old in zip(cells, column, strict=True)):
            # The string type of pandas rejects file names that are not valid UTF-8.
            mapped[position] = type(column)(cells, column.index, dtype=object)
    return mapped.set_axis([_map_text(name, change) for name in table.columns], axis=1)


def _map_text(value: object, change: Callable[[str], str]) -> object:
    return change(value) if isinstance(value, str) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

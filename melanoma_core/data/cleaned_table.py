"""Write and read the cleaned table: the decision on each file of a dataset, as CSV."""

import io
import os
from pathlib import Path

import pandas as pd

from melanoma_core.data.cleaning import DECISION_COLUMNS, Action, map_paths
from melanoma_core.data.table_files import find_separator, read_text
from melanoma_core.errors import DatasetError
from melanoma_core.spreadsheets import format_table, restore_table
from melanoma_core.taxonomy import Diagnosis, RiskTier

_OPTIONAL = "confirmation"  # tables of older versions lack it


def write_decisions(decisions: pd.DataFrame, folder: Path, file: Path) -> None:
    """Write decisions to a CSV file: the cleaned table.

    Args:
        decisions: Decisions on the files of the folder.
        folder: Folder of the dataset. Paths are written relative to it, so that both can be moved.
        file: The CSV file to write.
    """
    table = decisions.copy()
    folder = Path(os.path.realpath(folder))
    for column in ("path", "copy_of"):
        table[column] = map_paths(
            table[column], lambda path: Path(path).relative_to(folder).as_posix()
        )
    file.write_bytes(format_table(table))


def read_decisions(file: Path, folder: Path) -> pd.DataFrame:
    """Read a cleaned table.

    Args:
        file: A CSV file written by `write_decisions`, possibly edited.
        folder: Folder of the dataset that the paths are relative to.

    Returns:
        The decisions, with absolute paths.

    Raises:
        DatasetError: The file cannot be read, lacks a column, repeats a path, or has an invalid
            action or label.
    """
    try:
        text = read_text(file)  # a spreadsheet may have saved it in its own way
        table = restore_table(
            pd.read_csv(
                io.BytesIO(text.encode("utf-8", "surrogateescape")),
                sep=find_separator(text),
                dtype=object,
                keep_default_na=False,  # a folder can have the name "NA"
                na_values=[""],
                encoding_errors="surrogateescape",
            )
        )
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"Cannot read the cleaned table {file}: {error}. Create it again with an audit."
        ) from error
    _check_table(table, file)
    folder = Path(os.path.realpath(folder))
    for column in ("path", "copy_of"):
        table[column] = map_paths(table[column], lambda path: str(folder / path))
    table = table.reindex(columns=list(DECISION_COLUMNS)).astype(object)
    return table.where(table.notna(), None)


def _check_table(table: pd.DataFrame, file: Path) -> None:
    missing = [name for name in DECISION_COLUMNS if name not in table and name != _OPTIONAL]
    if missing:
        raise DatasetError(
            f"Found no column {', '.join(missing)} in {file}. A cleaned table has the columns "
            f"{', '.join(DECISION_COLUMNS)}. Create it again with an audit."
        )
    has_tier = table["action"] == Action.TIER
    has_diagnosis = table["action"].isin([Action.KEEP, Action.RELABEL])
    for wrong, problem in (
        (table["path"].isna() | table["path"].duplicated(), "have no path or repeat one"),
        (~table["action"].isin(list(Action)), f"have no valid action ({', '.join(Action)})"),
        (
            has_diagnosis & ~table["label_used"].isin(list(Diagnosis)),
            f"are used without a valid label ({', '.join(Diagnosis)})",
        ),
        (
            has_tier & ~table["label_used"].isin(list(RiskTier)),
            f"are used without a risk tier ({', '.join(RiskTier)})",
        ),
    ):
        if wrong.any():
            raise DatasetError(
                f"Found {wrong.sum()} rows in {file} that {problem} (the first is row "
                f"{int(wrong.to_numpy().argmax()) + 1}). Correct them, or create the table again "
                "with an audit."
            )

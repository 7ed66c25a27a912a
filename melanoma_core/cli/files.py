"""What the dataset commands share: how they open a folder, and how they print a table."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import make_counter
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split


def open_files(folder: Path) -> "OpenedFolder":
    """Scan a folder, or remember it.

    Raises:
        DatasetError: Nothing was recognised, a table is wrong, or there is no file.
    """
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.opening import open_folder

    cache = FactCache(load_settings().cache_dir)
    return open_folder(folder, cache, make_counter("Scanning photographs"))


def open_cleaned(folder: Path, table: Path | None) -> "Dataset":
    """Read the photographs that are used: as the rules decide, or as a cleaned table says.

    What the collections beside the folder know of its photographs counts too.

    Args:
        folder: A collection, or a folder of collections.
        table: What `dataset audit --out` wrote, or a person made of it; or None.

    Raises:
        DatasetError: One of the two cannot be read, or they do not fit each other.
    """
    from melanoma_core.data.cleaning import apply_decisions, read_decisions
    from melanoma_core.data.dataset import COLUMNS, Dataset, merge_records

    # Read before the scan, which takes longer.
    decisions = None if table is None else read_decisions(table, real_path(folder))
    records = open_files(folder).records
    if decisions is None:
        return merge_records(records)
    images = apply_decisions(records, decisions)
    return Dataset(images.reindex(columns=list(COLUMNS)), decisions)


def real_path(path: Path) -> Path:
    """Follow all links; unlike Path.resolve, also where a link leads to itself."""
    return Path(os.path.realpath(path))


def draw_split(options: argparse.Namespace) -> "Split":
    """Draw the subsets of a folder's images with `--table` and `--seed`."""
    from melanoma_core.data.splitting import split_dataset

    return split_dataset(open_cleaned(options.folder, options.table).table, options.seed)


def print_table(rows: dict[str, Any]) -> None:
    """Print one line per class, by the name that a clinician uses."""
    import pandas as pd

    from melanoma_core.taxonomy import Diagnosis

    if rows:
        table = pd.DataFrame.from_dict(rows, orient="index")
        print(table.rename(index=lambda code: Diagnosis(code).title).to_string())

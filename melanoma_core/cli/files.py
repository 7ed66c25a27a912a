"""What several commands share: opening a folder, choosing a model or images, printing a table."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import log, make_counter
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.assessment.selection import Selection
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split
    from melanoma_core.models.registry import Serving


def choose_model(model_id: str | None) -> "Serving":
    """Return the model of the option `--model`, and log if it is not the deployed one.

    Raises:
        ModelError: The named model does not exist.
    """
    from melanoma_core.models.registry import find_serving

    serving = find_serving(load_settings(), model_id)
    if serving.notice:
        log(serving.notice)
    return serving


def open_files(folder: Path) -> "OpenedFolder":
    """Scan a folder, with the cache and a counter.

    Raises:
        DatasetError: The layout is unknown, a table is wrong, or the folder has no image files.
    """
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.opening import open_folder

    cache = FactCache(load_settings().cache_dir)
    return open_folder(folder, cache, make_counter("Scanning images"))


def select_unseen(data: Path, model: Path) -> "Selection":
    """Select the labelled images of a folder that a model has not seen in training.

    Args:
        data: The folder.
        model: Folder of the model.

    Raises:
        DatasetError: There are none.
    """
    from dataclasses import replace

    from melanoma_core.assessment.selection import ALL, find_unseen, select_photographs
    from melanoma_core.models.identifiers import find_key
    from melanoma_core.models.lineage import read_split

    key = find_key(load_settings())
    selection = select_photographs(open_files(data), ALL, read_split(model), key=key)
    if selection.unchecked:
        log(selection.unchecked)
    if not selection.is_lineage_known:
        log("This model does not record what it was trained on. It may have seen these images.")
    return replace(selection, table=selection.table[find_unseen(selection)])


def parse_limit(text: str) -> int:
    """Return the number of the option `--limit`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'found "{text}"; it must be a whole number of at least 1')
    return int(text)


def open_cleaned(folder: Path, table: Path | None) -> "Dataset":
    """Return the images of a folder after cleaning, with the facts of companion collections.

    Args:
        folder: A collection, or a folder of collections.
        table: A cleaned table (`dataset audit --out`), possibly edited; None to clean by the
            rules.

    Raises:
        DatasetError: The folder or the table cannot be read, or they do not match.
    """
    from melanoma_core.data.cleaned_table import read_decisions
    from melanoma_core.data.dataset import merge_records

    # Before the scan, which takes longer.
    decisions = None if table is None else read_decisions(table, real_path(folder))
    records = open_files(folder).records
    return merge_records(records, decisions)


def real_path(path: Path) -> Path:
    """Return a path without links. Unlike Path.resolve, it accepts a link to itself."""
    return Path(os.path.realpath(path))


def draw_split(options: argparse.Namespace) -> "Split":
    """Split the images of a folder by the options `--table` and `--seed`."""
    from melanoma_core.data.splitting import split_dataset

    return split_dataset(open_cleaned(options.folder, options.table).main, options.seed)


def print_table(rows: dict[str, Any]) -> None:
    """Print one line per class, with the full name of the diagnosis."""
    import pandas as pd

    from melanoma_core.taxonomy import read_label, title_label

    if rows:
        table = pd.DataFrame.from_dict(rows, orient="index")
        print(table.rename(index=lambda code: title_label(read_label(code))).to_string())

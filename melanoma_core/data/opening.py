"""A folder to everything that a page shows of it: files, measured, compared and told apart."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.companions import Companions, read_companions
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import load_records
from melanoma_core.data.scanning import Progress

_CONTENT = ("image_id", "name", "label", "subset", "lesion_id", "sha256", "truth")


@dataclass(frozen=True, eq=False)
class OpenedFolder:
    """A folder as it was when it was scanned; never changed afterwards.

    Attributes:
        folder: Its real path.
        records: The file table with `cluster`, and what companions tell (`dataset.load_records`).
        companions: What the collections beside it know.
        key: Hexadecimal; equal where folder and content are, so that results can be kept by it.
    """

    folder: Path
    records: pd.DataFrame
    companions: Companions
    key: str


def open_folder(folder: Path, cache: FactCache, progress: Progress | None = None) -> OpenedFolder:
    """Scan a folder, find copies, and ask the collections beside it.

    Args:
        folder: A collection, or a folder of collections.
        cache: What was measured before.
        progress: As for `dataset.load_records`.

    Raises:
        DatasetError: Nothing was recognised, a table is wrong, or there is no file.
    """
    folder = Path(os.path.realpath(folder))  # Path.resolve raises where a link leads to itself
    measured = load_records(folder, cache, progress)
    companions = read_companions(folder)
    records = companions.tell(measured.assign(cluster=find_clusters(measured)))
    return OpenedFolder(folder, records, companions, _digest(folder, records))


def _digest(folder: Path, records: pd.DataFrame) -> str:
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape"))
    for column in ("path", *_CONTENT):
        # File names that are no UTF-8 are kept as surrogates.
        text = "\0".join(map(str, records[column]))
        digest.update(text.encode("utf-8", "surrogateescape") + b"\0\0")
    return digest.hexdigest()

"""A folder to everything that a page shows of it: files, measured, compared and told apart."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import load_records
from melanoma_core.data.layouts import (
    Collection,
    Layout,
    find_collections,
    read_ground_truth,
    read_records,
)
from melanoma_core.errors import DatasetError
from melanoma_core.progress import Progress

_CONTENT = ("image_id", "name", "label", "subset", "lesion_id", "sha256", "truth")


@dataclass(frozen=True, eq=False)
class Companions:
    """What is known of images, by image id.

    Attributes:
        known_lesions: Lesion ids.
        known_labels: Diagnosis of the ISIC 2019 ground truth.
        known_sources: Name of the collection that the photograph was published in.
    """

    known_lesions: dict[str, str]
    known_labels: dict[str, str]
    known_sources: dict[str, str]

    def tell(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the file table with `lesion_id` and `truth` filled in where they were missing."""
        ids = records["image_id"]
        told = {"lesion_id": self.known_lesions, "truth": self.known_labels}
        return records.assign(
            **{
                column: records.get(column, pd.Series(None, records.index, dtype=object))
                .astype(object)
                .fillna(ids.map(known).astype(object))
                for column, known in told.items()
            }
        )


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


def read_companions(folder: Path) -> Companions:
    """Read the tables of the collections that lie beside `folder`.

    A companion that cannot be read is left out: it is not what the person asked about.
    """
    lesions: dict[str, str] = {}
    labels: dict[str, str] = {}
    sources: dict[str, str] = {}
    for collection in _find_beside(folder.resolve()):
        try:
            is_truth = collection.layout is Layout.GROUND_TRUTH
            table = (
                read_ground_truth(collection)
                if is_truth
                else read_records(collection).drop_duplicates("image_id").set_index("image_id")
            )
        except DatasetError:
            continue
        lesions = _to_dict(table["lesion_id"]) | lesions
        if is_truth:
            labels = _to_dict(table["label"]) | labels
        else:
            sources = dict.fromkeys(table.index, collection.folder.name) | sources
    return Companions(lesions, labels, sources)


def _to_dict(known: pd.Series) -> dict[str, str]:
    return {str(image_id): str(value) for image_id, value in known.dropna().items()}


def _find_beside(folder: Path) -> list[Collection]:
    """Return the collections beside a folder, those with class folders alone left out.

    A name of a folder, into which somebody sorted copies, is no table that came with them.
    """
    try:
        beside = find_collections(folder.parent)
    except DatasetError:  # nothing but tables of labels, or nothing at all
        return []
    return [c for c in beside if c.folder != folder and c.layout is not Layout.CLASS_FOLDERS]

"""Open a folder: measure its files, find copies, and add what companion collections know."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.census import Census
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import add_truth, load_folder
from melanoma_core.data.fence import find_fence
from melanoma_core.data.identities import scope_ids
from melanoma_core.data.layouts import Collection, Layout, find_collections
from melanoma_core.data.records import read_ground_truth, read_records
from melanoma_core.data.tables import JOINED_FACTS
from melanoma_core.errors import DatasetError
from melanoma_core.progress import Progress

_CONTENT = (
    *("image_id", "name", "label", "subset", "lesion_id", "patient_id", "sha256", "truth"),
    *("confirmation", "fitzpatrick", "ita"),
)


@dataclass(frozen=True, eq=False)
class Companions:
    """What companion collections know about images, by image id.

    Attributes:
        known_lesions: Lesion ids.
        truth: `label` and `table` of the ISIC 2019 ground truth, with the index `image_id`.
        known_sources: Name of the collection in which the image was published.
        facts: `tables.JOINED_FACTS`, with the index `image_id`.
    """

    known_lesions: dict[str, str]
    truth: pd.DataFrame
    known_sources: dict[str, str]
    facts: pd.DataFrame


@dataclass(frozen=True, eq=False)
class OpenedFolder:
    """The state of a folder when it was scanned. It does not change afterwards.

    Attributes:
        folder: Its real path.
        records: The file table (`dataset.load_records`) with the column `cluster`
            (`copies.find_clusters`). Missing `lesion_id`, `truth` and facts of a person or
            diagnosis (`tables.JOINED_FACTS`) come from the companions.
        companions: What the companion collections know.
        census: What became of every file below the folder.
        key: Hexadecimal hash of path and content, the key for cached results.
    """

    folder: Path
    records: pd.DataFrame
    companions: Companions
    census: Census
    key: str


def open_folder(folder: Path, cache: FactCache, progress: Progress | None = None) -> OpenedFolder:
    """Scan a folder, find copies, and read its companion collections.

    Args:
        folder: A collection, or a folder of collections.
        cache: Cache of earlier measurements.
        progress: Progress callback, as for `dataset.load_records`.

    Returns:
        The opened folder.

    Raises:
        DatasetError: There is no known layout, no image file, or a table is invalid.
    """
    folder = Path(os.path.realpath(folder))  # Path.resolve raises an error for cyclic links
    records, census = load_folder(folder, cache, progress)
    records = records.assign(cluster=find_clusters(records))
    companions = _read_companions(folder)
    lesions = records["image_id"].map(companions.known_lesions).astype(object)
    records["lesion_id"] = records["lesion_id"].astype(object).fillna(lesions)
    for column in JOINED_FACTS:
        known = records["image_id"].map(companions.facts[column])
        records[column] = records[column].fillna(known.astype(records[column].dtype))
    records = add_truth(records, companions.truth)
    return OpenedFolder(folder, records, companions, census, _hash_content(folder, records))


def _hash_content(folder: Path, records: pd.DataFrame) -> str:
    # File names are not always valid UTF-8.
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape"))
    for column in ("path", *_CONTENT):
        text = "\0".join(map(str, records[column]))
        digest.update(text.encode("utf-8", "surrogateescape") + b"\0\0")
    return digest.hexdigest()


def _read_companions(folder: Path) -> Companions:
    """Read the tables of the companion collections, except for those that cannot be read."""
    lesions: dict[str, str] = {}
    truths = [pd.DataFrame({"label": [], "table": []}, dtype=object)]
    sources: dict[str, str] = {}
    facts = [pd.DataFrame(columns=list(JOINED_FACTS), dtype=object)]
    for collection in _find_companions(folder):
        is_truth = collection.layout is Layout.GROUND_TRUTH
        try:
            if is_truth:
                table = read_ground_truth(collection)
            else:
                table = read_records(collection).drop_duplicates("image_id").set_index("image_id")
        except DatasetError:
            continue
        table = scope_ids(table, collection.folder)
        lesions = _to_dict(table["lesion_id"]) | lesions
        facts.append(table[list(JOINED_FACTS)].astype(object))
        if is_truth:
            truths.append(table[["label", "table"]].dropna(subset="label"))
        else:
            sources = dict.fromkeys(table.index, collection.folder.name) | sources
    truth = pd.concat(truths)
    known = pd.concat([each.dropna(how="all") for each in facts]).groupby(level=0).first()
    return Companions(lesions, truth[~truth.index.duplicated()], sources, known)


def _to_dict(values: pd.Series) -> dict[str, str]:
    return {str(image_id): str(value) for image_id, value in values.dropna().items()}


def _find_companions(folder: Path) -> list[Collection]:
    """Return the collections in sibling folders that have a table.

    Class folders are excluded: their names are not metadata published with the images.
    """
    fence = find_fence()
    if fence is not None and not fence.holds(folder.parent):
        return []
    try:
        siblings = find_collections(folder.parent)
    except DatasetError:  # no collection with images
        return []
    return [c for c in siblings if c.folder != folder and c.layout is not Layout.CLASS_FOLDERS]

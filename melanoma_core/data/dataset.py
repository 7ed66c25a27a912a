"""A table with one row per image, merged from the collections under a folder."""

import hashlib
import os
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import apply_decisions, decide_files, read_decisions
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.facts import FileFacts
from melanoma_core.data.folders import IMAGE_SUFFIXES
from melanoma_core.data.layouts import Layout, find_collections, read_ground_truth, read_records
from melanoma_core.data.scanning import scan_files
from melanoma_core.errors import DatasetError
from melanoma_core.progress import Progress

COLUMNS = (
    "image_id",
    "path",
    "label",
    "subset",
    "lesion_id",
    "patient_id",
    "source",
    "sha256",
    "dhash",
    "cluster",
    "width",
    "height",
    "age",
    "sex",
    "site",
    "licence",
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Photographs that can be trained on and measured with.

    Attributes:
        table: One row per image, index 0…N-1, unknown is missing:
            image_id: unique; the ISIC id where the file name holds one.
            path: the file, absolute.
            label: Diagnosis code.
            subset: "train", "validation", "test" or "unassigned".
            lesion_id, patient_id: whatever the collection's tables say.
            source: name of the collection's folder.
            sha256, dhash: of the file and of the picture, hexadecimal (`scanning.FileFacts`).
            cluster: a number that copies and near copies share (`copies.find_clusters`).
            width, height: upright, in pixels.
            age: in years. sex: "female" or "male". site: place on the body.
            licence: of the photograph.
        decisions: What became of every file and why (`cleaning.DECISION_COLUMNS`).
    """

    table: pd.DataFrame
    decisions: pd.DataFrame

    @property
    def sha256(self) -> str:
        """Hash of which images it holds, under which labels, in which subsets."""
        return hash_table(self.table)


def hash_table(table: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) of a table's ids, files' hashes, labels and subsets, in id order."""
    rows = table.sort_values("image_id")[["image_id", "sha256", "label", "subset"]]
    text = rows.to_csv(index=False)  # file names need not be text
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def load_records(
    folder: Path, cache: FactCache | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Read and measure every photograph of every collection under `folder`.

    What one collection's table knows of an image, its files in all collections know.

    Args:
        folder: A collection, or a folder of collections.
        cache: What was measured before.
        progress: Called with the number of files scanned and their number in all; what it raises
            cancels the scan.

    Returns:
        One row per file, in the order in which their word counts, index 0…N-1:
        `layouts.RECORD_COLUMNS`; `scanning.FileFacts`; `truth`, the diagnosis that an ISIC 2019
        ground truth gives, where there is one.

    Raises:
        DatasetError: Nothing was recognised, a table is wrong, or there is no file.
    """
    collections = find_collections(Path(os.path.realpath(folder)))
    holding = [c for c in collections if c.layout is not Layout.GROUND_TRUTH]
    records = pd.concat([read_records(collection) for collection in holding], ignore_index=True)
    if records.empty:
        raise DatasetError(
            f"Found no file at all that could be a photograph in {folder} (laid out as "
            f"{', '.join(c.layout.title for c in holding)}). Add photographs "
            f"({', '.join(sorted(IMAGE_SUFFIXES))})."
        )
    facts = scan_files(list(records["path"]), cache, progress)
    for field in fields(FileFacts):
        records[field.name] = [getattr(fact, field.name) for fact in facts]
    records["truth"] = pd.Series(None, records.index, dtype=object)
    for collection in collections:
        if collection.layout is Layout.GROUND_TRUTH:
            records = _with_ground_truth(records, read_ground_truth(collection))
    of_image = records.groupby("image_id")
    for column in ("lesion_id", "patient_id", "age", "sex", "site"):
        records[column] = records[column].fillna(of_image[column].transform("first"))
    return records


def load_dataset(
    folder: Path, progress: Progress | None = None, table: Path | None = None
) -> Dataset:
    """Read every collection under `folder` and merge them by image id.

    An image that several collections hold is taken once. Who is right where they disagree, and
    which file is used, `cleaning` says.

    Args:
        folder: A collection, or a folder of collections.
        progress: Called with the number of files scanned and their number in all.
        table: A cleaned table (`cleaning.write_decisions`); by default its rules decide.

    Returns:
        The dataset; its subsets are those that the folders say.

    Raises:
        DatasetError: Nothing was recognised, no image is left, or the cleaned table is not of
            these files.
    """
    records = load_records(folder, progress=progress)
    decisions = read_decisions(table, folder) if table else None
    dataset = merge_records(records.assign(cluster=find_clusters(records)), decisions)
    if dataset.table.empty:
        raise DatasetError(
            f"Found no image in {folder} that can be read and has one of the eight diagnoses: "
            f"{_count_reasons(dataset.decisions)}. Add photographs, or name their folders by "
            "diagnosis."
        )
    return dataset


def merge_records(records: pd.DataFrame, decisions: pd.DataFrame | None = None) -> Dataset:
    """Turn one row per file into one row per image.

    Args:
        records: The file table, with `cluster` (`copies.find_clusters`).
        decisions: What becomes of every file; by default what `cleaning.decide_files` says.

    Returns:
        The dataset with its decisions.

    Raises:
        DatasetError: The decisions are not those of these files.
    """
    decisions = decide_files(records) if decisions is None else decisions
    table = apply_decisions(records, decisions)
    return Dataset(table.reindex(columns=list(COLUMNS)), decisions)


def _count_reasons(decisions: pd.DataFrame) -> str:
    counts = decisions["reason"].value_counts()
    return ", ".join(f"{count} × {reason}" for reason, count in counts.items())


def _with_ground_truth(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add what a ground truth knows: the label as `truth`, the rest where it is unknown."""
    ids = records["image_id"]
    filled = {
        column: records[column].fillna(ids.map(truth[column]))
        for column in ("lesion_id", "age", "sex", "site")
    }
    known = records["truth"].fillna(ids.map(truth["label"]))
    return records.assign(truth=known, **filled)

"""Build a dataset with one row per image from the collections in a folder."""

import hashlib
import os
from dataclasses import dataclass, field, fields
from pathlib import Path

import pandas as pd

from melanoma_core.data.cache import FactCache
from melanoma_core.data.census import Census, take_census
from melanoma_core.data.cleaning import Action, apply_decisions, decide_files
from melanoma_core.data.dicom_rows import add_said, split_frames
from melanoma_core.data.facts import FileFacts
from melanoma_core.data.folders import IMAGE_SUFFIXES
from melanoma_core.data.identities import scope_ids
from melanoma_core.data.layouts import Layout, find_collections
from melanoma_core.data.records import read_collection, read_ground_truth
from melanoma_core.data.scanning import scan_files
from melanoma_core.data.tables import JOINED_FACTS
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
    "confirmation",
    "fitzpatrick",
    "ita",
    "licence",
    "attribution",
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The images of a dataset, for training and evaluation.

    Attributes:
        table: One row per image, with the index 0…N-1. Unknown values are missing.
            image_id: unique; the ISIC id if the file name contains one.
            path: absolute path of the file.
            label: Diagnosis code.
            subset: "train", "validation", "test" or "unassigned".
            lesion_id, patient_id: from the tables of the collections (`identities.scope_ids`).
            source: name of the collection's folder.
            sha256, dhash: hashes of the file and of the image, hexadecimal (`facts.FileFacts`).
            cluster: number shared by copies and near copies (`copies.find_clusters`).
            width, height: size of the upright image in pixels.
            age: in years. sex: "female" or "male". site: body site.
            confirmation: how the diagnosis is known (`taxonomy.Confirmation`).
            fitzpatrick: skin type of the person, "I" to "VI" (Fitzpatrick 1988).
            ita: individual typology angle in degrees, estimated from the photograph
                (`skin_tone.estimate_ita`).
            licence, attribution: of the image.
        decisions: The decision on every file (`cleaning.DECISION_COLUMNS`).
        tiers: The images of which only the risk tier is known, with the same columns. `label` is
            a `RiskTier`.
    """

    table: pd.DataFrame
    decisions: pd.DataFrame
    tiers: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))

    @property
    def main(self) -> pd.DataFrame:
        """The images to split: those with a diagnosis; those with a tier if no image has one."""
        return self.table if len(self.table) else self.tiers


def hash_table(table: pd.DataFrame) -> str:
    """Compute a hash of the images, labels and subsets in a table.

    Args:
        table: Columns `image_id`, `sha256`, `label` and `subset`. The order of the rows and all
            other columns do not matter.

    Returns:
        SHA-256, hexadecimal.

    Example:
        >>> table = pd.DataFrame(
        ...     {"image_id": ["A", "B"], "sha256": "0", "label": "NV", "subset": "train"}
        ... )
        >>> hash_table(table) == hash_table(table.iloc[::-1])
        True
        >>> hash_table(table) == hash_table(table.assign(label="MEL"))
        False
    """
    rows = table.sort_values("image_id")[["image_id", "sha256", "label", "subset"]]
    text = rows.to_csv(index=False)
    # File names are not always valid UTF-8.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def load_records(
    folder: Path, cache: FactCache | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Read and measure all images of a folder: the file table of `load_folder`."""
    return load_folder(folder, cache, progress)[0]


def load_folder(
    folder: Path, cache: FactCache | None = None, progress: Progress | None = None
) -> tuple[pd.DataFrame, Census]:
    """Read and measure all images of all collections in a folder: the file table.

    Metadata in the table of one collection apply to the files of that image in all collections.

    Args:
        folder: A collection, or a folder of collections.
        cache: Cache of earlier measurements.
        progress: Progress callback, called with the number of files measured. An exception that
            it raises cancels the scan.

    Returns:
        One row per file in order of precedence, with the index 0…N-1. The columns are those of
        `records.read_collection`, those of `facts.FileFacts`, and `truth` with `truth_table`: the
        diagnosis in an ISIC 2019 ground truth and its file, if there is one. Also what became of
        every file below the folder.

    Raises:
        DatasetError: There is no known layout, no image file, or a table is invalid.
    """
    folder = Path(os.path.realpath(folder))
    collections = find_collections(folder)
    with_images = [c for c in collections if c.layout is not Layout.GROUND_TRUTH]
    contents = [read_collection(each) for each in with_images]
    records = pd.concat(
        [
            scope_ids(content.records, each.folder).assign(folder=str(each.folder))
            for content, each in zip(contents, with_images, strict=True)
        ],
        ignore_index=True,
    )
    if records.empty:
        raise DatasetError(
            f"Found no image files in {folder} (layout: "
            f"{', '.join(c.layout.title for c in with_images)}). At least 1 is needed. Add images "
            f"({', '.join(sorted(IMAGE_SUFFIXES))})."
        )
    records = _measure(records, cache, progress)
    records[["truth", "truth_table"]] = None
    for collection in collections:
        if collection.layout is Layout.GROUND_TRUTH:
            records = _add_ground_truth(
                records, scope_ids(read_ground_truth(collection), collection.folder)
            )
    by_image = records.groupby("image_id")
    for column in ("lesion_id", "patient_id", *JOINED_FACTS):
        records[column] = records[column].fillna(by_image[column].transform("first"))
    missing = {table: images for each in contents for table, images in each.missing.items()}
    return records, take_census(folder, collections, records["path"], missing)


def _measure(
    records: pd.DataFrame, cache: FactCache | None, progress: Progress | None
) -> pd.DataFrame:
    """Add the measurements of every photograph, and what DICOM files say of theirs."""
    facts = dict(
        zip(records["path"], scan_files(list(records["path"]), cache, progress), strict=True)
    )
    counts = {path: fact.num_photographs for path, fact in facts.items()}
    if max(counts.values()) > 1:
        records = split_frames(records, counts)
        frames = [path for path in records["path"] if path not in facts]
        facts |= zip(frames, scan_files(frames, cache, progress), strict=True)
    for each in fields(FileFacts):
        records[each.name] = [getattr(facts[path], each.name) for path in records["path"]]
    return add_said(records).drop(columns=["said", "num_photographs", "folder"])


def merge_records(records: pd.DataFrame, decisions: pd.DataFrame | None = None) -> Dataset:
    """Merge the file table into one row per image.

    Args:
        records: The file table with the column `cluster` (`copies.find_clusters`).
        decisions: Decisions on every file, by default those of `cleaning.decide_files`.

    Returns:
        The dataset. Its subsets are those of the folders.

    Raises:
        DatasetError: The decisions are not about these files.
    """
    decisions = decide_files(records) if decisions is None else decisions
    columns = list(COLUMNS)
    table = apply_decisions(records, decisions).reindex(columns=columns)
    tiers = apply_decisions(records, decisions, [Action.TIER]).reindex(columns=columns)
    return Dataset(table, decisions, tiers)


def _add_ground_truth(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add the label of a ground truth as `truth`, and fill missing metadata."""
    ids = records["image_id"]
    filled = {
        column: records[column].fillna(ids.map(truth[column]))
        for column in ("lesion_id", *JOINED_FACTS)
    }
    return add_truth(records.assign(**filled), truth)


def add_truth(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add the label of a ground truth as `truth`, and its file as `truth_table`, where missing.

    Args:
        records: The file table.
        truth: `label` and `table` by image id (`records.read_ground_truth`).
    """
    labels = records["image_id"].map(truth["label"]).astype(object)
    tables = records["image_id"].map(truth["table"]).where(labels.notna()).astype(object)
    is_open = records["truth"].isna()
    return records.assign(
        truth=records["truth"].where(~is_open, labels),
        truth_table=records["truth_table"].where(~is_open, tables),
    )

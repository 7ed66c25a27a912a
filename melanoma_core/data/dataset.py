"""A table with one row per image, merged from the collections under a folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.layouts import (
    Layout,
    find_collections,
    read_ground_truth,
    read_records,
)
from melanoma_core.data.scanning import Progress, scan_files
from melanoma_core.errors import DatasetError

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
            width, height: upright, in pixels.
            age: in years. sex: "female" or "male". site: place on the body.
            licence: of the photograph.
        decisions: What was changed or left out and why, one row per file that was not taken as
            it stood: image_id, source, found (label as written), used (Diagnosis, missing where
            the image was left out), reason.
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
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def load_dataset(folder: Path, progress: Progress | None = None) -> Dataset:
    """Read every collection under `folder` and merge them by image id.

    An image that several collections hold is taken once, from the first in the order of
    `Layout`. An ISIC 2019 ground truth, where there is one, overrules every other label; without
    it a table overrules folders; a contradiction that nothing settles leaves the image out.

    Args:
        folder: A collection, or a folder of collections.
        progress: Called with the number of files scanned and their number in all.

    Returns:
        The dataset; its subsets are those that the folders say.

    Raises:
        DatasetError: Nothing was recognised, or no image is left.
    """
    collections = find_collections(folder.resolve())
    records = pd.concat(
        [read_records(c) for c in collections if c.layout is not Layout.GROUND_TRUTH],
        ignore_index=True,
    )
    facts = scan_files([Path(path) for path in records["path"]], progress)
    for column in ("sha256", "dhash", "width", "height"):
        records[column] = [getattr(fact, column, None) for fact in facts]
    for collection in collections:
        if collection.layout is Layout.GROUND_TRUTH:
            records = _with_ground_truth(records, read_ground_truth(collection))
    dataset = merge_records(records)
    if dataset.table.empty:
        raise DatasetError(
            f"Found no image in {folder} that can be read and has one of the eight diagnoses: "
            f"{_count_reasons(dataset.decisions)}. Add photographs, or name their folders by "
            "diagnosis."
        )
    return dataset


def merge_records(records: pd.DataFrame) -> Dataset:
    """Turn one row per file into one row per image, deciding on every contradiction.

    Args:
        records: `layouts.RECORD_COLUMNS`, file facts, and optionally `truth` (Diagnosis); in
            the order in which their word counts; index 0…N-1.

    Returns:
        The dataset with its decisions.
    """
    records = records.assign(truth=records.get("truth"))
    readable = records["sha256"].notna()
    final = {
        image_id: _settle_label(files)
        for image_id, files in records[readable].groupby("image_id", sort=False)
    }
    used = pd.Series([final.get(image_id) for image_id in records["image_id"]], dtype=object)
    decisions = _explain(records, used, readable)

    kept = records[readable & used.notna()].assign(label=used.astype(object))
    tested = kept.loc[kept["subset"] == "test", "image_id"]
    # The first known value of each column: the best picture, the most that is known of it.
    merged = kept.groupby("image_id", sort=True).first().reset_index()
    merged["subset"] = merged["subset"].fillna("unassigned")
    # An image in Train and in Test is a test image: it must not be trained on.
    merged.loc[merged["image_id"].isin(tested), "subset"] = "test"
    return Dataset(merged.reindex(columns=list(COLUMNS)), decisions)


def _settle_label(files: pd.DataFrame) -> str | None:
    """Return the label of one image from all its files, or None where they contradict."""
    truths = files["truth"].dropna()
    if len(truths):
        return str(truths.iloc[0])
    first_source = files[files["source"] == files["source"].iloc[0]]
    # One file whose label is unknown does not silence another that is known.
    labels = first_source["label"].dropna().unique()
    if len(labels) == 0:
        labels = files["label"].dropna().unique()
    return str(labels[0]) if len(labels) == 1 else None


def _explain(records: pd.DataFrame, used: pd.Series, readable: pd.Series) -> pd.DataFrame:
    """Say of each file that was not taken as it stood what was done and why."""
    changed = used.notna() & (records["label"] != used)
    by_truth = changed & records["truth"].notna()
    unknown = used.isna() & records["label"].isna()
    reason = pd.Series(None, records.index, dtype=object)
    reason[used.isna()] = "contradictory labels that no ground truth settles"
    reason[unknown] = "no label among the eight diagnoses"
    reason[changed] = "another collection's table has another label"
    reason[by_truth] = "ISIC 2019 ground truth has another label"
    reason[changed & records["label"].isna()] = "label from ISIC 2019 ground truth"
    reason[~readable] = "the file cannot be read"
    told = records.assign(found=records["name"], used=used.where(readable), reason=reason)
    columns = ["image_id", "source", "found", "used", "reason"]
    return told.loc[reason.notna(), columns].reset_index(drop=True)


def _count_reasons(decisions: pd.DataFrame) -> str:
    counts = decisions["reason"].value_counts()
    return ", ".join(f"{count} × {reason}" for reason, count in counts.items()) or "no file at all"


def _with_ground_truth(records: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add what a ground truth knows: the label as `truth`, the rest where it is unknown."""
    ids = records["image_id"]
    filled = {
        column: records[column].fillna(ids.map(truth[column]))
        for column in ("lesion_id", "age", "sex", "site")
    }
    return records.assign(truth=ids.map(truth["label"]), **filled)

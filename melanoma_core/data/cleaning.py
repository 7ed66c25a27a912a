"""Decide which files of a dataset are used and under which label.

No file is changed. Every file gets one row in a table of decisions, which is stored as CSV. Manual
decisions can replace them. The rules, in order:

1. An unreadable file is dropped.
2. Files with the same image id, bytes or pixels show one photograph. Its label is that of the
   ground truth, else that of the collection with the highest precedence. The photograph is dropped
   if these labels contradict each other, or are none of the eight diagnoses. The labels of near
   copies must agree in the same way, but a near copy gives no label to a file without one. A
   photograph of which only the risk tier is known ("benign") is kept for training alone.
3. One file of each photograph is kept: the largest, then that of the collection with the highest
   precedence (`layouts.Layout`), and within it a file in Test if there is one.
4. Test takes precedence over Train: a photograph that all collections put in Train is dropped if
   its lesion, its patient or a near copy of it is in Test. A photograph that a collection does not
   assign to a subset is kept, because the split puts it in the subset of its lesion.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from melanoma_core.data.copies import connect_rows
from melanoma_core.data.tiers import find_tiers
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, RiskTier, parse_diagnosis

# Files that share one of these show one photograph. Images that share one of these form a group,
# which no split may divide.
PHOTOGRAPH_KEYS = ("image_id", "sha256", "pixel_sha256")
GROUP_KEYS = ("lesion_id", "patient_id", "sha256", "cluster")

DECISION_COLUMNS = (
    "path",
    "image_id",
    "source",
    "action",
    "label_found",
    "label_used",
    "reason",
    "copy_of",
    "confirmation",
)

# The reasons are part of the format of cleaned tables and model cards.
_MANUAL = "decided by hand"
_LEAK = "its lesion, its patient or a near copy of it is in Test"
_TEST_COPY = "copy of an image in Test"
_COPY = "copy of an image that is kept"
_OTHER_PICTURE = "another picture of an image id that is kept"
_UNREADABLE = "the file cannot be read"
_UNKNOWN = "no label among the eight diagnoses"
_CONTRADICTION = "contradictory labels that no ground truth settles"
_OTHER_GROUND_TRUTH = "ISIC 2019 ground truth has another label"
_FROM_GROUND_TRUTH = "label from ISIC 2019 ground truth"
_TIER = "only its risk tier is known"
_OTHER_COLLECTION = "another collection's table has another label"


class Action(StrEnum):
    """What is done with a file."""

    KEEP = "keep"
    DROP = "drop"
    RELABEL = "relabel"
    TIER = "tier"  # kept, without a diagnosis


WITH_DIAGNOSIS = (Action.KEEP, Action.RELABEL)
USED = (*WITH_DIAGNOSIS, Action.TIER)


ManualDecision = Action | Diagnosis
"""Keep a file, drop it, or keep it under a diagnosis."""


def decide_files(records: pd.DataFrame) -> pd.DataFrame:
    """Decide on every file by the rules of this module.

    Args:
        records: The file table (`dataset.load_records`) with the column `cluster`
            (`copies.find_clusters`), in order of precedence, with the index 0…N-1.

    Returns:
        `DECISION_COLUMNS`, one row per file in the same order:
            path, image_id, source: from the file table.
            action: an `Action`.
            label_found: label as written in the collection.
            label_used: Diagnosis of the photograph, or its risk tier if only that is known;
                missing if it is dropped.
            reason: why the file is not kept with its own label, else missing.
            copy_of: path of the file that is kept of the photograph, if it is another one.
            confirmation: how the diagnosis is known, from the file table. It decides nothing.
    """
    records = _add_missing_columns(records)
    records["photograph"] = connect_rows(records, PHOTOGRAPH_KEYS)
    readable = records["sha256"].notna()
    records["look"] = connect_rows(records, ("photograph", "cluster"))
    used = _resolve_labels(records[readable], "photograph")
    used = _resolve_labels(records[readable], "look").where(used.notna(), None)
    tiers = find_tiers(records[readable])
    used = used.reindex(records.index).fillna(tiers.reindex(records.index))
    leaking = _find_leaks(records[used.notna()]).reindex(records.index, fill_value=False)
    reason = _explain_labels(records, used).mask(leaking, _LEAK).mask(~readable, _UNREADABLE)
    used = used.mask(leaking, None)

    kept = _choose_files(records[used.notna()]).reindex(records.index)
    is_copy = kept.notna() & (kept != records.index)
    tested = records["photograph"][used.notna() & (records["subset"] == "test")]
    has_copy_in_test = records["subset"].eq("train") & records["photograph"].isin(tested)
    copy_reason = has_copy_in_test.map({True: _TEST_COPY, False: _COPY})
    copy_reason[_find_other_pictures(records, kept)] = _OTHER_PICTURE
    reason = reason.mask(is_copy & reason.isna(), copy_reason)

    action = pd.Series(str(Action.KEEP), records.index, dtype=object)
    action[used.notna() & (used != records["label"])] = str(Action.RELABEL)
    action[used.isin(list(RiskTier))] = str(Action.TIER)
    action[used.isna() | is_copy] = str(Action.DROP)
    return records.assign(
        action=action,
        label_found=records["name"],
        label_used=used,
        reason=reason,
        copy_of=kept.where(is_copy).map(records["path"]).astype(object),
    )[list(DECISION_COLUMNS)]


def apply_manual_decisions(
    decisions: pd.DataFrame, manual_decisions: Mapping[str, ManualDecision]
) -> pd.DataFrame:
    """Replace decisions of the rules by manual decisions.

    Args:
        decisions: Decisions from `decide_files`.
        manual_decisions: Manual decisions by path. `Action.KEEP` keeps the file under the label
            of the decision, else under its own. A file that is kept manually replaces the file
            that was kept of the same image id.

    Returns:
        The decisions, in the same format.

    Raises:
        DatasetError: A path has no decision, a file to keep has no label, or two files of one
            image are to be kept.
    """
    decisions = decisions.copy()
    row_of = pd.Series(decisions.index, index=decisions["path"])
    unknown = [path for path in manual_decisions if path not in row_of.index]
    if unknown:
        raise DatasetError(
            f"Found no file {unknown[0]} in the cleaned table, one of {len(unknown)} with a manual "
            "decision. Decide only on files in the table."
        )
    columns = ["action", "label_used", "reason", "copy_of"]
    for path, manual_decision in manual_decisions.items():
        row = row_of[path]
        decisions.loc[row, columns] = _resolve_manual(decisions.loc[row], manual_decision)
    for path, manual_decision in manual_decisions.items():
        if manual_decision is not Action.DROP:
            decisions = _replace_kept_file(decisions, path)
    return decisions


def apply_decisions(
    records: pd.DataFrame, decisions: pd.DataFrame, actions: Sequence[Action] = WITH_DIAGNOSIS
) -> pd.DataFrame:
    """Merge the file table into one row per image that is used.

    Values that the kept file lacks come from its copies. An image with any copy in Test is a test
    image.

    Args:
        records: The file table that the decisions are about, or that of the same folder later.
        decisions: Decisions from `decide_files`, `apply_manual_decisions` or
            `cleaned_table.read_decisions`.
        actions: The actions whose files are used: by default those with a diagnosis.

    Returns:
        The columns of `records`, sorted by image id, with the index 0…N-1.

    Raises:
        DatasetError: A file has no decision, or a file to use is missing.
    """
    records = _add_missing_columns(records)
    _check_same_files(records, decisions)
    # A copy that is too different to be found as a near copy still shares its cluster.
    records["cluster"] = connect_rows(records, ("cluster", "image_id"))
    decided = decisions.set_index("path").loc[records["path"]].reset_index()
    kept = decided["action"].isin(list(actions))
    labels = decided[kept].set_index("path")["label_used"]
    owner = decided["path"].where(kept, decided["copy_of"])
    owner = owner.where(owner.isin(labels.index))

    files = records.assign(owner=owner, is_copy=~kept)[owner.notna()]
    # The first known value of each column: that of the kept file, else of a copy.
    images = files.sort_values("is_copy", kind="stable").groupby("owner", sort=False).first()
    tested = images.index.isin(files.loc[files["subset"] == "test", "owner"])
    subset = images["subset"].fillna("unassigned").mask(tested, "test")
    images = images.assign(subset=subset, label=labels).drop(columns="is_copy")
    return images.sort_values("image_id", kind="stable").reset_index(drop=True)


def map_paths(paths: pd.Series, change: Callable[[Any], str]) -> pd.Series:
    """Return paths after a change, missing where they were; file names need not be UTF-8."""
    changed = [None if pd.isna(path) else change(path) for path in paths]
    # The string type of pandas rejects file names that are not valid UTF-8.
    return pd.Series(changed, paths.index, dtype=object)


def _add_missing_columns(records: pd.DataFrame) -> pd.DataFrame:
    """Add optional columns with missing values, and convert paths to text."""
    optional = (
        *("lesion_id", "patient_id", "subset", "truth", "contradiction", "confirmation"),
        *("pixel_sha256", "cluster", "width", "height"),
    )
    added = {column: None for column in optional if column not in records}
    return records.assign(**added, path=map_paths(records["path"], str)).reset_index(drop=True)


def _resolve_labels(files: pd.DataFrame, group: str) -> pd.Series:
    """Return the label of each file's group, missing if its labels contradict each other.

    Args:
        files: Readable files.
        group: Column with the group: the photograph, or it and its near copies.
    """
    sources = pd.Series(pd.factorize(files["source"])[0], files.index)
    is_first_source = sources == sources.groupby(files[group]).transform("first")
    resolved = pd.Series(None, files.index, dtype=object)
    is_open = pd.Series(True, files.index)
    # The first of these that has any label for a group decides, unless it contradicts itself.
    for labels in (files["truth"], files["label"].where(is_first_source), files["label"]):
        of_group = labels.astype(object).groupby(files[group])
        num_labels = of_group.transform("nunique")
        agreed = is_open & (num_labels == 1)
        resolved[agreed] = of_group.transform("first")[agreed].astype(str)
        is_open &= num_labels == 0
    return resolved


def _explain_labels(records: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Return why the label that is used differs from the label of the file, else missing."""
    changed = used.notna() & (records["label"] != used)
    unknown = records["label"].isna()
    by_truth = changed & records.groupby("look")["truth"].transform("count").gt(0)
    reason = pd.Series(None, records.index, dtype=object)
    reason[used.isna()] = _CONTRADICTION
    contradicts = records["contradiction"].notna()
    reason[used.isna() & unknown & ~contradicts] = _UNKNOWN
    reason[changed] = _OTHER_COLLECTION
    reason[by_truth] = _OTHER_GROUND_TRUTH
    reason[by_truth & unknown] = _FROM_GROUND_TRUTH
    reason[used.isin(list(RiskTier))] = _TIER
    return reason


def _find_leaks(files: pd.DataFrame) -> pd.Series:
    """Return whether a photograph is only in Train while its group is also in Test."""
    groups = connect_rows(files, (*GROUP_KEYS, "photograph"))
    tested = files["subset"] == "test"
    in_train = files["subset"].isin(["train", "validation"]).groupby(files["photograph"])
    leaking: pd.Series = in_train.transform("all") & np.isin(groups, groups[tested])
    return leaking


def _choose_files(files: pd.DataFrame) -> pd.Series:
    """Return for each file the index of the file that is kept of its photograph."""
    # The largest picture is the photograph. Where it was squashed, its longer side is shorter.
    ranked = files.assign(
        index=files.index,
        shortness=-files[["width", "height"]].astype(float).max(axis=1).fillna(0),
        collection=pd.factorize(files["source"])[0],
        is_not_test=files["subset"] != "test",
    ).sort_values(["shortness", "collection", "is_not_test"], kind="stable")
    first = ranked.groupby("photograph")["index"].transform("first")
    chosen: pd.Series = first.reindex(files.index)
    return chosen


def _find_other_pictures(records: pd.DataFrame, kept: pd.Series) -> "pd.Series[bool]":
    """Return which files show another picture than the file that is kept of their photograph."""
    clusters = records["cluster"]
    of_kept = kept.map(clusters)
    return clusters.notna() & of_kept.notna() & (clusters != of_kept)


def _resolve_manual(decision: pd.Series, manual_decision: ManualDecision) -> list[str | None]:
    """Return the new action, label_used, reason and copy_of."""
    if manual_decision is Action.DROP:
        return [str(Action.DROP), None, _MANUAL, None]
    name, used = decision["label_found"], decision["label_used"]
    found = parse_diagnosis(name) if isinstance(name, str) else None
    label = found if pd.isna(used) else used
    if isinstance(manual_decision, Diagnosis):
        label = manual_decision
    if label is None:
        raise DatasetError(
            f"Found no label for {decision['path']}, which is to be kept manually. Choose one of "
            f"the eight diagnoses: {', '.join(Diagnosis)}."
        )
    action = Action.KEEP if label == found else Action.RELABEL
    if label in set(RiskTier):
        action = Action.TIER
    return [str(action), str(label), _MANUAL, None]


def _replace_kept_file(decisions: pd.DataFrame, path: str) -> pd.DataFrame:
    """Turn the other files of an image into copies of the one that is kept manually."""
    chosen = decisions.loc[decisions["path"] == path].iloc[0]
    is_other = decisions["path"] != path
    kept = is_other & (decisions["image_id"] == chosen["image_id"])
    kept &= decisions["action"] != Action.DROP
    manual = decisions.loc[kept & (decisions["reason"] == _MANUAL), "path"]
    if len(manual):
        raise DatasetError(
            f"Found two files of {chosen['image_id']} to be kept manually: {path} and "
            f"{manual.iloc[0]}. Keep one of them."
        )
    copies = is_other & (kept | decisions["copy_of"].isin(decisions.loc[kept, "path"]))
    values = [str(Action.DROP), chosen["label_used"], _COPY, path]
    decisions.loc[copies, ["action", "label_used", "reason", "copy_of"]] = values
    return decisions


def _check_same_files(records: pd.DataFrame, decisions: pd.DataFrame) -> None:
    undecided = records["path"][~records["path"].isin(decisions["path"])]
    used = decisions["action"] != Action.DROP
    missing = decisions["path"][used & ~decisions["path"].isin(records["path"])]
    if len(undecided) or len(missing):
        first = [*undecided, *missing][0]
        raise DatasetError(
            f"The cleaned table does not fit the folder: {len(undecided)} of its files are not in "
            f"the table, and {len(missing)} files that the table uses are not in the folder (the "
            f"first is {first}). Audit the folder again."
        )

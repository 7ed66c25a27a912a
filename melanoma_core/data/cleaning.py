"""Which files are used, under which label, and why: the one place that decides.

Nothing on disk is changed. Every file gets one row in a table of decisions, a person can overrule
any of them, and the table is kept as CSV. The rules, in this order:

1. A file that cannot be read is dropped.
2. Files of one image id, and files with the same bytes or pixels, are one picture. Its label is
   that of the ground truth where there is one; else that of the collection whose word counts most,
   if it does not contradict itself; else the picture is dropped. So is one whose label is none of
   the eight diagnoses.
3. Of each picture one file is kept: the first in the order of `layouts.Layout`, and among those
   of one collection one in Test.
4. Test wins over Train: a picture that every collection puts in Train is dropped if its lesion,
   its patient or a near copy of it is in Test. A picture that some collection leaves unassigned
   stays, since the split puts it where its lesion is.
"""

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from melanoma_core.data.copies import connect_rows
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, parse_diagnosis

# What makes two files one picture, and what two pictures one group, which no split may part.
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
)

BY_HAND = "decided by hand"
LEAK = "its lesion, its patient or a near copy of it is in Test"
TEST_COPY = "copy of an image in Test"
COPY = "copy of an image that is kept"
UNREADABLE = "the file cannot be read"
UNKNOWN = "no label among the eight diagnoses"
CONTRADICTION = "contradictory labels that no ground truth settles"
TRUTH_DIFFERS = "ISIC 2019 ground truth has another label"
TRUTH_KNOWS = "label from ISIC 2019 ground truth"
OTHER_DIFFERS = "another collection's table has another label"


class Action(StrEnum):
    """What becomes of a file."""

    KEEP = "keep"
    DROP = "drop"
    RELABEL = "relabel"


ManualDecision = Action | Diagnosis


def decide_files(records: pd.DataFrame) -> pd.DataFrame:
    """Decide on every file.

    Args:
        records: The file table, with `cluster` (`copies.find_clusters`) and, where a ground truth
            is known, `truth` (Diagnosis); in the order in which their word counts; index 0…N-1.

    Returns:
        `DECISION_COLUMNS`, one row per file, in the same order: path; image_id; source; action;
        label_found, as written; label_used, the Diagnosis of the picture, missing where it is
        left out; reason, missing where the file is taken as it stands; copy_of, the path of the
        file that is kept of the same picture, missing where it is this one or none.
    """
    records = _complete(records)
    records["picture"] = connect_rows(records, PHOTOGRAPH_KEYS)
    readable = records["sha256"].notna()
    used = _settle_labels(records[readable]).reindex(records.index)
    leaking = _find_leaks(records[used.notna()]).reindex(records.index, fill_value=False)
    reason = _explain_labels(records, used).mask(leaking, LEAK).mask(~readable, UNREADABLE)
    used = used.mask(leaking, None)

    keeper = _choose_files(records[used.notna()]).reindex(records.index)
    is_copy = keeper.notna() & (keeper != records.index)
    tested = records["picture"][used.notna() & (records["subset"] == "test")]
    from_train = records["subset"].eq("train") & records["picture"].isin(tested)
    reason = reason.mask(is_copy & reason.isna(), from_train.map({True: TEST_COPY, False: COPY}))

    action = pd.Series(str(Action.KEEP), records.index, dtype=object)
    action[used.notna() & (used != records["label"])] = str(Action.RELABEL)
    action[used.isna() | is_copy] = str(Action.DROP)
    return records.assign(
        action=action,
        label_found=records["name"],
        label_used=used,
        reason=reason,
        copy_of=keeper.where(is_copy).map(records["path"]).astype(object),
    )[list(DECISION_COLUMNS)]


def apply_manual_decisions(
    decisions: pd.DataFrame, manual_decisions: Mapping[str, ManualDecision]
) -> pd.DataFrame:
    """Let a person's word count more than the rules.

    Args:
        decisions: As `decide_files` gives.
        manual_decisions: By path: `Action.DROP`; `Action.KEEP`, under the label that the table has for
            it, else the one it was found with; or the Diagnosis to keep it under. A file that is
            kept so takes the place of the one that was kept of the same image id.

    Raises:
        DatasetError: A path is none of the decisions', a file is to be kept without a label, or
            two files of one image are.
    """
    decisions = decisions.copy()
    row_of = pd.Series(decisions.index, index=decisions["path"])
    unknown = [path for path in manual_decisions if path not in row_of.index]
    if unknown:
        raise DatasetError(
            f"Found no file {unknown[0]} in the cleaned table, of {len(unknown)} that were decided "
            "by hand. Decide on files that the table names."
        )
    columns = ["action", "label_used", "reason", "copy_of"]
    for path, overrule in manual_decisions.items():
        row = row_of[path]
        decisions.loc[row, columns] = _overrule(decisions.loc[row], overrule)
    for path, overrule in manual_decisions.items():
        if overrule is not Action.DROP:
            decisions = _make_room(decisions, path)
    return decisions


def apply_decisions(records: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Turn one row per file into one row per image that is used.

    What a copy knows fills what the kept file does not, and an image of which any copy is in Test
    is a test image.

    Args:
        records: The file table that the decisions were made on, or the same folder's since.
        decisions: As `decide_files` gives, or `apply_manual_decisions`, or `read_decisions`.

    Returns:
        The columns of the records, sorted by image id; index 0…N-1.

    Raises:
        DatasetError: A file has no decision, or one that is to be used is not there.
    """
    records = _complete(records)
    _check_same_files(records, decisions)
    # A copy that is not near enough to be seen as one brings its cluster along.
    records["cluster"] = connect_rows(records, ("cluster", "image_id"))
    decided = decisions.set_index("path").loc[records["path"]].reset_index()
    kept = decided["action"] != Action.DROP
    labels = decided[kept].set_index("path")["label_used"]
    owner = decided["path"].where(kept, decided["copy_of"])
    owner = owner.where(owner.isin(labels.index))

    files = records.assign(owner=owner, is_copy=~kept)[owner.notna()]
    # The first known value of each column: the kept file's, else that of a copy.
    images = files.sort_values("is_copy", kind="stable").groupby("owner", sort=False).first()
    tested = images.index.isin(files.loc[files["subset"] == "test", "owner"])
    subset = images["subset"].fillna("unassigned").mask(tested, "test")
    images = images.assign(subset=subset, label=labels).drop(columns="is_copy")
    return images.sort_values("image_id", kind="stable").reset_index(drop=True)


def write_decisions(decisions: pd.DataFrame, folder: Path, file: Path) -> None:
    """Write decisions as CSV, with paths as seen from `folder`, so that both can move."""
    table = decisions.copy()
    folder = Path(os.path.realpath(folder))
    for column in ("path", "copy_of"):
        table[column] = _map_paths(
            table[column], lambda path: Path(path).relative_to(folder).as_posix()
        )
    # File names need not be text; those that are not come back as they were.
    table.to_csv(file, index=False, encoding="utf-8", errors="surrogateescape")


def read_decisions(file: Path, folder: Path) -> pd.DataFrame:
    """Read what `write_decisions` wrote, or what a person made of it.

    Raises:
        DatasetError: It cannot be read, lacks a column, names a file twice, or has an action or
            a label that is none.
    """
    try:
        table = pd.read_csv(
            file,
            dtype=object,
            keep_default_na=False,  # a folder may be called "NA"
            na_values=[""],
            encoding="utf-8",
            encoding_errors="surrogateescape",
        )
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"Cannot read the cleaned table {file}: {error}. Write it anew from an audit."
        ) from error
    _check_table(table, file)
    folder = Path(os.path.realpath(folder))
    for column in ("path", "copy_of"):
        table[column] = _map_paths(table[column], lambda path: str(folder / path))
    return table[list(DECISION_COLUMNS)].astype(object).where(table.notna(), None)


def _complete(records: pd.DataFrame) -> pd.DataFrame:
    """Add what the table may lack, as missing, and make every path text."""
    expected = ("lesion_id", "patient_id", "subset", "truth", "pixel_sha256", "cluster")
    lacking = {column: None for column in expected if column not in records}
    return records.assign(**lacking, path=_map_paths(records["path"], str)).reset_index(drop=True)


def _map_paths(paths: pd.Series, change: Callable[[Any], str]) -> pd.Series:
    """Change the paths that are not missing."""
    changed = [None if pd.isna(path) else change(path) for path in paths]
    # As objects: a file's name need not be text, and what pandas' own strings hold must be.
    return pd.Series(changed, paths.index, dtype=object)


def _settle_labels(files: pd.DataFrame) -> pd.Series:
    """Return the label of each file's picture, missing where its files contradict each other."""
    sources = pd.Series(pd.factorize(files["source"])[0], files.index)
    from_first_source = sources == sources.groupby(files["picture"]).transform("first")
    settled = pd.Series(None, files.index, dtype=object)
    is_open = pd.Series(True, files.index)
    # Whoever has something to say of a picture settles it, or contradicts itself.
    for words in (files["truth"], files["label"].where(from_first_source), files["label"]):
        of_picture = words.astype(object).groupby(files["picture"])
        num_labels = of_picture.transform("nunique")
        agreed = is_open & (num_labels == 1)
        settled[agreed] = of_picture.transform("first")[agreed].astype(str)
        is_open &= num_labels == 0
    return settled


def _explain_labels(records: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Say of each file why its picture's label is not the one that was found."""
    changed = used.notna() & (records["label"] != used)
    unknown = records["label"].isna()
    by_truth = changed & records.groupby("picture")["truth"].transform("count").gt(0)
    reason = pd.Series(None, records.index, dtype=object)
    reason[used.isna()] = CONTRADICTION
    reason[used.isna() & unknown] = UNKNOWN
    reason[changed] = OTHER_DIFFERS
    reason[by_truth] = TRUTH_DIFFERS
    reason[by_truth & unknown] = TRUTH_KNOWS
    return reason


def _find_leaks(files: pd.DataFrame) -> pd.Series:
    """Find the files of pictures that are in Train alone and have their group in Test."""
    groups = connect_rows(files, (*GROUP_KEYS, "picture"))
    tested = files["subset"] == "test"
    in_train = files["subset"].isin(["train", "validation"]).groupby(files["picture"])
    near_test = np.isin(groups, groups[tested])
    leaking: pd.Series = in_train.transform("all") & near_test
    return leaking


def _choose_files(files: pd.DataFrame) -> pd.Series:
    """Return for each file the index of the one that is kept of its picture."""
    rank = files.assign(
        index=files.index,
        collection=pd.factorize(files["source"])[0],
        after_test=files["subset"] != "test",
    ).sort_values(["collection", "after_test"], kind="stable")
    chosen: pd.Series = rank.groupby("picture")["index"].transform("first").reindex(files.index)
    return chosen


def _overrule(decision: pd.Series, overrule: ManualDecision) -> list[str | None]:
    """Return the new action, label_used, reason and copy_of."""
    if overrule is Action.DROP:
        return [str(Action.DROP), None, BY_HAND, None]
    name, used = decision["label_found"], decision["label_used"]
    found = parse_diagnosis(name) if isinstance(name, str) else None
    label = found if pd.isna(used) else used
    if isinstance(overrule, Diagnosis):
        label = overrule
    if label is None:
        raise DatasetError(
            f"Found no label for {decision['path']}, which is to be kept by hand. Name one of "
            f"the eight diagnoses: {', '.join(Diagnosis)}."
        )
    action = Action.KEEP if label == found else Action.RELABEL
    return [str(action), str(label), BY_HAND, None]


def _make_room(decisions: pd.DataFrame, path: str) -> pd.DataFrame:
    """Make the other files of an image copies of the one that a person decided to keep."""
    chosen = decisions.loc[decisions["path"] == path].iloc[0]
    others = (decisions["image_id"] == chosen["image_id"]) & (decisions["path"] != path)
    kept = others & (decisions["action"] != Action.DROP)
    by_hand = decisions.loc[kept & (decisions["reason"] == BY_HAND), "path"]
    if len(by_hand):
        raise DatasetError(
            f"Found two files of {chosen['image_id']} to be kept by hand: {path} and "
            f"{by_hand.iloc[0]}. Keep one of them."
        )
    copies = kept | decisions["copy_of"].isin(decisions.loc[kept, "path"])
    copies &= decisions["path"] != path
    values = [str(Action.DROP), chosen["label_used"], COPY, path]
    decisions.loc[copies, ["action", "label_used", "reason", "copy_of"]] = values
    return decisions


def _check_same_files(records: pd.DataFrame, decisions: pd.DataFrame) -> None:
    undecided = records["path"][~records["path"].isin(decisions["path"])]
    used = decisions["action"] != Action.DROP
    gone = decisions["path"][used & ~decisions["path"].isin(records["path"])]
    if len(undecided) or len(gone):
        first = [*undecided, *gone][0]
        raise DatasetError(
            f"The cleaned table does not fit the folder: {len(undecided)} of its files are not in "
            f"the table and {len(gone)} that the table uses are not in the folder (the first is "
            f"{first}). Audit the folder again."
        )


def _check_table(table: pd.DataFrame, file: Path) -> None:
    lacking = [column for column in DECISION_COLUMNS if column not in table]
    if lacking:
        raise DatasetError(
            f"Found no column {', '.join(lacking)} in {file}. A cleaned table has the columns "
            f"{', '.join(DECISION_COLUMNS)}. Write it anew from an audit."
        )
    used = table["action"] != Action.DROP
    for wrong, what in (
        (table["path"].isna() | table["path"].duplicated(), "name no file, or one named before"),
        (~table["action"].isin(list(Action)), f"have no action ({', '.join(Action)})"),
        (
            used & ~table["label_used"].isin(list(Diagnosis)),
            f"are used without a label ({', '.join(Diagnosis)})",
        ),
    ):
        if wrong.any():
            raise DatasetError(
                f"Found {wrong.sum()} rows in {file} that {what}; the first is row "
                f"{int(wrong.to_numpy().argmax()) + 1}. Mend them, or write the table anew from "
                "an audit."
            )

"""The cases that a quiz draws from: confirmed lesions that the network was not trained on.

They are lesions of a record whose diagnosis histology has confirmed, or images of a folder. What
shares a lesion, a patient or a copy with an image that the weights or the threshold were fitted on
is left out, as in Evaluation.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

import pandas as pd

from melanoma_core.data.splitting import find_groups
from melanoma_core.errors import DatasetError
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import find_seen
from melanoma_core.records.own_index import select_own
from melanoma_core.records.patient_resampling import number_patients
from melanoma_core.records.store import Record
from melanoma_core.taxonomy import Confirmation, Diagnosis, read_label, title_label

_SEEN = "seen by the network in training"
_UNCONFIRMED = "not confirmed by histopathology"
_OPEN = "of which only the risk tier is known"
_FURTHER = "further photographs or lesions of the same person or lesion"


class Mix(StrEnum):
    """How cases are drawn."""

    AS_FOUND = "as they come"
    ENRICHED = "half of them melanomas"


@dataclass(frozen=True, kw_only=True)
class QuizCase:
    """A confirmed lesion with one photograph.

    Attributes:
        key: SHA-256 (hex) of the photograph.
        diagnosis: What it is.
        title: Its name, as histology has it where that is known.
        confirmation: How that is known; "" for a drawn lesion.
        patient: The same for cases that are not independent.
        path: File of the photograph; "" for one of a record.
        lesion_id: Id of the lesion in a record; "" for one of a folder.
    """

    key: str
    diagnosis: Diagnosis
    title: str
    confirmation: str
    patient: int
    path: str = ""
    lesion_id: str = ""

    @property
    def is_melanoma(self) -> bool:
        """Whether it is a melanoma."""
        return self.diagnosis is Diagnosis.MEL


@dataclass(frozen=True)
class QuizPool:
    """All cases that a quiz can draw from.

    Attributes:
        source: What they are of, in words.
        cases: One per lesion.
        left_out: How many others there were, by the reason.
        is_drawn: Whether a program has drawn them.
        is_lineage_known: Whether the model records what it was trained on.
    """

    source: str
    cases: tuple[QuizCase, ...]
    left_out: dict[str, int]
    is_drawn: bool = False
    is_lineage_known: bool = True

    @property
    def num_melanomas(self) -> int:
        """Number of melanomas among the cases."""
        return sum(case.is_melanoma for case in self.cases)


def find_record_cases(record: Record, split: pd.DataFrame | None, key: IdKey) -> QuizPool:
    """Return the lesions of a record whose diagnosis histology has confirmed.

    Args:
        record: The record.
        split: Of the model (`lineage.read_split`); None if it has none.
        key: Key of this installation, which hashes ids as in the split.
    """
    selection = select_own(record)
    rows = selection.rows.rename(columns={"lesion": "lesion_id", "patient": "patient_id"})
    rows = rows.assign(sha256=rows["image"], image_id=rows["image"], path="")
    rows["group"] = number_patients(list(rows["patient_id"]))
    cases, left_out = _choose(rows, split, key)
    if selection.with_unfamiliar:  # nothing confirms a drawing
        cases = cases.assign(confirmation="")
    found = tuple(map(_make_case, cases.itertuples()))
    return QuizPool("this record", found, left_out, selection.with_unfamiliar, split is not None)


def find_folder_cases(
    name: str,
    table: pd.DataFrame,
    split: pd.DataFrame | None,
    key: IdKey,
    *,
    is_drawn: bool = False,
) -> QuizPool:
    """Return the images of a folder that are confirmed by histopathology, one per group.

    Args:
        name: Name of the folder.
        table: Its images: `Dataset.table`.
        split: Of the model; None if it has none.
        key: Key of this installation.
        is_drawn: Whether a program has drawn them, so that nothing confirms them.
    """
    rows = table.assign(group=find_groups(table), diagnosis=table["label"])
    rows["title"] = [title_label(read_label(str(label))) for label in rows["diagnosis"]]
    rows["confirmation"] = "" if is_drawn else table["confirmation"].astype(object).fillna("")
    cases, left_out = _choose(rows, split, key, is_drawn=is_drawn)
    found = tuple(map(_make_case, cases.drop_duplicates("group").itertuples()))
    left_out = _add(left_out, _FURTHER, len(cases) - len(found))
    return QuizPool(name, found, left_out, is_drawn, split is not None)


def draw_quiz(pool: QuizPool, count: int, seed: int, mix: Mix) -> tuple[QuizCase, ...]:
    """Draw the cases of a quiz: the same for the same pool, number, seed and mix.

    Args:
        pool: What is drawn from.
        count: Number of cases; fewer if the pool has fewer.
        seed: Which quiz.
        mix: How cases are drawn. With `Mix.ENRICHED`, half of them, rounded up, are melanomas, as
            far as the pool has them.

    Raises:
        DatasetError: The pool is empty.
    """
    if not pool.cases:
        raise DatasetError(
            f"Found no case in {pool.source} that is confirmed by histopathology and that the "
            "network was not trained on. A quiz needs at least 1. Choose another source."
        )
    ordered = _shuffle(pool.cases, f"draw {seed}")
    if mix is Mix.ENRICHED:
        melanomas = [case for case in ordered if case.is_melanoma][: ceil(count / 2)]
        others = [case for case in ordered if not case.is_melanoma][: count - len(melanomas)]
        return tuple(_shuffle([*melanomas, *others], f"order {seed}"))
    return tuple(ordered[:count])


def count_diagnoses(cases: Sequence[QuizCase]) -> dict[Diagnosis, int]:
    """Return how many cases have each diagnosis, the most frequent first."""
    return dict(Counter(case.diagnosis for case in cases).most_common())


def _make_case(row: Any) -> QuizCase:
    """Return a case from a row of either source."""
    return QuizCase(
        key=row.sha256,
        diagnosis=Diagnosis(row.diagnosis),
        title=row.title,
        confirmation=row.confirmation,
        patient=int(row.group),
        path=row.path,
        lesion_id=row.lesion_id if not row.path else "",
    )


def _shuffle(cases: Sequence[QuizCase], words: str) -> list[QuizCase]:
    """Return cases in an order that depends on each alone: a new case moves no other."""
    return sorted(
        cases, key=lambda case: hashlib.sha256(f"{words} {case.key}".encode()).hexdigest()
    )


def _choose(
    rows: pd.DataFrame, split: pd.DataFrame | None, key: IdKey, *, is_drawn: bool = False
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return one row per lesion that may be asked, and how many others are left out, and why."""
    rows = rows.sort_values("sha256", kind="stable")
    hashed = key.hash_ids(rows)
    is_seen = find_seen(hashed, None if split is None else key.hash_ids(split))
    is_open = ~rows["diagnosis"].isin([str(each) for each in Diagnosis]).to_numpy()
    is_confirmed = rows["confirmation"] == str(Confirmation.HISTOPATHOLOGY)
    is_unconfirmed = ~is_confirmed.to_numpy() & (not is_drawn)
    left_out: dict[str, int] = {}
    remaining = ~is_seen
    left_out = _add(left_out, _SEEN, int(is_seen.sum()))
    for reason, is_out in ((_UNCONFIRMED, is_unconfirmed), (_OPEN, is_open)):
        left_out = _add(left_out, reason, int((remaining & is_out).sum()))
        remaining &= ~is_out
    kept = rows[remaining]
    is_further = kept["lesion_id"].notna() & kept["lesion_id"].duplicated()
    left_out = _add(left_out, _FURTHER, int(is_further.sum()))
    return kept[~is_further], left_out


def _add(left_out: dict[str, int], reason: str, count: int) -> dict[str, int]:
    total = left_out.get(reason, 0) + count
    return left_out | {reason: total} if total else left_out

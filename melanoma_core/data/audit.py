"""What is wrong with a folder of photographs, and what that does to labels and to figures.

Nothing here reads a file: the file table knows the hashes, `copies.find_clusters` has compared the
pixels, and `companions` knows lesions and origins that the folder itself does not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from melanoma_core.data import findings as wrong
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.findings import Finding, FindingKind, LabelConflict, Severity, count_of


@dataclass(frozen=True)
class Audit:
    """What was found in a file table.

    Attributes:
        num_images: Files, readable or not.
        num_unreadable: Files that cannot be read.
        exact_duplicate_groups: Groups of byte-identical files.
        pixel_duplicate_groups: Groups of files with the same pixels in different bytes.
        near_duplicate_groups: Groups of one picture saved with other pixels, confirmed on them.
        label_conflict_groups: Pictures whose files carry different labels.
        label_conflicts: Those, counted by pair of labels, most frequent first.
        train_test_duplicates: Test files with the same bytes or pixels as a Train file.
        shared_lesions: Test files that share a photograph or a lesion with a Train file.
        num_test: Test files that can be read.
        source_association: Cramér's V between source and diagnosis, in [0, 1]
            (`measure_association`).
        findings: What is wrong, the worst first.
        verdict: All of it in a sentence or two.
    """

    num_images: int
    num_unreadable: int
    exact_duplicate_groups: int
    pixel_duplicate_groups: int
    near_duplicate_groups: int
    label_conflict_groups: int
    label_conflicts: tuple[LabelConflict, ...]
    train_test_duplicates: int
    shared_lesions: int
    num_test: int
    source_association: float
    findings: tuple[Finding, ...]
    verdict: str


def audit_records(
    records: pd.DataFrame,
    known_lesions: Mapping[str, str] | None = None,
    known_sources: Mapping[str, str] | None = None,
) -> Audit:
    """Find what is wrong with a folder's photographs.

    Args:
        records: The file table with `cluster` (`copies.find_clusters`), index 0…N-1.
        known_lesions: Lesion ids by image id, for images whose own table has none.
        known_sources: Where images were published, by image id; the others count as of the
            collection that they lie in.
    """
    records = _prepare(records, known_lesions or {}, known_sources or {})
    readable = records[records["sha256"].notna()]
    conflicts = wrong.count_conflicts(readable)
    association = measure_association(readable["origin"], readable["diagnosis"])
    findings = [
        finding
        for finding in (
            wrong.find_unreadable(records),
            wrong.find_unknown_labels(readable),
            wrong.find_exact_duplicates(readable),
            wrong.find_pixel_duplicates(readable),
            wrong.find_near_duplicates(readable),
            wrong.find_label_conflicts(readable, conflicts),
            wrong.find_train_test_duplicates(readable),
            wrong.find_shared_lesions(readable),
            wrong.find_single_sources(readable, association),
        )
        if finding
    ]
    by_kind = {finding.kind: finding for finding in findings}

    def count_groups(kind: FindingKind) -> int:
        return len(by_kind[kind].groups) if kind in by_kind else 0

    return Audit(
        num_images=len(records),
        num_unreadable=count_groups(FindingKind.UNREADABLE),
        exact_duplicate_groups=count_groups(FindingKind.EXACT_DUPLICATES),
        pixel_duplicate_groups=count_groups(FindingKind.PIXEL_DUPLICATES),
        near_duplicate_groups=count_groups(FindingKind.NEAR_DUPLICATES),
        label_conflict_groups=count_groups(FindingKind.LABEL_CONFLICTS),
        label_conflicts=conflicts,
        train_test_duplicates=count_groups(FindingKind.TRAIN_TEST_DUPLICATES),
        shared_lesions=count_groups(FindingKind.SHARED_LESIONS),
        num_test=int((readable["subset"] == "test").sum()),
        source_association=association,
        findings=tuple(
            sorted(findings, key=lambda finding: list(Severity).index(finding.severity))
        ),
        verdict=_judge(findings, len(records)),
    )


def measure_association(one: pd.Series, other: pd.Series) -> float:
    """Return Cramér's V of two choices, corrected for the bias of small samples.

    Bergsma (2013), doi:10.1016/j.jkss.2012.10.002. Rows in which either is missing do not count.

    Returns:
        In [0, 1]: 0 where the one says nothing of the other, 1 where it tells it; NaN where either
        has one value alone.
    """
    counts = pd.crosstab(one, other).to_numpy()
    num_rows, num_columns = counts.shape
    total = counts.sum()
    if min(num_rows, num_columns) < 2:
        return float("nan")
    phi_squared = chi2_contingency(counts, correction=False).statistic / total
    expected = (num_rows - 1) * (num_columns - 1) / (total - 1)
    rows, columns = (n - (n - 1) ** 2 / (total - 1) for n in counts.shape)
    most = min(rows, columns) - 1
    if most <= 0:  # as many values as images
        return float("nan")
    return float(np.sqrt(min(max(phi_squared - expected, 0) / most, 1)))


def _prepare(
    records: pd.DataFrame, known_lesions: Mapping[str, str], known_sources: Mapping[str, str]
) -> pd.DataFrame:
    ids = records["image_id"]
    lesions = records["lesion_id"].astype(object).fillna(ids.map(known_lesions).astype(object))
    records = records.assign(
        path=pd.Series([str(path) for path in records["path"]], records.index, dtype=object),
        lesion_id=lesions,
        origin=ids.map(known_sources).astype(object).fillna(records["source"]),
    )
    truth = records.get("truth", pd.Series(None, records.index, dtype=object))
    return records.assign(
        diagnosis=truth.astype(object).fillna(records["label"]),
        exact=connect_rows(records, ("sha256", "pixel_sha256")),
        picture=connect_rows(records, ("image_id", "cluster")),
        related=connect_rows(records, ("image_id", "cluster", "lesion_id")),
    )


def _judge(findings: Iterable[Finding], num_images: int) -> str:
    kinds = {finding.kind: finding for finding in findings}
    labels = [f for f in kinds.values() if f.changes_labels]
    # A leak between lesions contains the leak between copies.
    scores = [
        f
        for f in kinds.values()
        if f.inflates_scores and f.kind is not FindingKind.TRAIN_TEST_DUPLICATES
    ]
    if not kinds:
        return f"Nothing wrong was found in {count_of(num_images, 'file')}."
    if not labels and not scores:
        return (
            f"{count_of(num_images, 'file')} can be used as they are; what is wrong with some of "
            "them changes no label and no score."
        )
    told = []
    if labels:
        told.append(f"labels contradict each other on {sum(f.num_images for f in labels):,} files")
    if scores:
        worst = kinds.get(FindingKind.SHARED_LESIONS)
        told.append(
            "scores would be too good"
            + (f" ({count_of(worst.num_images, 'Test image')} known from Train)" if worst else "")
        )
    return (
        f"Do not train or measure on these {num_images:,} files as they are: {' and '.join(told)}. "
        "Use the cleaned table, and split by group."
    )

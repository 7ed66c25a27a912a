"""Audit a dataset: find its problems, and their effect on labels and metrics.

An audit reads no image. The file table has the hashes, `copies.find_clusters` has compared the
pixels, and companion collections add lesions and sources.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from melanoma_core.data import findings
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.findings import Finding, FindingKind, LabelConflict, Severity, count_of


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes:
        num_images: Number of files, readable or not.
        num_unreadable: Number of unreadable files.
        exact_duplicate_groups: Groups of byte-identical files.
        pixel_duplicate_groups: Groups of files with the same pixels in different bytes.
        near_duplicate_groups: Groups of near copies, confirmed on the pixels.
        label_conflict_groups: Number of photographs with conflicting labels.
        label_conflicts: Their number by pair of labels, most frequent first.
        train_test_duplicates: Test files with the same bytes or pixels as a Train file.
        shared_lesions: Test files that share a photograph or a lesion with a Train file.
        num_test: Number of readable Test files.
        source_association: Cramér's V of source and diagnosis, in [0, 1], or NaN
            (`findings.measure_association`).
        findings: The findings, most severe first.
        verdict: A summary in one or two sentences.
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

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object in which undefined values are null."""
        document = asdict(self)
        if np.isnan(self.source_association):
            document["source_association"] = None
        return document


def audit_records(
    records: pd.DataFrame,
    known_lesions: Mapping[str, str] | None = None,
    known_sources: Mapping[str, str] | None = None,
) -> Audit:
    """Audit the files of a folder.

    Args:
        records: The file table with the column `cluster` (`copies.find_clusters`), index 0…N-1.
        known_lesions: Lesion ids by image id, for images whose own table has none.
        known_sources: Sources in which images were published, by image id. By default, the source
            is the collection that contains the image.

    Returns:
        The audit.
    """
    records = _add_groups(records, known_lesions or {}, known_sources or {})
    readable = records[records["sha256"].notna()]
    conflicts = findings.count_conflicts(readable)
    association = findings.measure_association(readable["origin"], readable["diagnosis"])
    checks = (
        findings.find_unreadable(records),
        findings.find_unknown_labels(readable),
        findings.find_exact_duplicates(readable),
        findings.find_pixel_duplicates(readable),
        findings.find_near_duplicates(readable),
        findings.find_label_conflicts(readable, conflicts),
        findings.find_train_test_duplicates(readable),
        findings.find_shared_lesions(readable),
        findings.find_single_sources(readable, association),
    )
    found = {finding.kind: finding for finding in checks if finding}

    def count_groups(kind: FindingKind) -> int:
        return len(found[kind].groups) if kind in found else 0

    order = list(Severity)
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
        findings=tuple(sorted(found.values(), key=lambda each: order.index(each.severity))),
        verdict=_summarise(found.values(), len(records)),
    )


def _add_groups(
    records: pd.DataFrame, known_lesions: Mapping[str, str], known_sources: Mapping[str, str]
) -> pd.DataFrame:
    """Add the columns that `findings` needs."""
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
        photograph=connect_rows(records, ("image_id", "cluster")),
        related=connect_rows(records, ("image_id", "cluster", "lesion_id")),
    )


def _summarise(found: Iterable[Finding], num_images: int) -> str:
    by_kind = {finding.kind: finding for finding in found}
    if not by_kind:
        return f"Found no problem in {count_of(num_images, 'file')}."
    num_conflicting = sum(each.num_images for each in by_kind.values() if each.changes_labels)
    inflates_scores = any(each.inflates_scores for each in by_kind.values())
    problems = []
    if num_conflicting:
        problems.append(f"{count_of(num_conflicting, 'file')} with conflicting labels")
    if inflates_scores:
        leaking = by_kind.get(FindingKind.SHARED_LESIONS)
        related = (
            f" ({count_of(leaking.num_images, 'Test image')} related to Train)" if leaking else ""
        )
        problems.append(f"copies or sources that inflate metrics{related}")
    if not problems:
        return (
            f"{count_of(num_images, 'file')} can be used without changes. The problems found "
            "affect neither labels nor metrics."
        )
    return (
        f"Do not train or evaluate on these {num_images:,} files as they are: found "
        f"{' and '.join(problems)}. Use the cleaned table, and split by group."
    )

"""Audit a dataset: find its problems, and their effect on labels and metrics.

An audit reads no image. The file table has the hashes, `copies.find_clusters` has compared the
pixels, and companion collections add lesions and sources.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from melanoma_core.data import findings, folder_findings, losses
from melanoma_core.data.census import Census
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.findings import Finding, FindingKind, LabelConflict, Severity, count_of
from melanoma_core.data.tiers import fill_tiers
from melanoma_core.taxonomy import Confirmation


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
        shared_patients: Test files that share a photograph, lesion or patient with a Train file,
            among those with a known patient.
        num_test: Number of readable Test files.
        num_left_out: Files that will not be used, copies of used files not counted.
        num_lesions, num_patients: Number of known lesions and patients in readable files.
        num_without_lesion, num_without_patient: Readable files without a known one.
        confirmations: Number of readable files by how their diagnosis is known
            (`taxonomy.Confirmation`), as far as a table states it.
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
    shared_patients: int
    num_test: int
    num_left_out: int
    num_lesions: int
    num_without_lesion: int
    num_patients: int
    num_without_patient: int
    confirmations: dict[str, int]
    source_association: float
    findings: tuple[Finding, ...]
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object in which undefined values are null."""
        document = asdict(self)
        if np.isnan(self.source_association):
            document["source_association"] = None
        return document

    def describe_people(self) -> str:
        """Return of how many lesions and patients the files are, as far as known."""
        total = self.num_images - self.num_unreadable
        parts = []
        for noun, number, unknown in (
            ("lesion", self.num_lesions, self.num_without_lesion),
            ("patient", self.num_patients, self.num_without_patient),
        ):
            known = f"{total - unknown:,} of {count_of(total, 'readable file')}"
            if not number:
                text = f"No table names a {noun}, so files of one {noun} cannot be kept together."
            elif unknown:
                text = f"{known} are of {count_of(number, f'known {noun}')}."
            else:
                text = f"{count_of(total, 'photograph')} are of {count_of(number, noun)}."
            parts.append(text)
        return " ".join(parts)

    def describe_confirmations(self) -> str:
        """Return for how many files a table states how the diagnosis is known, and how."""
        total = self.num_images - self.num_unreadable
        known = sum(self.confirmations.values())
        if not known:
            return "No table states how the diagnoses are known."
        ways = [f"{name} ({number:,})" for name, number in self.confirmations.items() if number]
        return (
            f"For {known:,} of {count_of(total, 'readable file')} a table states how the diagnosis "
            f"is known: {', '.join(ways)}."
        )


def audit_records(
    records: pd.DataFrame,
    known_lesions: Mapping[str, str] | None = None,
    known_sources: Mapping[str, str] | None = None,
    census: Census | None = None,
) -> Audit:
    """Audit the files of a folder.

    Args:
        records: The file table with the column `cluster` (`copies.find_clusters`), index 0…N-1.
        known_lesions: Lesion ids by image id, for images whose own table has none.
        known_sources: Sources in which images were published, by image id. By default, the source
            is the collection that contains the image.
        census: What became of every file below the folder.

    Returns:
        The audit.
    """
    records = _add_groups(records, known_lesions or {}, known_sources or {})
    readable = records[records["sha256"].notna()]
    conflicts = findings.count_conflicts(readable)
    decisions = decide_files(records)
    num_lost = int(losses.find_lost_files(decisions).sum())
    association = findings.measure_association(readable["origin"], readable["diagnosis"])
    checks = (
        losses.find_unreadable(records),
        losses.find_unknown_labels(readable),
        losses.find_tier_labels(decisions),
        *folder_findings.find_in_census(census, len(records)),
        *folder_findings.find_in_records(readable),
        losses.find_left_out(decisions),
        losses.find_lost_classes(records, decisions),
        findings.find_exact_duplicates(readable),
        findings.find_pixel_duplicates(readable),
        findings.find_near_duplicates(readable),
        findings.find_label_conflicts(readable, conflicts),
        findings.find_train_test_duplicates(readable),
        findings.find_shared_lesions(readable),
        findings.find_shared_patients(readable),
        findings.find_repeated_ids(readable),
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
        shared_patients=count_groups(FindingKind.SHARED_PATIENTS),
        num_test=int((readable["subset"] == "test").sum()),
        num_left_out=num_lost,
        num_lesions=readable["lesion_id"].nunique(),
        num_without_lesion=int(readable["lesion_id"].isna().sum()),
        num_patients=readable["patient_id"].nunique(),
        num_without_patient=int(readable["patient_id"].isna().sum()),
        confirmations={
            str(way): int((readable["confirmation"] == way).sum()) for way in Confirmation
        },
        source_association=association,
        findings=tuple(sorted(found.values(), key=lambda each: order.index(each.severity))),
        verdict=_summarise(found, len(records), num_lost),
    )


def _add_groups(
    records: pd.DataFrame, known_lesions: Mapping[str, str], known_sources: Mapping[str, str]
) -> pd.DataFrame:
    """Add the columns that `findings` needs."""
    ids = records["image_id"]
    missing = pd.Series(None, records.index, dtype=object)
    lesions = records["lesion_id"].astype(object).fillna(ids.map(known_lesions).astype(object))
    records = records.assign(
        path=pd.Series([str(path) for path in records["path"]], records.index, dtype=object),
        lesion_id=lesions,
        patient_id=records.get("patient_id", missing),
        confirmation=records.get("confirmation", missing),
        origin=ids.map(known_sources).astype(object).fillna(records["source"]),
        diagnosis=records.get("truth", missing).astype(object).fillna(records["label"]),
    )
    if records["diagnosis"].isna().all():  # two classes: tiers are all that the folder knows
        records["diagnosis"] = fill_tiers(records)
    person = connect_rows(records, ("image_id", "cluster", "lesion_id", "patient_id"))
    is_known = records["patient_id"].notna().groupby(person).transform("any")
    return records.assign(
        exact=connect_rows(records, ("sha256", "pixel_sha256")),
        photograph=connect_rows(records, ("image_id", "cluster")),
        related=connect_rows(records, ("image_id", "cluster", "lesion_id")),
        person=pd.Series(person, records.index).where(is_known),
    )


def _summarise(found: Mapping[FindingKind, Finding], num_files: int, num_lost: int) -> str:
    if not found:
        return f"Found no problem in {count_of(num_files, 'file')}."
    lost = found.get(FindingKind.LOST_CLASSES)
    nothing_left = f" {lost.sentence}" if lost else ""
    problems = _list_problems(found)
    is_notable = losses.rate_loss(num_lost, num_files) is not Severity.LOW
    if problems:
        without = f", which leaves out {losses.describe_share(num_lost, num_files)},"
        return (
            f"Do not train or evaluate on these {num_files:,} files as they are: found "
            f"{' and '.join(problems)}. Use the cleaned table{without if is_notable else ''}"
            f"{'' if is_notable else ','} and split by group.{nothing_left}"
        )
    if is_notable or lost:
        return (
            f"{losses.describe_share(num_lost, num_files)} will not be used. Correct what the "
            f"findings name before you train or evaluate.{nothing_left}"
        )
    return (
        f"{count_of(num_files - num_lost, 'file')} can be used without changes. The problems found "
        "affect neither labels nor metrics."
    )


def _list_problems(found: Mapping[FindingKind, Finding]) -> list[str]:
    """Return the problems of a dataset that must not be used as it is."""
    problems = []
    conflicting = {
        path
        for each in found.values()
        if each.changes_labels
        for group in each.groups
        for path in group
    }
    if conflicting:
        problems.append(f"{count_of(len(conflicting), 'file')} with conflicting labels")
    if any(each.inflates_scores for each in found.values()):
        shared = (FindingKind.SHARED_LESIONS, FindingKind.SHARED_PATIENTS)
        leaking = {group[0] for kind in shared if kind in found for group in found[kind].groups}
        related = f" ({count_of(len(leaking), 'Test image')} related to Train)" if leaking else ""
        problems.append(f"copies or sources that inflate metrics{related}")
    return problems

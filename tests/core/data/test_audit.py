import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.audit import Audit, audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import apply_decisions, decide_files
from melanoma_core.data.findings import (
    Finding,
    FindingKind,
    LabelConflict,
    Severity,
    measure_association,
)
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.jsonable import to_jsonable
from melanoma_core.taxonomy import parse_diagnosis

COPY = {"sha256": "same", "pixel_sha256": "same", "cluster": 99}


def make_records(*rows: dict) -> pd.DataFrame:
    """Return a file table. By default, each row is a different readable nevus."""
    table = [
        {
            "image_id": f"id{number}",
            "path": Path(f"/data/{number}.jpg"),
            "name": "nevus",
            "subset": None,
            "lesion_id": None,
            "source": "isic9",
            "sha256": f"bytes{number}",
            "pixel_sha256": f"pixels{number}",
            "cluster": number,
        }
        | row
        for number, row in enumerate(rows)
    ]
    columns = ["image_id", "path", "name", "subset", "lesion_id", "patient_id", "source"]
    columns += ["sha256", "pixel_sha256", "cluster"]
    records = pd.DataFrame(table, columns=columns).astype(object)
    labels = [parse_diagnosis(name) if isinstance(name, str) else None for name in records["name"]]
    return records.assign(label=pd.Series(labels, records.index, dtype=object))


def find(audit: Audit, kind: FindingKind) -> Finding:
    (found,) = (finding for finding in audit.findings if finding.kind is kind)
    return found


@pytest.fixture(scope="module")
def isic9(shared_data: Path, real_cache: FactCache) -> OpenedFolder:
    return open_folder(shared_data / "isic9", real_cache)


def test_no_files_have_no_findings() -> None:
    audit = audit_records(make_records())
    assert audit.findings == ()
    assert audit.verdict == "Found no problem in 0 files."


def test_different_files_have_no_findings() -> None:
    audit = audit_records(make_records({}, {"name": "melanoma"}))
    assert audit.findings == ()
    assert audit.num_images == 2
    assert np.isnan(audit.source_association)


UNREADABLE = {"sha256": None, "pixel_sha256": None, "cluster": None}


def test_unreadable_files_are_counted_and_affect_no_metrics() -> None:
    audit = audit_records(make_records(UNREADABLE, UNREADABLE, *[{}] * 98))
    assert (audit.num_images, audit.num_unreadable, audit.exact_duplicate_groups) == (100, 2, 0)
    assert [finding.severity for finding in audit.findings] == ["low"]
    assert audit.verdict.startswith("98 files can be used without changes")


@pytest.mark.parametrize(("num_lost", "severity"), [(4, "low"), (5, "medium"), (20, "high")])
def test_the_share_left_out_decides_severity_and_verdict(num_lost: int, severity: str) -> None:
    lost = [{"name": "lentigo"}] * (num_lost - 1) + [{"name": None}]
    kept = [{"name": "melanoma"}] + [{}] * (99 - num_lost)
    audit = audit_records(make_records(*lost, *kept))
    unknown = find(audit, FindingKind.UNKNOWN_LABELS)
    assert unknown.severity == severity
    assert unknown.sentence.endswith(f': "lentigo" ({num_lost - 1}), no label (1).')
    assert audit.num_left_out == num_lost
    kinds = {finding.kind for finding in audit.findings} - {FindingKind.UNKNOWN_LABELS}
    if severity == "low":
        assert kinds == set()
        assert audit.verdict.startswith("96 files can be used without changes")
    else:
        assert kinds == {FindingKind.LEFT_OUT}
        assert find(audit, FindingKind.LEFT_OUT).severity == severity
        assert audit.verdict.startswith(f"{num_lost} of 100 files ({num_lost}%) will not be used.")


def test_every_label_that_is_not_understood_is_listed() -> None:
    names = [f"name {number}" for number in range(12)]
    audit = audit_records(make_records(*[{"name": name} for name in names]))
    sentence = find(audit, FindingKind.UNKNOWN_LABELS).sentence
    assert all(f'"{name}" (1)' in sentence for name in names)


def test_a_diagnosis_of_which_nothing_is_left_is_reported() -> None:
    rows = [{"name": "melanoma"} | UNREADABLE, {"name": "dermatofibroma"}, {}]
    finding = find(audit_records(make_records(*rows)), FindingKind.LOST_CLASSES)
    assert (finding.severity, finding.groups) == (Severity.HIGH, (("/data/0.jpg",),))
    assert finding.sentence == "The cleaned table has no file of melanoma."


def test_labels_that_may_mean_the_only_melanomas_are_reported() -> None:
    rows = [{"name": "suspected melanoma"}, *[{}] * 99]
    audit = audit_records(make_records(*rows))
    assert find(audit, FindingKind.LOST_CLASSES).groups == (("/data/0.jpg",),)
    assert audit.verdict.endswith(
        "The cleaned table has no file of melanoma (a label that is not understood may mean it)."
    )


def test_copies_of_files_that_are_kept_are_no_loss() -> None:
    audit = audit_records(make_records(*[COPY] * 5))
    assert audit.num_left_out == 0
    assert {finding.kind for finding in audit.findings} == {FindingKind.EXACT_DUPLICATES}


def test_byte_pixel_and_near_copies_are_counted_separately() -> None:
    rows = (
        COPY,
        COPY,
        {"pixel_sha256": "p", "cluster": 50},
        {"pixel_sha256": "p", "cluster": 50},
        {"cluster": 60},
        {"cluster": 60},
        {},
    )
    audit = audit_records(make_records(*rows))
    assert audit.exact_duplicate_groups == 1
    assert audit.pixel_duplicate_groups == 1
    assert audit.near_duplicate_groups == 1
    groups = find(audit, FindingKind.NEAR_DUPLICATES).groups
    assert groups == (("/data/4.jpg", "/data/5.jpg"),)


def test_copies_with_two_labels_as_written_are_a_conflict() -> None:
    rows = (COPY | {"name": "seborrheic keratosis"}, COPY | {"name": "pigmented benign keratosis"})
    audit = audit_records(make_records(*rows))
    pair = ("pigmented benign keratosis", "seborrheic keratosis")
    assert audit.label_conflicts == (LabelConflict(pair, 1),)
    finding = find(audit, FindingKind.LABEL_CONFLICTS)
    assert finding.changes_labels
    assert not finding.inflates_scores
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize(("name", "num_groups"), [("nv", 0), ("mel", 1), ("akiec", 0)])
def test_labels_of_two_collections_are_compared_by_diagnosis(name: str, num_groups: int) -> None:
    audit = audit_records(make_records(COPY, COPY | {"source": "ham10000", "name": name}))
    assert audit.label_conflict_groups == num_groups
    assert len(audit.label_conflicts) == num_groups


def test_test_images_with_a_copy_in_train_are_counted() -> None:
    rows = (COPY | {"subset": "train"}, COPY | {"subset": "test"}, {"subset": "test"})
    audit = audit_records(make_records(*rows))
    assert (audit.train_test_duplicates, audit.shared_lesions, audit.num_test) == (1, 1, 2)
    finding = find(audit, FindingKind.TRAIN_TEST_DUPLICATES)
    assert finding.groups == (("/data/1.jpg", "/data/0.jpg"),)
    assert finding.inflates_scores


def test_lesions_from_companion_tables_are_found_in_train_and_test() -> None:
    records = make_records({"subset": "train"}, {"subset": "test"}, {"subset": "test"})
    assert audit_records(records).shared_lesions == 0
    audit = audit_records(records, known_lesions={"id0": "L", "id1": "L", "id2": "M"})
    assert (audit.train_test_duplicates, audit.shared_lesions) == (0, 1)


def test_test_images_of_patients_in_train_are_found() -> None:
    rows = [
        {"subset": subset, "patient_id": f"P{number}"}
        for subset in ("train", "test")
        for number in range(20)
    ]
    rows += [{"subset": "train"}, {"subset": "test"}]  # of an unknown patient each
    audit = audit_records(make_records(*rows))
    finding = find(audit, FindingKind.SHARED_PATIENTS)
    assert (audit.shared_patients, audit.shared_lesions, audit.num_test) == (20, 0, 21)
    assert (finding.severity, finding.inflates_scores) == (Severity.HIGH, True)
    assert finding.groups[0] == ("/data/20.jpg", "/data/0.jpg")
    assert "copies or sources that inflate metrics (20 Test images related to Train)" in (
        audit.verdict
    )
    assert audit.describe_people() == (
        "No table names a lesion, so files of one lesion cannot be kept together. 40 of 42 "
        "readable files are of 20 known patients."
    )


def test_the_audit_says_of_how_many_lesions_all_photographs_are() -> None:
    rows = [{"lesion_id": f"L{number % 3}"} for number in range(5)]
    assert (
        audit_records(make_records(*rows))
        .describe_people()
        .startswith("5 photographs are of 3 lesions. No table names a patient")
    )


def test_a_patient_is_found_through_the_lesion_that_one_table_names() -> None:
    rows = (
        {"subset": "train", "patient_id": "P"},
        {"subset": "validation", "patient_id": "P", "lesion_id": "L"},
        {"subset": "test", "lesion_id": "M"},
        {"subset": "test", "lesion_id": "L"},
    )
    audit = audit_records(make_records(*rows))
    assert (audit.shared_lesions, audit.shared_patients) == (1, 1)


def test_a_subset_of_which_nothing_is_left_is_reported() -> None:
    rows = ({"subset": "train", "patient_id": "P"}, {"subset": "test", "patient_id": "P"})
    audit = audit_records(make_records(*rows))
    assert find(audit, FindingKind.LOST_CLASSES).sentence == (
        "The cleaned table has no file of the subset train."
    )


def test_ids_that_two_collections_use_are_reported_as_different_people() -> None:
    rows = [{"patient_id": f"{clinic}/{each}"} for clinic in "ab" for each in (1, 2)]
    rows += [{"patient_id": "b/3"}, {"patient_id": "IP_1"}]
    finding = find(audit_records(make_records(*rows)), FindingKind.REPEATED_IDS)
    assert (finding.severity, finding.num_images) == (Severity.LOW, 4)
    assert finding.sentence.startswith(
        'Found 2 patient ids in more than one collection (such as "1" in a and b).'
    )


def test_a_diagnosis_from_a_single_source_is_found() -> None:
    rows = [{"name": "melanoma", "source": "a"}] * 20 + [{"name": "nevus", "source": "b"}] * 20
    audit = audit_records(make_records(*rows))
    finding = find(audit, FindingKind.SINGLE_SOURCE)
    assert audit.source_association == pytest.approx(1)
    assert finding.severity is Severity.HIGH
    assert "All images of melanoma come from a." in finding.sentence
    assert "Cramér's V of source and diagnosis is 1.00" in finding.sentence


def test_the_published_source_takes_precedence_over_the_collection() -> None:
    rows = [{"name": "melanoma"}] * 20 + [{"name": "nevus"}] * 20
    published = {f"id{number}": "ham10000" for number in range(20, 40)}
    audit = audit_records(make_records(*rows), known_sources=published)
    assert "All images of nevus come from ham10000." in audit.findings[0].sentence


def test_sources_with_equal_diagnoses_are_no_finding() -> None:
    rows = [
        {"name": name, "source": source} for name in ("melanoma", "nevus") for source in ("a", "b")
    ] * 10
    audit = audit_records(make_records(*rows))
    assert audit.findings == ()
    assert audit.source_association == 0


def test_a_ground_truth_replaces_an_unknown_label() -> None:
    records = make_records({"name": "akiec"}, {"name": "akiec"})
    assert find(audit_records(records), FindingKind.UNKNOWN_LABELS).num_images == 2
    assert audit_records(records.assign(truth="SCC")).findings == ()


@pytest.mark.parametrize(
    ("one", "other", "association"),
    [
        ([], [], float("nan")),
        (["a"], ["x"], float("nan")),
        (["a", "b"], ["x", "x"], float("nan")),
        (["a", "b"], ["x", "y"], float("nan")),  # as many values as images
        (["a", "b"] * 50, ["x", "y"] * 50, 1.0),
        (["a", "a", "b", "b"] * 25, ["x", "y"] * 50, 0.0),
        # By hand: φ² = 0.36, less 1/99, over 1 - 1/99.
        (["a"] * 50 + ["b"] * 50, ["x"] * 40 + ["y"] * 10 + ["x"] * 10 + ["y"] * 40, 0.59453),
    ],
)
def test_cramers_v_is_corrected_for_bias(
    one: list[str], other: list[str], association: float
) -> None:
    measured = measure_association(pd.Series(one, dtype=object), pd.Series(other, dtype=object))
    assert measured == pytest.approx(association, abs=1e-5, nan_ok=True)


def test_the_json_has_its_documented_keys_and_no_nan() -> None:
    document = to_jsonable(audit_records(make_records(COPY, COPY)))
    assert {
        "num_images",
        "num_unreadable",
        "exact_duplicate_groups",
        "label_conflict_groups",
        "train_test_duplicates",
        "near_duplicate_groups",
        "shared_lesions",
        "verdict",
    } <= document.keys()
    back = json.loads(json.dumps(document, allow_nan=False))
    assert back["source_association"] is None
    assert back["findings"][0]["kind"] == "exact-duplicates"


def test_the_known_defects_of_the_nine_class_set_are_found(isic9: OpenedFolder) -> None:
    audit = audit_records(isic9.records)
    assert (audit.num_images, audit.num_unreadable) == (2359, 0)
    assert audit.exact_duplicate_groups == 159
    assert find(audit, FindingKind.EXACT_DUPLICATES).num_images == 318
    assert audit.label_conflict_groups == 155
    assert audit.label_conflicts == (
        LabelConflict(("melanoma", "seborrheic keratosis"), 78),
        LabelConflict(("actinic keratosis", "nevus"), 77),
    )
    assert audit.train_test_duplicates == 18
    assert audit.num_test == 118


def test_companion_tables_relate_44_test_images_to_train(isic9: OpenedFolder) -> None:
    companions = isic9.companions
    audit = audit_records(isic9.records, companions.known_lesions, companions.known_sources)
    assert audit.shared_lesions == 44
    assert audit.verdict == (
        "Do not train or evaluate on these 2,359 files as they are: found 314 files with "
        "conflicting labels and copies or sources that inflate metrics (44 Test images related to "
        "Train). Use the cleaned table, which leaves out 160 of 2,359 files (7%), and split by "
        "group."
    )
    sources = find(audit, FindingKind.SINGLE_SOURCE)
    assert "No image of melanoma comes from ham10000, the largest source." in sources.sentence
    assert audit.source_association == pytest.approx(0.592, abs=0.001)
    without_truth = audit_records(
        isic9.records.assign(truth=None), companions.known_lesions, companions.known_sources
    )
    assert without_truth.source_association == pytest.approx(0.543, abs=0.001)


def test_the_cleaned_nine_class_set_has_no_leakage(isic9: OpenedFolder) -> None:
    images = apply_decisions(isic9.records, decide_files(isic9.records))
    assert images["subset"].value_counts().to_dict() == {"train": 1988, "test": 113}
    again = audit_records(images.assign(name=images["label"]))
    assert (again.shared_lesions, again.label_conflict_groups) == (0, 0)


def test_a_folder_without_siblings_has_no_companions(tmp_path: Path, draw) -> None:
    draw(tmp_path / "alone" / "nevus" / "a.jpg", 1)
    opened = open_folder(tmp_path / "alone", FactCache(tmp_path / "cache"))
    assert (opened.companions.known_lesions, opened.companions.known_sources) == ({}, {})
    assert opened.records[["lesion_id", "truth"]].isna().all(axis=None)

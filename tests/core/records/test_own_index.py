from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from melanoma_core.lookalikes.duckling import order_ducklings
from melanoma_core.lookalikes.index import find_lookalikes
from melanoma_core.lookalikes.lookalike import Query
from melanoma_core.models.classifier import Classifier
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Histology, Specimen
from melanoma_core.records.own_index import (
    is_current,
    load_embeddings,
    open_own_index,
    refresh_own_index,
    select_own,
)
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ImageKind, Management
from melanoma_core.taxonomy import Confirmation, Diagnosis
from tests.core.records.made_entries import read_drawn

DAY, REPORTED = date(2026, 5, 4), date(2026, 5, 11)
MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma in situ"
NEVUS = "Benign:Benign melanocytic proliferations:Nevus"
OPEN = "Indeterminate:Indeterminate melanocytic proliferations"
MODEL = "unguarded"
DRAWN = {
    "melanoma": "drawn-melanoma-1.jpg",
    "other": "drawn-melanoma-2.jpg",
    "nevus": "drawn-nevus.jpg",
    "keratosis": "drawn-benign-keratosis.jpg",
}


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def add_patient(record: Record, pseudonym: str) -> Entry[Patient]:
    with record.write(by="dr.a") as change:
        return change.add(Patient(pseudonym=pseudonym))


def add_lesion(
    record: Record, patient: Entry[Patient], drawing: str, on: date = DAY, **fields: object
) -> Entry[Lesion]:
    """Add a lesion with one photograph."""
    image = record.images.put(read_drawn(DRAWN[drawing]))
    with record.write(by="dr.a") as change:
        lesion = change.add(Lesion(patient_id=patient.id, label=drawing))
        visit = change.add(Visit(patient_id=patient.id, on=on))
        photograph = Photograph(
            patient_id=patient.id,
            lesion_id=lesion.id,
            visit_id=visit.id,
            sha256=image.sha256,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
        )
        change.add(replace(photograph, **fields))
    return lesion


def add_histology(
    record: Record, lesion: Entry[Lesion], diagnosis: str, taken_on: date = DAY
) -> Entry[Histology]:
    with record.write(by="dr.a") as change:
        specimen = change.add(
            Specimen(
                lesion_id=lesion.id, number="H-1", taken_on=taken_on, method=Management.EXCISION
            )
        )
        return change.add(
            Histology(
                lesion_id=lesion.id,
                specimen_id=specimen.id,
                reported_on=REPORTED,
                diagnosis=diagnosis,
            )
        )


def ask(record: Record, classifier: Classifier, lesion: Entry[Lesion], **own: object) -> Query:
    embeddings = load_embeddings(record, classifier, [lesion.id])[lesion.id]
    return Query(model_id=MODEL, embeddings=embeddings, **own)


def test_a_record_without_histology_has_an_empty_index(
    record: Record, unguarded_classifier: Classifier
):
    assert open_own_index(record, MODEL) is None
    assert not is_current(record, MODEL)
    add_lesion(record, add_patient(record, "1"), "nevus")

    facts = refresh_own_index(record, unguarded_classifier)

    assert (facts.num_lesions, facts.is_own, facts.name) == (0, True, "record")
    assert is_current(record, MODEL)
    index = open_own_index(record, MODEL)
    assert index is not None
    assert index.facts.num_lesions == 0


def test_lesions_with_histology_are_found_and_a_patients_own_are_not(
    record: Record, unguarded_classifier: Classifier
):
    one, other = add_patient(record, "1"), add_patient(record, "2")
    melanoma, nevus = add_lesion(record, one, "melanoma"), add_lesion(record, other, "nevus")
    asked = add_lesion(record, one, "other")
    add_histology(record, melanoma, MELANOMA)
    add_histology(record, nevus, NEVUS)

    assert refresh_own_index(record, unguarded_classifier).by_diagnosis == {"MEL": 1, "NV": 1}

    index = open_own_index(record, MODEL)
    assert index is not None
    query = ask(record, unguarded_classifier, asked)
    found = find_lookalikes(query, [index])
    assert {each.lesion for each in found.nearest} == {melanoma.id, nevus.id}
    (its,) = (each for each in found.nearest if each.lesion == melanoma.id)
    assert (its.diagnosis, its.title) == (Diagnosis.MEL, "Melanoma in situ")
    assert (its.confirmation, its.is_own) == (Confirmation.HISTOPATHOLOGY, True)
    assert record.images.read(its.image) == record.images.read(its.image)
    own = ask(record, unguarded_classifier, asked, patients=frozenset({one.id}))
    assert [each.lesion for each in find_lookalikes(own, [index]).nearest] == [nevus.id]


def test_what_histology_leaves_open_and_what_shows_no_lesion_before_the_cut_is_left_out(
    record: Record,
):
    patient = add_patient(record, "1")
    for kind, diagnosis, on, fields in (
        ("melanoma", MELANOMA, DAY, {}),
        ("nevus", OPEN, DAY, {}),
        ("keratosis", NEVUS, date(2026, 5, 20), {}),  # the scar
        ("keratosis", NEVUS, date(2024, 5, 20), {}),  # long before
        ("keratosis", NEVUS, DAY, {"kind": ImageKind.OVERVIEW}),
        ("keratosis", NEVUS, DAY, {"shows_specimen_site": True}),
    ):
        add_histology(record, add_lesion(record, patient, kind, on, **fields), diagnosis)

    assert select_own(record).rows["diagnosis"].tolist() == ["MEL"]


def test_a_new_or_corrected_histology_makes_the_index_old_and_only_new_photographs_are_read(
    record: Record, unguarded_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
):
    patient = add_patient(record, "1")
    melanoma, nevus = add_lesion(record, patient, "melanoma"), add_lesion(record, patient, "nevus")
    histology = add_histology(record, melanoma, MELANOMA)
    refresh_own_index(record, unguarded_classifier)

    add_histology(record, nevus, NEVUS)
    assert not is_current(record, MODEL)
    read, photographs = record.images.read, []

    def count(sha256: str) -> bytes:
        photographs.append(sha256)
        return read(sha256)

    monkeypatch.setattr(record.images, "read", count)
    assert refresh_own_index(record, unguarded_classifier).by_diagnosis == {"MEL": 1, "NV": 1}
    assert len(photographs) == 1

    with record.write(by="dr.b") as change:
        change.correct(histology, replace(histology.value, diagnosis=NEVUS))
    assert not is_current(record, MODEL)
    assert refresh_own_index(record, unguarded_classifier).by_diagnosis == {"NV": 2}
    assert len(photographs) == 1
    assert is_current(record, MODEL)


def test_a_missing_photograph_is_counted_and_the_others_are_indexed(
    record: Record, unguarded_classifier: Classifier
):
    patient = add_patient(record, "1")
    for kind, diagnosis in (("melanoma", MELANOMA), ("nevus", NEVUS)):
        add_histology(record, add_lesion(record, patient, kind), diagnosis)
    missing = record.images.find(select_own(record).rows["image"][0])
    assert missing is not None
    missing.unlink()

    facts = refresh_own_index(record, unguarded_classifier)

    assert (facts.num_photographs, facts.num_unreadable) == (1, 1)


def test_of_an_erased_patient_nothing_derived_stays(
    record: Record, unguarded_classifier: Classifier
):
    kept, erased = add_patient(record, "1"), add_patient(record, "2")
    add_histology(record, add_lesion(record, kept, "nevus"), NEVUS)
    lesion = add_lesion(record, erased, "melanoma")
    histology = add_histology(record, lesion, MELANOMA)
    refresh_own_index(record, unguarded_classifier)
    embedding = load_embeddings(record, unguarded_classifier, [lesion.id])[lesion.id]
    pattern = embedding[0].astype("float16").tobytes()[:64]
    folder = record.place.lookalikes_folder
    assert any(pattern in path.read_bytes() for path in folder.iterdir())

    case = record.load_case(lesion.id)
    with record.erasing(erased.id, by="dr.a") as erasure:
        for kind, entries in (
            (Histology, (histology,)),
            (Specimen, case.specimens),
            (Photograph, case.photographs),
            (Visit, case.visits),
            (Lesion, (lesion,)),
            (Patient, (erased,)),
        ):
            for entry in entries:
                erasure.remove(kind, entry.id)

    assert open_own_index(record, MODEL) is None
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert pattern not in content
    assert lesion.id.encode() not in content
    assert refresh_own_index(record, unguarded_classifier).by_diagnosis == {"NV": 1}


def test_the_lesions_of_a_patient_are_ordered_by_their_newest_photographs(
    record: Record, unguarded_classifier: Classifier
):
    patient = add_patient(record, "1")
    lesions = [add_lesion(record, patient, kind) for kind in DRAWN]
    ids = [lesion.id for lesion in lesions]
    overview = add_lesion(record, patient, "nevus", kind=ImageKind.OVERVIEW)
    embeddings = load_embeddings(record, unguarded_classifier, [*ids, overview.id])

    assert sorted(embeddings) == sorted(ids)
    assert {len(each) for each in embeddings.values()} == {1}
    ordered = order_ducklings(embeddings)
    assert sorted(each.lesion for each in ordered) == sorted(ids)
    assert ordered[0].rank == 1
    assert ordered[0].distance > 0

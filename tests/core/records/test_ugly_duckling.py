"""The hint of the mosaic on real embeddings of drawn lesions."""

from pathlib import Path

import pytest

from melanoma_core.lookalikes.duckling import NOTE
from melanoma_core.models.classifier import Classifier
from melanoma_core.records.lesion_summary import LesionSummary, summarise_case
from melanoma_core.records.own_index import make_query
from melanoma_core.records.store import Record
from melanoma_core.records.ugly_duckling import Hint, find_hint
from melanoma_core.records.vocabulary import ImageKind, ReadOrder
from tests.core.records.test_own_index import add_lesion, add_patient


@pytest.fixture
def record(tmp_path: Path):
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def summarise(
    record: Record, ids: list[str], order: ReadOrder = ReadOrder.TOGETHER
) -> list[LesionSummary]:
    return [summarise_case(case, order) for case in record.load_cases(ids)]


def test_without_lesions_there_is_no_order(record, unguarded_classifier: Classifier):
    hint = find_hint(record, unguarded_classifier, [])

    assert (hint.order, hint.left_out) == ((), ())
    assert hint.note.startswith("At least 3 lesions with dermoscopic photographs are needed")
    assert Hint().place("any") == 0


def test_the_lesion_that_is_unlike_the_others_is_first(record, unguarded_classifier: Classifier):
    patient = add_patient(record, "p-1")
    ids = [add_lesion(record, patient, each).id for each in ("melanoma", "other", "nevus")]
    close_up = add_lesion(record, patient, "keratosis", kind=ImageKind.CLOSE_UP)
    hint = find_hint(record, unguarded_classifier, summarise(record, [*ids, close_up.id]))

    assert hint.note == NOTE
    assert hint.order[0] == ids[2]  # the nevus among melanomas
    assert hint.order[-1] == close_up.id
    assert hint.describe(ids[2]).startswith("Place 1 of 3 by unlikeness; median distance to the")
    assert hint.describe(close_up.id) == ""
    assert hint.left_out == ("No dermoscopic photograph that can be read: lesion keratosis.",)


def test_lesions_before_their_first_read_are_left_out(record, unguarded_classifier: Classifier):
    patient = add_patient(record, "p-1")
    ids = [add_lesion(record, patient, each).id for each in ("melanoma", "other", "nevus")]
    summaries = summarise(record, ids, ReadOrder.DOCTOR_FIRST)
    hint = find_hint(record, unguarded_classifier, summaries)

    assert hint.note.endswith("Here are 0, so that there is no order.")
    (left_out,) = hint.left_out
    assert left_out == "Not compared before their first read: lesion melanoma, other, nevus."
    assert all(not hint.describe(each) for each in ids)


def test_a_query_leaves_out_what_is_the_lesion_s_own(record, unguarded_classifier: Classifier):
    patient = add_patient(record, "p-1")
    lesion = add_lesion(record, patient, "melanoma")
    close_up = add_lesion(record, patient, "nevus", kind=ImageKind.CLOSE_UP)
    case, other = record.load_cases([lesion.id, close_up.id])
    query = make_query(record, unguarded_classifier, case)

    assert query is not None
    assert query.embeddings.shape[0] == 1
    assert (query.lesions, query.patients) == ({lesion.id}, {patient.id})
    assert query.files == {case.photographs[0].value.sha256}
    assert len(query.fingerprints) == len(query.looks) == 1
    assert make_query(record, unguarded_classifier, other) is None

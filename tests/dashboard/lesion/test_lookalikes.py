"""The look-alikes of a lesion: hidden before the first read, named as reference, logged as seen."""

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.own_index import refresh_own_index
from melanoma_core.records.store import Record
from tests.core.records.test_own_index import MELANOMA, add_histology, add_lesion, add_patient
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion


def read(app: AppTest) -> str:
    return "\n".join(each.proto.body for each in app.get("html"))


def test_look_alikes_are_hidden_before_the_first_read(open_lesion: OpenLesion):
    app = open_lesion(view="lookalikes")

    assert not app.exception
    assert "Shown once the first read is kept" in read(app)
    assert "In this record" not in read(app)


def test_a_look_alike_of_another_patient_is_shown_with_its_diagnosis_and_logged(
    open_lesion: OpenLesion,
    record: Record,
    lesion: DrawnLesion,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "off")
    monkeypatch.delenv("MELANOMA_INDEXES", raising=False)
    other = add_lesion(record, add_patient(record, "drawn-4712"), "other")
    add_histology(record, other, MELANOMA)
    refresh_own_index(record, load_classifier(BUNDLED, num_threads=1))
    app = open_lesion(view="lookalikes")

    assert not app.exception
    html = read(app)
    assert "Reference, not a verdict." in html
    assert "The index of this record: lesions 1, photographs 1, as" in html
    assert "1. ▲ melanoma" in html
    assert "confirmed by histopathology" in html
    (entry,) = [each for each in record.list_log(entry_id=other.id) if each.action == "seen"]
    assert (entry.by, entry.detail) == ("dr.a", "look-alike")
    assert lesion.lesion_id not in html

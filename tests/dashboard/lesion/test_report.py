from streamlit.testing.v1 import AppTest

from melanoma_core.records.ledger import Action
from melanoma_core.records.loop import Decision, Histology, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_cases import MELANOMA
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion


def read_html(app: AppTest) -> str:
    return "".join(each.proto.body for each in app.get("html"))


def add_histology(record: Record, lesion: DrawnLesion) -> None:
    where = {"lesion_id": lesion.lesion_id}
    with record.write(by="dr.a") as change:
        day = record.load_case(lesion.lesion_id).visits[0].value.on
        management = Management.EXCISION
        change.add(Decision(**where, visit_id=lesion.visit_id, management=management))
        specimen = change.add(Specimen(**where, number="S", taken_on=day, method=management))
        change.add(Histology(**where, specimen_id=specimen.id, reported_on=day, diagnosis=MELANOMA))


def list_exports(record: Record) -> list[str]:
    return [each.detail for each in record.list_log() if each.action is Action.EXPORTED]


def test_the_report_shows_the_lesion_and_what_was_typed(open_lesion: OpenLesion):
    app = open_lesion(view="report")
    assert not app.exception
    (notes,) = [each for each in app.text_area if each.label == "Notes on the report"]
    notes.set_value("<b>Control</b>")
    (put,) = [each for each in app.button if each.label == "Put the notes on the report"]
    app = put.click().run()

    html = read_html(app)
    assert "Lesion 1 of patient drawn-4711" in html
    assert "No decision yet" in html
    assert "a program has drawn the photographs" in html
    assert "&lt;b&gt;Control&lt;/b&gt;" in html


def test_to_look_at_a_report_is_no_export(open_lesion: OpenLesion, record: Record):
    app = open_lesion(view="report")
    labels = [each.proto.label for each in app.get("download_button")]
    assert labels == ["Download PDF", "Download DICOM", "Download FHIR"]
    assert list_exports(record) == []


def test_a_letter_can_be_changed_in_every_part_and_keeps_what_was_typed(open_lesion: OpenLesion):
    app = open_lesion(view="report", write="doctor")
    assert not app.exception
    fields = {each.label: each for each in (*app.text_area, *app.text_input)}
    assert "We have examined lesion 1 (left upper back)" in fields["Text"].value
    assert fields["Salutation"].value == "Dear colleague,"
    fields["Salutation"].set_value("Dear <b>Berta</b>,")
    (write,) = [each for each in app.button if each.label == "Write the letter"]
    app = write.click().run()

    assert "Dear &lt;b&gt;Berta&lt;/b&gt;," in read_html(app)
    labels = [each.proto.label for each in app.get("download_button")]
    assert labels == ["Download PDF", "Download text"]
    (change,) = [each for each in app.button if each.label == "Change the letter"]
    app = change.click().run()
    assert {each.label: each.value for each in app.text_input}["Salutation"] == "Dear <b>Berta</b>,"


def test_a_letter_does_not_give_a_cancer_to_a_patient_who_does_not_know(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    add_histology(record, lesion)
    app = open_lesion(view="report", write="patient")

    html = read_html(app)
    assert "A letter should not be the first to give it" in html
    assert "a reader has seen the histology" in html

import io
from zipfile import ZipFile

from streamlit.testing.v1 import AppTest

from melanoma_core.records.entities import Patient
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.dashboard.patients.conftest import OpenPatients
from tests.drawn_record import add_drawn_lesion


def click(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def read(app: AppTest) -> str:
    return "\n".join(each.proto.body for each in app.get("html"))


def count_exports(record: Record) -> int:
    return sum(each.action is Action.EXPORTED for each in record.list_log())


def test_an_export_holds_the_lesion_and_is_logged(open_patients: OpenPatients, record: Record):
    lesion = add_drawn_lesion(record)
    app = open_patients(patient=lesion.patient_id, view="record")
    assert not app.get("download_button")
    assert count_exports(record) == 0
    app = click(app, "Prepare the export")

    assert not app.exception
    assert [each.proto.label for each in app.get("download_button")] == ["Download ZIP"]
    assert count_exports(record) == 1
    _, content = app.session_state["leaving-export"]
    names = ZipFile(io.BytesIO(content)).namelist()
    assert "patient-drawn-4711/index.html" in names
    assert "patient-drawn-4711/lesion-1.pdf" in names


def test_a_patient_is_erased_only_when_the_pseudonym_was_typed(
    open_patients: OpenPatients, record: Record
):
    lesion = add_drawn_lesion(record)
    app = open_patients(patient=lesion.patient_id, view="record")
    (button,) = [each for each in app.button if each.label == "Erase this patient"]
    assert button.disabled
    (field,) = [each for each in app.text_input if each.label.startswith("To erase")]
    app = field.set_value("drawn-4711").run()
    app = click(app, "Erase this patient")

    assert not app.exception
    assert record.find(Patient) == ()
    assert "✓ Erased 4 entries with all their versions" in read(app)
    assert "There is no patient in the record yet." in read(app)
    assert record.verify().faults == ()

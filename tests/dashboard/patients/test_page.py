from datetime import date

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.dates import write_day
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import BodyView, ImageKind, Laterality, MapPoint, Sex
from tests.dashboard.patients.conftest import OpenPatients
from tests.dashboard.test_names import NAME, check
from tests.dicom_files import make_photograph, write
from tests.drawn_record import add_drawn_lesion


def click(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def fill(app: AppTest, label: str, text: str) -> AppTest:
    (field,) = [each for each in app.text_input if each.label == label]
    return field.set_value(text).run()


def read(app: AppTest) -> str:
    return "\n".join(each.proto.body for each in app.get("html"))


def add_patient(record: Record, pseudonym: str = "4711") -> Entry[Patient]:
    with record.write(by="dr.a") as change:
        return change.add(Patient(pseudonym=pseudonym, birth_year=1960, sex=Sex.FEMALE))


def test_an_empty_record_offers_a_new_patient(open_patients: OpenPatients, record: Record):
    app = open_patients()
    assert "There is no patient in the record yet." in read(app)

    app = click(app, "New patient")
    app = fill(app, "Pseudonym", " 4711 ")
    app = fill(app, "Year of birth", "1960")
    (sex,) = [each for each in app.selectbox if each.label == "Sex"]
    sex.select(Sex.FEMALE).run()
    app = click(app, "Save")

    assert not app.exception
    found = record.find_patient("4711")
    assert found is not None
    assert (found.value.birth_year, found.value.sex, found.by) == (1960, "female", "dr.a")
    assert app.query_params["patient"] == found.id
    assert "✓ Saved, version 1." in read(app)


@pytest.mark.parametrize(
    ("year", "error"),
    [
        ("1800", "Found 1800; needed is a year from"),
        ("sixty", "Found &#x27;sixty&#x27;; needed is a whole number or nothing."),
        ("1960.5", "Found &#x27;1960.5&#x27;; needed is a whole number or nothing."),
    ],
)
def test_an_error_is_beside_its_field_and_nothing_typed_is_lost(
    open_patients: OpenPatients, record: Record, year: str, error: str
):
    app = open_patients(new="patient")
    app = fill(app, "Pseudonym", "4711")
    app = fill(app, "Year of birth", year)
    app = click(app, "Save")

    assert record.find_patient("4711") is None
    shown = [each.proto.body for each in app.get("html") if 'class="error"' in each.proto.body]
    assert len(shown) == 2  # beside the field, and beside the button
    assert error in shown[0]
    assert [each.value for each in app.text_input if each.label == "Year of birth"] == [year]


def test_a_second_patient_of_a_pseudonym_is_refused_and_the_first_is_linked(
    open_patients: OpenPatients, record: Record
):
    add_patient(record)
    app = fill(open_patients(new="patient"), "Pseudonym", "4711")
    app = click(app, "Save")

    assert 'There is a patient "4711" already.' in read(app).replace("&quot;", '"')
    assert len(record.find(Patient)) == 1
    labels = [each.proto.label for each in app.get("page_link")]
    assert any("Open the patient" in label for label in labels)


def test_the_list_searches_by_pseudonym_and_shows_pages_of_fifty(
    open_patients: OpenPatients, record: Record
):
    with record.write(by="dr.a") as change:
        for number in range(60):
            change.add(Patient(pseudonym=f"p-{number:03}"))

    app = open_patients()
    assert "60 patients, by pseudonym." in read(app)
    assert len(app.get("page_link")) == 50
    assert len(open_patients(page="2").get("page_link")) == 10
    found = open_patients(search="P-05")
    assert "10 patients, by pseudonym." in read(found)
    assert "No pseudonym holds this text." in read(open_patients(search="none"))


def test_two_people_correct_one_patient_and_neither_loses(
    open_patients: OpenPatients, record: Record
):
    patient = add_patient(record)
    app = open_patients(patient=patient.id, edit=patient.id)
    app = fill(app, "Year of birth", "1961")
    with record.write(by="dr.b") as change:
        change.correct(patient, Patient(pseudonym="4711", birth_year=1962))
    app = click(app, "Save")

    assert "dr.b changed this patient" in read(app)
    assert record.get(Patient, patient.id).value.birth_year == 1962
    app = click(app, "Save mine as version 3")
    assert [each.value.birth_year for each in record.versions(Patient, patient.id)] == [
        1960,
        1962,
        1961,
    ]


def test_a_patient_is_withdrawn_with_a_reason_and_can_be_taken_back(
    open_patients: OpenPatients, record: Record
):
    patient = add_patient(record)
    app = open_patients(patient=patient.id, edit=patient.id)
    app = fill(app, "Entered in error: what is wrong?", "typed twice")
    app = click(app, "Withdraw")

    assert record.get(Patient, patient.id).withdrawn == "typed twice"
    assert "dr.a withdrew this patient: typed twice" in read(app)
    app = open_patients(patient=patient.id, view="record")
    click(app, "Take the withdrawal back")
    assert record.get(Patient, patient.id).withdrawn == ""


def test_a_new_lesion_has_the_next_label_and_a_taken_one_is_refused(
    open_patients: OpenPatients, record: Record
):
    patient = add_patient(record)
    app = click(open_patients(patient=patient.id, new="lesion"), "Save")
    assert [each.value.label for each in record.find(Lesion)] == ["1"]

    app = open_patients(patient=patient.id, new="lesion")
    assert [each.value for each in app.text_input if each.label == "Label"] == ["2"]
    app = click(fill(app, "Label", "1"), "Save")
    assert "Another lesion of the patient is called 1." in read(app)
    assert len(record.find(Lesion)) == 1


def test_lesions_are_on_the_map_as_links_that_say_what_waits(
    open_patients: OpenPatients, record: Record
):
    lesion = add_drawn_lesion(record)
    entry = record.get(Lesion, lesion.lesion_id)
    point = MapPoint(BodyView.BACK, 0.44, 0.25)
    with record.write(by="dr.a") as change:
        change.correct(
            entry, Lesion(patient_id=entry.value.patient_id, label="<b>1", map_point=point)
        )
    html = read(open_patients(patient=lesion.patient_id))

    assert f'href="lesion?lesion={lesion.lesion_id}"' in html
    assert 'style="left:44.00%;top:25.00%"' in html
    assert "AI reading shown after the first read; next: first read, due" in html
    assert "<b>1" not in html


def test_the_link_of_the_lesion_page_opens_the_form_of_the_lesion(
    open_patients: OpenPatients, record: Record
):
    lesion = add_drawn_lesion(record)
    app = open_patients(patient=lesion.patient_id, lesion=lesion.lesion_id)
    (side,) = [each for each in app.selectbox if each.label == "Side"]
    assert side.value is Laterality.LEFT
    click(fill(app, "First noticed", "2024-05"), "Save")

    found = record.get(Lesion, lesion.lesion_id)
    assert (found.version, found.value.noticed) == (2, "2024-05")
    assert found.value.site == "Trunk:Posterior trunk:Upper back"


def test_the_mosaic_says_that_two_lesions_are_too_few(open_patients: OpenPatients, record: Record):
    lesion = add_drawn_lesion(record)
    app = open_patients(patient=lesion.patient_id, view="mosaic", order="unlike")

    assert not app.exception
    assert "At least 3 lesions with dermoscopic photographs are needed" in read(app)
    assert "Not compared before their first read: lesion 1." in read(app)


def test_the_mosaic_writes_days_as_the_other_pages_do(open_patients: OpenPatients, record: Record):
    lesion = add_drawn_lesion(record)
    app = open_patients(patient=lesion.patient_id, view="mosaic", order="newest")
    (photograph,) = record.find(Photograph, patient_id=lesion.patient_id)
    assert write_day(photograph.value.taken_on or photograph.at.date()) in read(app)


def test_a_visit_is_added_and_corrected(open_patients: OpenPatients, record: Record):
    patient = add_patient(record)
    app = open_patients(patient=patient.id, new="visit")
    click(fill(app, "Reason", "yearly"), "Save")
    (visit,) = record.find(Visit, patient_id=patient.id)
    assert (visit.value.on, visit.value.reason) == (date.today(), "yearly")

    app = open_patients(patient=patient.id, edit=visit.id)
    click(fill(app, "Reason", "new lesion"), "Save")
    assert [each.value.reason for each in record.versions(Visit, visit.id)] == [
        "yearly",
        "new lesion",
    ]


def test_who_sees_a_patient_is_logged_once(open_patients: OpenPatients, record: Record):
    patient = add_patient(record)
    open_patients(patient=patient.id).run()

    seen = [each for each in record.list_log(entry_id=patient.id) if each.action == "seen"]
    assert [each.by for each in seen] == ["dr.a"]


@pytest.mark.parametrize("view", ["lesions", "mosaic", "visits", "record"])
def test_texts_of_people_are_shown_as_they_are(
    open_patients: OpenPatients, record: Record, view: str
):
    with record.write(by=NAME) as change:
        patient = change.add(Patient(pseudonym=NAME))
        change.add(Lesion(patient_id=patient.id, label=NAME, note=NAME))
        change.add(Visit(patient_id=patient.id, on=date(2026, 5, 4), reason=NAME))

    assert check(open_patients(patient=patient.id, view=view)) >= 1
    assert check(open_patients()) >= 1
    assert check(open_patients(patient=patient.id, new="lesion")) >= 1


def test_an_unknown_patient_is_an_error(open_patients: OpenPatients):
    app = open_patients(patient="0" * 32)

    assert not app.exception
    assert "The patient is not in the record" in read(app)


def test_an_overview_photograph_of_another_patient_is_kept_only_if_a_person_says_so(
    open_patients: OpenPatients, record: Record
):
    patient = add_patient(record)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    files = [
        (
            f"{name}.dcm",
            write(make_photograph(pixels + number, PatientID=name)),
            "application/dicom",
        )
        for number, name in enumerate(("4711", "4712"))
    ]
    app = open_patients(patient=patient.id, new="overview")
    app = app.file_uploader[0].set_value(files).run()
    assert "names the patient 4712, and this is 4711" in app.warning[0].value.replace("\\", "")
    assert [each.value for each in app.checkbox if each.label.startswith("Keep")] == [True, False]
    app = click(app, "Save")

    (kept,) = record.find(Photograph, patient_id=patient.id)
    assert kept.value.kind is ImageKind.OVERVIEW

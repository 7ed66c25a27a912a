"""Writing into the record from a page: receipts, errors beside fields, and conflicts."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.entities import Patient
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Sex
from tests.dashboard.reading.driver import click, html


def show_patient() -> None:
    """Show a page with a form that corrects the first patient."""
    from dataclasses import replace

    import streamlit as st

    from dashboard.shared import record as pages
    from melanoma_core.records.entities import Patient

    record = pages.need_record()
    current = record.find(Patient)[0]

    def save() -> None:
        draft = pages.read_draft("patient")
        pages.save("patient", lambda change: write(change, draft))

    def write(change, draft):
        base = pages.find_base("patient", current)
        value = replace(
            base.value,
            pseudonym=draft["pseudonym"],
            birth_year=int(draft["birth_year"] or 0) or None,
        )
        return change.correct(base, value)

    st.text_input(
        "Pseudonym", key=pages.name_field("patient", "pseudonym", current.value.pseudonym)
    )
    pages.show_field_error("patient", "pseudonym")
    st.text_input(
        "Year", key=pages.name_field("patient", "birth_year", str(current.value.birth_year))
    )
    pages.show_field_error("patient", "birth_year")
    pages.keep_draft("patient", current)
    st.button(pages.name_save("patient", "Save"), on_click=save)
    pages.show_outcome("patient")


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    record = Record.create(folder, by="dr.a")
    with record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="7", birth_year=1960))
    yield record
    record.close()


def open_form(kept: dict[str, object] | None = None) -> AppTest:
    app = AppTest.from_function(show_patient, default_timeout=30)
    app.session_state["kept"] = {"who": "dr.b"} if kept is None else kept
    app.run()
    assert not app.exception
    return app


def type_into(app: AppTest, label: str, text: str) -> AppTest:
    (field,) = (field for field in app.text_input if field.label == label)
    field.set_value(text).run()
    assert not app.exception
    return app


def read_fields(app: AppTest) -> list[str]:
    return [field.value for field in app.text_input]


def change_elsewhere(record: Record, **fields: object) -> None:
    (current,) = record.find(Patient)
    with record.write(by="dr.a") as change:
        change.correct(current, replace(current.value, **fields))


def test_a_person_without_a_name_is_asked_before_anything_is_shown(record: Record):
    app = AppTest.from_function(show_patient, default_timeout=30).run()
    assert [field.label for field in app.text_input] == ["Your name or initials"]
    assert "7" not in read_fields(app)

    app.text_input[0].set_value("  dr.b ")
    click(app, "Continue")

    assert [field.label for field in app.text_input] == ["Pseudonym", "Year"]
    assert app.markdown[0].value == r"You are **dr\.b**."
    assert record.find(Patient)


def test_what_is_saved_has_a_receipt_with_its_version_and_writer(record: Record):
    app = click(type_into(open_form(), "Year", "1961"), "Save")

    assert "✓ Saved, version 2." in html(app)
    (patient,) = record.find(Patient)
    assert (patient.version, patient.by, patient.value.birth_year) == (2, "dr.b", 1961)
    assert "Saved" not in html(app.run())  # once


def test_an_error_is_beside_its_field_and_nothing_typed_is_lost(record: Record):
    app = type_into(open_form(), "Pseudonym", "eight")
    app = click(type_into(app, "Year", "2100"), "Save")

    assert read_fields(app) == ["eight", "2100"]
    assert "needed is a year from" in html(app)
    assert "Correct the fields that are marked." in html(app)
    assert record.find(Patient)[0].version == 1


def test_a_fault_of_the_record_loses_nothing_that_was_typed(record: Record):
    app = type_into(open_form(), "Pseudonym", "8")
    with record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="8"))

    app = click(app, "Save")

    assert "There is a patient &quot;8&quot; already." in html(app)
    assert "What you typed is still here." in html(app)
    assert read_fields(app) == ["8", "1960"]


@pytest.mark.slow  # it waits for as long as a record may be busy
def test_a_record_that_another_program_holds_says_so_and_the_form_stays(record: Record):
    app = type_into(open_form(), "Year", "1961")
    connection = sqlite3.connect(record.place.database_file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        app = click(app, "Save")
    finally:
        connection.close()

    assert "Not saved." in html(app)
    assert read_fields(app) == ["7", "1961"]
    assert "✓ Saved, version 2." in html(click(app, "Save"))


def test_the_second_of_two_people_sees_what_the_first_one_wrote(record: Record):
    app = type_into(open_form(), "Year", "1961")
    change_elsewhere(record, birth_year=1955)

    app = click(app, "Save")

    shown = html(app)
    assert "dr.a changed this patient" in shown
    assert "<td>1955</td><td>1961</td>" in shown
    assert read_fields(app)[1] == "1961"
    assert record.find(Patient)[0].value.birth_year == 1955


def test_the_second_may_take_the_first_ones_version(record: Record):
    app = type_into(open_form(), "Year", "1961")
    change_elsewhere(record, birth_year=1955)
    app = click(click(app, "Save"), "Load version 2")

    assert read_fields(app)[1] == "1955"
    assert record.find(Patient)[0].version == 2


def test_the_second_may_write_a_further_version_and_neither_is_lost(record: Record):
    app = type_into(open_form(), "Year", "1961")
    change_elsewhere(record, birth_year=1955)
    app = click(click(app, "Save"), "Save mine as version 3")

    assert "✓ Saved, version 3." in html(app)
    (patient,) = record.find(Patient)
    years = [each.value.birth_year for each in record.versions(Patient, patient.id)]
    assert years == [1960, 1955, 1961]


def test_after_a_conflict_one_button_saves_what_the_fields_hold_by_then(record: Record):
    app = type_into(open_form(), "Year", "1961")
    change_elsewhere(record, birth_year=1955)
    app = click(app, "Save")
    labels = [button.label for button in app.button if "ave" in button.label]
    assert labels == ["Save mine as version 3"]

    click(type_into(app, "Year", "1962"), "Save mine as version 3")
    assert record.find(Patient)[0].value.birth_year == 1962


def test_what_is_improbable_is_saved_once_it_is_confirmed(record: Record):
    year = str(date.today().year - 112)
    app = click(type_into(open_form(), "Year", year), "Save")
    assert "Not saved yet. Born in" in html(app)
    assert record.find(Patient)[0].version == 1

    app = click(app, "Save")  # pressing it again confirms nothing
    assert record.find(Patient)[0].version == 1
    app.checkbox[0].check().run()
    assert "✓ Saved, version 2." in html(click(app, "Save"))
    assert str(record.find(Patient)[0].value.birth_year) == year


def test_what_was_confirmed_is_not_confirmed_of_another_value(record: Record):
    this_year = date.today().year
    app = click(type_into(open_form(), "Year", str(this_year - 112)), "Save")
    app.checkbox[0].check().run()
    app = type_into(app, "Year", str(this_year - 113))
    assert not app.checkbox
    assert "Not saved yet" in html(click(app, "Save"))
    assert record.find(Patient)[0].version == 1


def test_an_error_goes_when_its_field_is_changed(record: Record):
    app = click(type_into(open_form(), "Year", "2100"), "Save")
    assert "needed is a year from" in html(app)
    app = type_into(app, "Year", "1961")
    assert "needed is a year from" not in html(app)
    assert "Correct the fields" not in html(app)
    assert record.find(Patient)[0].version == 1


def test_text_of_the_other_person_is_no_markup(record: Record):
    app = type_into(open_form(), "Year", "1961")
    change_elsewhere(record, pseudonym="<img src=x onerror=alert(1)>", sex=Sex.FEMALE)

    app = click(app, "Save")

    assert "&lt;img src=x onerror=alert(1)&gt;" in html(app)
    assert "<img" not in html(app)


def test_a_draft_outlives_a_reload_and_remembers_the_version_that_was_seen(record: Record):
    kept: dict[str, object] = {"who": "dr.b"}
    type_into(open_form(kept), "Year", "1961")
    change_elsewhere(record, birth_year=1955)

    app = open_form(kept)  # another session of the same browser
    assert read_fields(app)[1] == "1961"

    app = click(app, "Save")
    assert "dr.a changed this patient" in html(app)


def test_a_form_that_a_person_only_looked_at_shows_what_is_new(record: Record):
    kept: dict[str, object] = {"who": "dr.b"}
    app = open_form(kept)
    change_elsewhere(record, birth_year=1955)

    assert read_fields(app.run())[1] == "1955"
    assert read_fields(open_form(kept))[1] == "1955"

"""The tables of each release, and the way from it to those of today."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext

from melanoma_core.records import migrations
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.errors import RecordVersionError
from melanoma_core.records.ledger import Action
from melanoma_core.records.place import Place
from melanoma_core.records.schema import METADATA
from melanoma_core.records.store import Record
from tests.core.records.conftest import Tamper

FIRST_VERSION = Path(__file__).with_name("first_version.sql")


def open_first_version(folder: Path) -> Place:
    """Return a record as the first release has written it."""
    place = Place(folder / "first")
    place.images_folder.mkdir(parents=True)
    with sqlite3.connect(place.database_file) as connection:
        connection.executescript(FIRST_VERSION.read_text("utf-8"))
    connection.close()
    return place


def test_the_migrations_make_the_tables_of_the_schema(record: Record):
    with record._database.read() as connection:
        options = {"compare_type": True, "target_metadata": METADATA}
        context = MigrationContext.configure(connection, opts=options)
        difference = compare_metadata(context, METADATA)
        missing = render_python_code(produce_migrations(context, METADATA).upgrade_ops)

    assert difference == [], f"a new module in migrations/versions must do this:\n{missing}"


def test_the_versions_follow_on_each_other():
    assert migrations.find_newest() == "0004"
    assert migrations.is_known("0001")
    assert migrations.is_known("0004")
    assert not migrations.is_known("9999")


def test_an_upgrade_of_the_newest_changes_nothing(record: Record):
    assert Record.upgrade(record.place, by="dr.a") == ()
    assert len(record.list_log()) == 1


def test_a_database_without_a_version_is_brought_to_the_newest(tmp_path: Path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with engine.begin() as connection:
        assert migrations.find_current(connection) is None
        assert migrations.upgrade(connection) == ("0001", "0002", "0003", "0004")
        assert migrations.find_current(connection) == "0004"
    engine.dispose()


def test_a_record_of_the_first_version_is_upgraded_and_whole(tmp_path: Path):
    place = open_first_version(tmp_path)
    assert Record.upgrade(place, by="dr.b") == ("0002", "0003", "0004")

    record = Record.open(place)
    patient = record.find_patient("P-1")
    assert patient is not None
    assert (patient.version, patient.value.birth_year) == (2, 1961)
    (lesion,) = record.find(Lesion, patient_id=patient.id)
    case = record.load_case(lesion.id)
    assert case.histologies[0].value.text == "Ein Melanom.\n\tBreslow 0,4 mm – «pT1a»"
    faults = record.verify(read_images=False).faults
    # Its photographs are not part of the fixture.
    assert {fault.subject.split()[0] for fault in faults} <= {"photograph", "head.json"}
    record.close()


def test_an_old_record_is_not_opened_before_its_upgrade(
    record: Record, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(migrations, "find_newest", lambda: "0005")

    with pytest.raises(RecordVersionError, match="run `melanoma records upgrade"):
        Record.open(record.place)
    assert tamper


def test_an_upgrade_that_fails_leaves_the_record_as_it_was(
    record: Record, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
):
    with record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="P-1"))

    def fail(connection: sa.Connection) -> tuple[str, ...]:
        connection.exec_driver_sql("DROP TABLE task")
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "upgrade", fail)
    with pytest.raises(ZeroDivisionError):
        Record.upgrade(record.place, by="dr.a")

    assert record.rebuild() == 0
    assert record.list_log()[0].action is Action.ADDED
    assert tamper

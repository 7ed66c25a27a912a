"""Every column of every table is altered, in SQLite and in PostgreSQL: `verify` names it."""

from datetime import date, timedelta
from itertools import zip_longest

import pytest
import sqlalchemy as sa

from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.loop import Decision
from melanoma_core.records.place import Place
from melanoma_core.records.schema import (
    ENTITY,
    ERASING,
    IMAGE_USE,
    LOG,
    METADATA,
    REMOVAL,
    TABLES,
    TASK,
)
from melanoma_core.records.store import Record
from melanoma_core.records.verification import ImageCheck, verify
from melanoma_core.records.worklist import TaskQuery
from tests.core.records.made_entries import fill

# What nothing is read from: the number that a database gives to a row of the list of what waits.
WITHOUT_MEANING = {TASK.c.id}
EMPTY = {ERASING.name, REMOVAL.name}
OTHER = "0123456789abcdef" * 2


@pytest.fixture
def filled(record: Record) -> Record:
    fill(record)
    with record.write(by="dr.a") as change:
        patient = record.find_patient("P-1")
        assert patient is not None
        change.correct(patient, patient.value)
    return record


def find_faults(record: Record, *statements: sa.Executable) -> tuple[Fault, ...]:
    """Return what a check finds after statements that go past the triggers."""
    with record._database._engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        triggers = []
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            triggers = list(connection.exec_driver_sql(query))
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            assert connection.execute(statement).rowcount, "nothing was altered"
        for _, words in triggers:
            connection.exec_driver_sql(words)
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL session_replication_role = origin")
        images = ImageCheck(images=record.images, read=False)
        faults = verify(connection, record.place, images).faults
        connection.rollback()
    return faults


def make_other(column: "sa.Column[object]", value: object) -> object:
    """Return another value of the same type."""
    if isinstance(column.type, sa.Boolean):
        return not value
    if isinstance(column.type, sa.JSON):
        return {"x": [0.25]}
    if isinstance(column.type, sa.Integer | sa.Double):
        return (value or 0) + 1000  # type: ignore[operator]
    if isinstance(value, date):  # also a moment
        return value + timedelta(days=1)
    if isinstance(column.type, sa.Date):
        return date(2020, 1, 1)
    return OTHER if value != OTHER else "x"


def list_alterations(record: Record, column: "sa.Column[object]") -> list[sa.Update]:
    """Return what gives the first row another value, and no value where there may be none."""
    table = column.table
    with record._database.read() as connection:
        row = connection.execute(sa.select(table).order_by(*table.primary_key).limit(1)).one()
    key = [each == row._mapping[each.name] for each in table.primary_key]
    value = row._mapping[column.name]
    others = [make_other(column, value), *([None] if column.nullable and value else [])]
    return [sa.update(table).where(*key).values({column: other}) for other in others]


@pytest.mark.parametrize("table", [ENTITY, IMAGE_USE, LOG, TASK], ids=str)
def test_each_altered_column_is_named(filled: Record, table: sa.Table) -> None:
    unseen = [
        column
        for column in table.columns
        for alteration in list_alterations(filled, column)
        if not find_faults(filled, alteration)
    ]
    assert unseen == [column for column in WITHOUT_MEANING if column.table is table]


@pytest.mark.slow
def test_each_altered_column_of_each_kind_of_entry_is_named(filled: Record) -> None:
    """One column of each kind at once, since each check takes its time."""
    alterations = {
        kind.__name__: [
            each for column in table.columns for each in list_alterations(filled, column)
        ]
        for kind, table in TABLES.items()
    }
    unseen = []
    for some in zip_longest(*alterations.values()):
        altered = dict(zip(alterations, some, strict=True))
        faults = find_faults(filled, *[each for each in some if each is not None])
        named = {word for fault in faults for word in fault.subject.split()}
        unseen += [
            str(altered[kind])
            for kind in altered
            if altered[kind] is not None and kind not in named
        ]
    assert unseen == []


def test_each_removed_row_is_named(filled: Record) -> None:
    for table in METADATA.sorted_tables:
        if table.name not in EMPTY:
            assert find_faults(filled, sa.delete(table)), table.name


def test_each_copied_row_is_named(filled: Record) -> None:
    """A row with another key, as all other columns are copied."""
    for table in METADATA.sorted_tables:
        if table.name in EMPTY:
            continue
        copied = [
            sa.literal(make_other(each, None)) if each is next(iter(table.primary_key)) else each
            for each in table.columns
        ]
        query = sa.select(*copied).order_by(*table.primary_key).limit(1)
        insert = sa.insert(table).from_select([each.name for each in table.columns], query)
        assert find_faults(filled, insert), table.name


def test_a_row_that_lets_others_be_removed_is_named(filled: Record) -> None:
    (fault,) = find_faults(filled, sa.insert(ERASING).values(patient_id="x"))
    assert (fault.kind, fault.subject) == (FaultKind.UNPROTECTED, "the table erasing")


def test_a_used_photograph_on_the_list_of_removals_is_named(filled: Record) -> None:
    query = sa.select(IMAGE_USE.c.sha256).limit(1)
    (fault,) = find_faults(filled, sa.insert(REMOVAL).from_select(["sha256"], query))
    assert fault.kind is FaultKind.ALTERED
    assert "takes it off the list" in fault.text


def test_an_erased_photograph_that_its_list_has_lost_is_counted(filled: Record) -> None:
    """Only the list knows of the file; so the files that no entry names are counted."""
    sha256 = "0" * 64
    path = filled.images.folder / sha256[:2] / f"{sha256[2:]}.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    with filled._database.write() as connection:
        connection.execute(sa.insert(REMOVAL), {"sha256": sha256})
    result = filled.verify()
    assert [fault.kind for fault in result.faults] == [FaultKind.DAMAGED]
    with filled._database.write() as connection:
        connection.execute(sa.update(REMOVAL).values(sha256="1" * 64))
    result = filled.verify()
    assert (result.faults, result.num_unnamed) == ((), 1)


def test_an_altered_list_of_what_waits_is_named_and_repaired(filled: Record) -> None:
    query = TaskQuery(on=date(2026, 12, 31))
    before = filled.list_tasks(query)
    assert before.total
    with filled._database.write() as connection:
        connection.execute(sa.update(TASK).values(due_on=date(2099, 1, 1)))
    assert filled.list_tasks(query).total == 0
    (fault,) = filled.verify().faults
    assert (fault.kind, fault.subject) == (FaultKind.ALTERED, "the list of what waits")
    assert "`melanoma records rebuild`" in fault.text

    filled.rebuild()

    assert filled.verify().faults == ()
    assert filled.list_tasks(query).total == before.total


def test_a_damaged_lesion_does_not_hide_the_others_of_the_list(filled: Record) -> None:
    changed = sa.update(TABLES[Decision]).values(management="none that exists")
    kinds = {fault.subject.split()[0] for fault in find_faults(filled, changed)}
    assert kinds == {"version"}


def run(record: Record, *statements: str) -> tuple[Fault, ...]:
    """Return what a check finds after statements, which are then undone."""
    with record._database._engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        images = ImageCheck(images=record.images, read=False)
        faults = verify(connection, record.place, images).faults
        connection.rollback()
    return faults


def test_an_empty_trigger_is_named(record: Record) -> None:
    if record.place.url:
        statements = [
            "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            "DROP TRIGGER patient_no_update ON patient",
            "CREATE TRIGGER patient_no_update BEFORE UPDATE OR TRUNCATE ON patient "
            "FOR EACH STATEMENT EXECUTE FUNCTION nothing()",
        ]
    else:
        statements = [
            "DROP TRIGGER patient_no_update",
            "CREATE TRIGGER patient_no_update BEFORE UPDATE ON patient BEGIN SELECT 1; END",
        ]
    (fault,) = run(record, *statements)
    assert (fault.kind, fault.subject) == (
        FaultKind.UNPROTECTED,
        "the trigger patient_no_update",
    )


def test_a_trigger_of_another_is_named(record: Record) -> None:
    if record.place.url:
        statement = (
            "CREATE TRIGGER own AFTER INSERT ON log FOR EACH STATEMENT "
            "EXECUTE FUNCTION refuse_change()"
        )
    else:
        statement = "CREATE TRIGGER own AFTER INSERT ON log BEGIN SELECT 1; END"
    assert [fault.subject for fault in run(record, statement)] == ["the trigger own"]


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("ALTER TABLE patient ADD COLUMN other TEXT", "the table patient"),
        ("DROP INDEX ix_task_rank", "the table task"),
        ("UPDATE alembic_version SET version_num = '0001'", "the version of the tables"),
        ("INSERT INTO alembic_version VALUES ('9999')", "the version of the tables"),
    ],
)
def test_an_altered_table_is_named(record: Record, statement: str, subject: str) -> None:
    assert [fault.subject for fault in run(record, statement)] == [subject]


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("ALTER TABLE patient DISABLE TRIGGER patient_no_update", "the table patient"),
        ("ALTER TABLE patient ENABLE REPLICA TRIGGER patient_no_update", "the table patient"),
        ("SET session_replication_role = replica", "the database"),
        ("ALTER TABLE log ENABLE ROW LEVEL SECURITY", "the table log"),
        ("CREATE RULE own AS ON INSERT TO log DO INSTEAD NOTHING", "the table log"),
        ("ALTER TABLE recall DROP CONSTRAINT pk_recall", "the table recall"),
        (
            "CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            "the function refuse_removal",
        ),
    ],
)
@pytest.mark.slow
def test_what_postgresql_can_do_beside_is_named(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, statement: str, subject: str
) -> None:
    place = Place(tmp_path_factory.mktemp("pg") / "record", database_url)
    record = Record.create(place, by="dr.a")
    assert [fault.subject for fault in run(record, statement)] == [subject]
    record.close()

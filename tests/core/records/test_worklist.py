from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Decision, Histology, Recall, Specimen
from melanoma_core.records.patient_list import PatientQuery
from melanoma_core.records.store import Record
from melanoma_core.records.tasks import Severity
from melanoma_core.records.vocabulary import Management, ReadOrder, RecallStatus, Task
from melanoma_core.records.worklist import TaskCount, TaskPage, TaskQuery
from melanoma_core.records.worklist import list_tasks as list_tasks_of
from tests.core.records.made_cases import make_read, make_reading
from tests.core.records.made_entries import DAY, Filled, add_seen, fill, read_drawn

LATER = DAY + timedelta(days=400)


def ask(record: Record, **options: object) -> TaskPage:
    return record.list_tasks(TaskQuery(**{"on": LATER} | options))


def list_tasks(record: Record, **options: object) -> list[tuple[str, Task]]:
    return [(row.pseudonym, row.task) for row in ask(record, **options).rows]


def add(record: Record, *values: object) -> list[Entry]:
    with record.write(by="dr.a") as change:
        return [change.add(value) for value in values]


@pytest.fixture
def seen(record: Record) -> dict[str, Entry[Lesion]]:
    """The lesion of each of five patients, who were seen from one day to the next."""
    image = record.images.put(read_drawn())
    lesions = {}
    with record.write(by="dr.a") as change:
        for number in range(5):
            name = f"P-{number}"
            _, lesions[name], *_ = add_seen(change, name, image)
    return lesions


def test_an_empty_record_waits_for_nothing(record: Record):
    assert ask(record) == TaskPage((), 0)


def test_a_new_photograph_waits_to_be_read(record: Record, seen: dict[str, Entry[Lesion]]):
    page = ask(record, limit=2)

    assert page.total == 5
    row = page.rows[0]
    assert (row.pseudonym, row.label, row.task, row.due_on) == ("P-0", "1", Task.READ, DAY)
    assert (row.lesion_id, row.site) == (seen["P-0"].id, "Trunk:Posterior trunk:Upper back")
    assert row.severity == Severity.ROUTINE


def test_the_most_severe_comes_first_and_then_the_oldest(
    record: Record, seen: dict[str, Entry[Lesion]]
):
    case = record.load_case(seen["P-3"].id)
    visit = {"lesion_id": case.lesion.id, "visit_id": case.visits[0].id}
    add(record, Decision(**visit, management=Management.EXCISION))
    add(
        record,
        Specimen(lesion_id=case.lesion.id, number="1", taken_on=DAY, method=Management.EXCISION),
    )
    specimen = record.find(Specimen)[0]
    add(
        record,
        Histology(
            lesion_id=case.lesion.id,
            specimen_id=specimen.id,
            reported_on=DAY,
            diagnosis="Malignant:Malignant melanocytic proliferations (Melanoma)",
        ),
    )
    for number, name in enumerate(("P-4", "P-2")):
        visit = record.load_case(seen[name].id).visits[0]
        with record.write(by="dr.a") as change:
            change.correct(visit, replace(visit.value, on=DAY - timedelta(days=1 + number)))

    tasks = list_tasks(record)
    assert tasks[0] == ("P-3", Task.ACKNOWLEDGE)
    assert [name for name, task in tasks if task is Task.READ] == ["P-2", "P-4", "P-0", "P-1"]


def test_pages_follow_on_each_other(record: Record, seen: dict[str, Entry[Lesion]]):
    pages = [ask(record, limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    assert [row.pseudonym for page in pages for row in page.rows] == sorted(seen)
    assert {page.total for page in pages} == {5}


def test_what_is_due_later_is_not_listed_before(record: Record):
    filled = fill(record)  # its recall is due on 4 November

    on_the_day = date(2026, 11, 4)
    assert list_tasks(record, on=on_the_day - timedelta(days=1)) == []
    assert list_tasks(record, on=on_the_day) == [("P-1", Task.RECALL)]
    assert list_tasks(record, on=on_the_day + timedelta(days=6), overdue=True) == []
    assert list_tasks(record, on=on_the_day + timedelta(days=7), overdue=True) != []
    assert filled


def test_tasks_are_filtered_by_kind_and_by_words_in_any_case(
    record: Record, seen: dict[str, Entry[Lesion]]
):
    (skin,) = add(record, Patient(pseudonym="Öffentlich_1"))
    add(record, Recall(patient_id=skin.id, lesion_id=None, due_on=DAY))

    assert list_tasks(record, task=Task.RECALL) == [("Öffentlich_1", Task.RECALL)]
    assert list_tasks(record, text="öFFENT") == [("Öffentlich_1", Task.RECALL)]
    assert list_tasks(record, text="h_1") == [("Öffentlich_1", Task.RECALL)]
    assert list_tasks(record, text="%") == []
    assert ask(record, text="upper BACK p-2").total == 1
    assert ask(record, text="upper back").total == 5
    assert ask(record, task=Task.RECALL).rows[0].lesion_id is None
    assert seen


def test_a_recall_of_the_whole_skin_ends_when_it_is_done(record: Record):
    (patient,) = add(record, Patient(pseudonym="P-1"))
    (recall,) = add(record, Recall(patient_id=patient.id, lesion_id=None, due_on=DAY))
    assert ask(record).total == 1

    with record.write(by="dr.a") as change:
        change.correct(recall, replace(recall.value, status=RecallStatus.DONE))
    assert ask(record).total == 0


def test_a_new_pseudonym_is_in_the_list_at_once(record: Record, seen: dict[str, Entry[Lesion]]):
    patient = record.load_case(seen["P-1"].id).patient
    with record.write(by="dr.a") as change:
        change.correct(patient, replace(patient.value, pseudonym="Z-9"))

    assert list_tasks(record, text="z-9") == [("Z-9", Task.READ)]
    assert list_tasks(record, text="P-1") == []


@pytest.mark.parametrize("field", ["lesion", "patient", "visit", "photograph"])
def test_what_was_withdrawn_waits_for_nothing(record: Record, field: str):
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        patient, lesion, visit, photograph = add_seen(change, "P-1", image)
    entry = {"patient": patient, "lesion": lesion, "visit": visit, "photograph": photograph}[field]
    with record.write(by="dr.a") as change:
        change.withdraw(entry, "wrong person")

    assert ask(record).total == 0


def test_a_photograph_moved_to_another_lesion_changes_the_tasks_of_both(
    record: Record, seen: dict[str, Entry[Lesion]]
):
    case = record.load_case(seen["P-1"].id)
    (other,) = add(record, Lesion(patient_id=case.patient.id, label="2"))
    photograph = case.photographs[0]
    with record.write(by="dr.a") as change:
        change.correct(photograph, replace(photograph.value, lesion_id=other.id))

    rows = ask(record, text="P-1").rows
    assert [(row.lesion_id, row.label) for row in rows] == [(other.id, "2")]


def test_rebuilding_makes_the_same_tasks(
    record: Record, seen: dict[str, Entry[Lesion]], filled_record: Filled
):
    add(record, Recall(patient_id=filled_record.patient.id, lesion_id=None, due_on=DAY))
    before = ask(record)
    with record._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM task")
    assert ask(record).total == 0

    assert record.rebuild() == before.total == 7
    assert ask(record) == before
    assert seen


@pytest.fixture
def filled_record(record: Record) -> Filled:
    return fill(record, "Q-1")


@pytest.mark.usefixtures("seen")
def test_tasks_are_counted_by_kind_and_how_many_are_overdue(record: Record):
    (skin,) = add(record, Patient(pseudonym="Öffentlich_1"))
    add(record, Recall(patient_id=skin.id, lesion_id=None, due_on=DAY + timedelta(days=7)))

    def count(on: date, text: str = "") -> dict[Task, TaskCount]:
        return record.count_tasks(TaskQuery(on=on, text=text, task=Task.INFORM, overdue=True))

    assert count(DAY - timedelta(days=1)) == {}
    assert count(DAY) == {Task.READ: TaskCount(due=5, overdue=0)}
    assert count(DAY + timedelta(days=7)) == {
        Task.READ: TaskCount(due=5, overdue=5),
        Task.RECALL: TaskCount(due=1, overdue=0),
    }
    assert count(DAY + timedelta(days=7), "öffentlich") == {Task.RECALL: TaskCount(due=1)}


def test_no_list_says_what_an_ai_reading_says_before_the_first_read(
    record: Record, seen: dict[str, Entry[Lesion]]
):
    case = record.load_case(seen["P-3"].id)
    (visit,) = case.visits
    where = {"lesion_id": case.lesion.id, "visit_id": visit.id}
    reading = make_reading(visit.id, case.photographs[0].id, melanoma=0.9)
    add(record, replace(reading, **where))

    def rate(order: ReadOrder) -> tuple[str, set[int], int | None]:
        rows = ask(record, read_order=order).rows
        listed = record.list_patients(PatientQuery(on=LATER, text="P-3", read_order=order))
        return rows[0].pseudonym, {row.severity for row in rows}, listed[0].severity

    assert rate(ReadOrder.DOCTOR_FIRST) == ("P-0", {0}, 0)
    assert rate(ReadOrder.TOGETHER) == rate(ReadOrder.OFF) == ("P-3", {0, 3}, 3)

    add(record, replace(make_read(visit.id), **where))
    assert rate(ReadOrder.DOCTOR_FIRST) == ("P-3", {0, 3}, 3)


def test_where_the_doctor_reads_first_an_ai_reading_alone_leaves_a_lesion_to_read(
    record: Record, seen: dict[str, Entry[Lesion]]
):
    case = record.load_case(seen["P-3"].id)
    (visit,) = case.visits
    where = {"lesion_id": case.lesion.id, "visit_id": visit.id}
    add(record, replace(make_reading(visit.id, case.photographs[0].id), **where))

    def list_of(order: ReadOrder) -> list[Task]:
        return [row.task for row in ask(record, text="P-3", read_order=order).rows]

    assert list_of(ReadOrder.DOCTOR_FIRST) == [Task.READ]
    assert list_of(ReadOrder.TOGETHER) == [Task.DECIDE]
    assert list_tasks(record, task=Task.DECIDE) == []
    query = TaskQuery(on=LATER, text="P-3")
    assert list(record.count_tasks(query)) == [Task.READ]
    assert list(record.count_tasks(replace(query, read_order=ReadOrder.OFF))) == [Task.DECIDE]

    add(record, replace(make_read(visit.id), **where))
    assert list_of(ReadOrder.DOCTOR_FIRST) == [Task.DECIDE]


def test_a_recall_of_the_whole_skin_ends_the_wait_of_a_lesion_for_follow_up(record: Record):
    filled = fill(record)
    patient_id, recall = filled.patient.id, filled.entries[-1]
    with record.write(by="dr.a") as change:
        change.withdraw(recall, "another patient's")
    assert list_tasks(record, task=Task.FOLLOW_UP) == [("P-1", Task.FOLLOW_UP)]

    (whole,) = add(record, Recall(patient_id=patient_id, lesion_id=None, due_on=LATER))
    assert list_tasks(record) == [("P-1", Task.RECALL)]
    assert record.rebuild() == 1

    with record.write(by="dr.a") as change:
        change.withdraw(whole, "another patient's")
    assert list_tasks(record) == [("P-1", Task.FOLLOW_UP)]


def test_filters_and_counts_are_answered_from_an_index_of_their_own(tmp_path: Path):
    record = Record.create(tmp_path / "record", by="dr.a")
    query = TaskQuery(on=LATER, task=Task.READ, text="back", read_order=ReadOrder.TOGETHER)
    asked: list[str] = []
    with record._database.read() as connection:
        for each in (query, replace(query, read_order=ReadOrder.DOCTOR_FIRST)):
            asked += explain(connection, each)
    record.close()
    indexes = [words for words in asked if "COVERING INDEX ix_task_task" in words]
    assert len(indexes) == 2  # for the rows and for their number
    assert len([words for words in asked if "COVERING INDEX ix_task_shown_task" in words]) == 2


def explain(connection: sa.Connection, query: TaskQuery) -> list[str]:
    """Return how SQLite answers the questions of a list."""
    statements: list[tuple[str, object]] = []
    note = lambda _c, _cursor, words, values, *_: statements.append((words, values))  # noqa: E731
    sa.event.listen(connection, "before_cursor_execute", note)
    list_tasks_of(connection, query)
    sa.event.remove(connection, "before_cursor_execute", note)
    return [
        row[-1]
        for words, values in statements
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)
    ]

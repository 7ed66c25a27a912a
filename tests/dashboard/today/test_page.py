"""The Today page: what waits, the most severe first."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard.today.markup import render_row
from melanoma_core.records.entities import Patient
from melanoma_core.records.loop import Recall
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Task
from melanoma_core.records.worklist import TaskRow
from tests.core.records.made_entries import add_seen, fill, read_drawn
from tests.dashboard.reading.driver import click, html
from tests.dashboard.today.conftest import OpenToday

TODAY = date.today()


def add_to_read(record: Record, count: int, days: int = 0, first: int = 0) -> None:
    """Add patients whose lesion waits to be read since some days."""
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        for number in range(first, first + count):
            _, _, visit, _ = add_seen(change, f"P-{number:03d}", image)
            change.correct(visit, replace(visit.value, on=TODAY - timedelta(days=days)))


def list_links(app: AppTest) -> list[tuple[str, str]]:
    """Return the text and the address of each row's link."""
    return [
        (link.proto.label.replace("\\", ""), f"{link.proto.page}?{link.proto.query_string}")
        for link in app.get("page_link")
    ]


def list_chips(app: AppTest) -> list[str]:
    return list(app.button_group(key="today-task").options)


def test_a_record_in_which_nothing_waits_says_so(record: Record, open_today: OpenToday):
    app = open_today()

    assert record.count()["Patient"] == 0
    assert "<strong>Nothing waits.</strong>" in html(app)
    assert [text for text, _ in list_links(app)] == ["Patients"]


@pytest.mark.parametrize(
    ("severity", "words"),
    [(4, "melanoma confirmed, or urgent"), (3, "melanoma suspected or known"),
     (2, "skin cancer suspected or known")],
)  # fmt: skip
def test_a_row_does_not_call_suspected_what_a_report_may_have_confirmed(severity: int, words: str):
    row = TaskRow(
        patient_id="p", pseudonym="P-1", lesion_id="l", label="1", site="", task=Task.FOLLOW_UP,
        due_on=TODAY, severity=severity, entry_id="e",
    )  # fmt: skip
    assert f"</span> {words}</span>" in render_row(row, TODAY, is_overdue=False)


def test_a_row_opens_its_lesion_in_one_click(record: Record, open_today: OpenToday):
    filled = fill(record)

    links = list_links(open_today())

    assert links == [("P-1, lesion 1", f"lesion?lesion={filled.lesion.id}")]


def test_a_recall_of_the_whole_skin_opens_its_patient(record: Record, open_today: OpenToday):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="4711"))
        change.add(Recall(patient_id=patient.id, lesion_id=None, due_on=TODAY))

    assert list_links(open_today()) == [("4711, whole skin", f"patients?patient={patient.id}")]


def test_what_is_overdue_says_so_in_words_from_the_seventh_day(
    record: Record, open_today: OpenToday
):
    add_to_read(record, 1, days=7)
    add_to_read(record, 1, days=6, first=1)
    add_to_read(record, 1, days=1, first=2)
    add_to_read(record, 1, days=0, first=3)

    shown = html(open_today())

    due = re.findall(r'<span class="due">(.*?)</span></div>', shown)
    texts = [re.sub(r"<.*?>", "", each) for each in due]
    assert texts == [
        "⚠ overdue due for 7 days",
        "due for 6 days",
        "due since yesterday",
        "due today",
    ]
    assert "4 tasks wait, 1 of them overdue by 7 days or more." in shown


def test_kinds_of_tasks_are_counted_and_chosen(record: Record, open_today: OpenToday):
    fill(record)  # its recall is due on 4 November 2026
    add_to_read(record, 2)

    app = open_today()
    assert list_chips(app) == ["All (3)", "To read (2)", "Recall due (1)"]

    app.button_group(key="today-task").set_value(Task.RECALL).run()
    assert [text for text, _ in list_links(app)] == ["P-1, lesion 1"]
    assert app.query_params["task"] == "recall due"


def test_an_address_opens_the_same_list(record: Record, open_today: OpenToday):
    fill(record)
    add_to_read(record, 2)

    app = open_today(task=Task.READ, search="p-001")

    assert [text for text, _ in list_links(app)] == ["P-001, lesion 1"]
    assert list_chips(app) == ["All (1)", "To read (1)"]


def test_an_address_of_nothing_known_shows_all(record: Record, open_today: OpenToday):
    add_to_read(record, 2)

    assert len(list_links(open_today(task="to sleep", page="99", overdue="perhaps"))) == 2


def test_a_search_that_finds_nothing_can_be_taken_back(record: Record, open_today: OpenToday):
    add_to_read(record, 2)

    app = open_today(search="nowhere")
    assert "Nothing waits that fits" in html(app)

    app = click(app, "Show all")
    assert len(list_links(app)) == 2
    assert "search" not in app.query_params


def test_only_the_overdue_are_shown_on_request(record: Record, open_today: OpenToday):
    add_to_read(record, 2)
    add_to_read(record, 1, days=30, first=7)

    app = open_today()
    (box,) = (box for box in app.checkbox if box.label == "Overdue only (1)")
    box.check().run()

    assert [text for text, _ in list_links(app)] == ["P-007, lesion 1"]
    assert list_chips(app) == ["All (1)", "To read (1)"]


def test_a_long_list_has_pages_with_an_address(record: Record, open_today: OpenToday):
    add_to_read(record, 51)

    assert len(list_links(open_today())) == 50
    assert [text for text, _ in list_links(open_today(page="2"))] == ["P-050, lesion 1"]


@contextmanager
def count_queries() -> Iterator[list[str]]:
    queries: list[str] = []

    def note(*arguments: object) -> None:
        queries.append(str(arguments[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_a_page_of_fifty_rows_takes_as_many_queries_as_one_row(
    record: Record, open_today: OpenToday
):
    add_to_read(record, 1)
    open_today()  # opens the record
    with count_queries() as of_one:
        open_today()
    add_to_read(record, 49, first=1)
    with count_queries() as of_fifty:
        assert len(list_links(open_today())) == 50

    assert len(of_fifty) == len(of_one)


def test_text_of_people_is_shown_as_it_is(record: Record, open_today: OpenToday):
    name = "![q](w)<b>q www.evil.example"
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym=name))
        change.add(Recall(patient_id=patient.id, lesion_id=None, due_on=TODAY))

    app = open_today()

    ((text, _),) = list_links(app)
    assert text.replace("\u2060", "") == f"{name}, whole skin"
    assert "<b>q" not in html(app)

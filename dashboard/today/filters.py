"""What the list of Today shows: kind of task, only the overdue, words to search for."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, leave_address, write_address
from melanoma_core.records.vocabulary import ReadOrder, Task
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.store import Record
    from melanoma_core.records.worklist import TaskCount, TaskQuery

SEARCH = "today-search"
_TASK, _OVERDUE, _ALL = "today-task", "today-overdue", "all"
_PARAMETERS = {"search": SEARCH, "task": _TASK, "overdue": _OVERDUE}


def choose_tasks(record: "Record", on: date) -> "tuple[TaskQuery, Mapping[Task, TaskCount]]":
    """Let the person choose what to see.

    Args:
        record: The record.
        on: The day of the clinic.

    Returns:
        What was chosen, and how many tasks of each kind there are under the search.
    """
    from melanoma_core.records.worklist import TaskQuery

    with st.container(horizontal=True, vertical_alignment="bottom", key="today-filters"):
        text = _ask_text()
        counts = record.count_tasks(TaskQuery(on=on, text=text))
        overdue = _ask_overdue(counts)
    task = _choose_task(counts, overdue=overdue)
    order = ReadOrder(load_settings().first_read)
    query = TaskQuery(on=on, task=task, text=text, overdue=overdue, read_order=order)
    return query, counts


def count_chosen(query: "TaskQuery", counts: "Mapping[Task, TaskCount]") -> int:
    """Return how many tasks the list has."""
    return sum(
        count.overdue if query.overdue else count.due
        for task, count in counts.items()
        if query.task in (None, task)
    )


def show_all() -> None:
    """Take all filters away; a callback."""
    for parameter, key in _PARAMETERS.items():
        leave_address(parameter)
        st.session_state.pop(key, None)


def _ask_text() -> str:
    follow_address("search", SEARCH, "")
    text = st.text_input(
        "Search", key=SEARCH, placeholder="Patient, lesion or site", max_chars=80, width=320
    )
    write_address("search", SEARCH, "")
    return text.strip()


def _ask_overdue(counts: "Mapping[Task, TaskCount]") -> bool:
    follow_address("overdue", _OVERDUE, False, (False, True))
    number = sum(count.overdue for count in counts.values())
    overdue = st.checkbox(f"Overdue only ({number:,})", key=_OVERDUE)
    write_address("overdue", _OVERDUE, False)
    return overdue


def _choose_task(counts: "Mapping[Task, TaskCount]", *, overdue: bool) -> Task | None:
    """Let the person choose a kind of task; each says how many there are."""
    numbers = {task: count.overdue if overdue else count.due for task, count in counts.items()}
    follow_address("task", _TASK, _ALL, (_ALL, *Task))
    chosen = st.session_state[_TASK]
    shown = [_ALL, *(task for task in Task if numbers.get(task) or task == chosen)]

    def name(option: str) -> str:
        number = sum(numbers.values()) if option == _ALL else numbers.get(Task(option), 0)
        return f"{option.capitalize()} ({number:,})"

    st.segmented_control(
        "Waits for", shown, key=_TASK, format_func=name, required=True, label_visibility="collapsed"
    )
    write_address("task", _TASK, _ALL)
    chosen = st.session_state[_TASK]
    return None if chosen == _ALL else Task(chosen)

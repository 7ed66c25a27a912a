"""Who and what the lesion is, and what it waits for."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.record import get_today

if TYPE_CHECKING:
    from melanoma_core.records.steps import OpenStep


def show_head(opened: OpenedLesion) -> None:
    """Show the patient, the lesion, and what it waits for, the next step first."""
    from melanoma_core.records.steps import find_open_steps
    from melanoma_core.records.wording import describe_lesion, describe_person

    case = opened.case
    patient, lesion = case.patient.value, case.lesion.value
    with st.container(key="lesion-head", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f"<h2>Lesion {escape(lesion.label)}</h2>", width="content")
            st.page_link(
                "patients/page.py",
                label=_name_patient(patient.pseudonym),
                query_params={"patient": case.patient.id},
                width="content",
            )
            st.html(_render_facts(describe_person(patient, get_today())), width="content")
        st.html(_render_facts(describe_lesion(lesion)))
        st.html(_render_open(find_open_steps(case, opened.at_visit)))


def _name_patient(pseudonym: str) -> str:
    from dashboard.shared.markup import escape_markdown

    return f"Patient {escape_markdown(pseudonym)}"


def _render_facts(facts: tuple[str, ...]) -> str:
    return f'<p class="fact">{" · ".join(map(escape, facts)) or "No further facts."}</p>'


def _render_open(steps: "tuple[OpenStep, ...]") -> str:
    """Render what the lesion waits for as a list; the next step is the first."""
    if not steps:
        return '<p class="fact">It waits for nothing.</p>'
    said = [f"{escape(str(step.step))}{_render_due(step)}" for step in steps]
    later = "".join(f"<li>{each}</li>" for each in said[1:])
    return (
        '<ul class="waits" aria-label="The lesion waits for">'
        f"<li><strong>Next: {said[0]}</strong></li>{later}</ul>"
    )


def _render_due(step: "OpenStep") -> str:
    from melanoma_core.records.dates import write_day
    from melanoma_core.records.tasks import is_due, is_overdue

    if step.due_on is None:
        return ""
    today = get_today()
    word = "overdue since" if is_overdue(step.due_on, today) else "due"
    if not is_due(step.due_on, today):
        word = "due from"
    return f", {word} {write_day(step.due_on)}"

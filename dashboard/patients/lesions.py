"""All lesions of a patient: on the body map, and as a list that says the same."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.patients.body_figure import MapMark
from dashboard.patients.body_map import show_body_map
from dashboard.patients.form import EDIT, NEW, open_form
from dashboard.patients.markup import describe_step, name_class, name_level, render_lesion
from dashboard.patients.opened import OpenedPatient
from dashboard.shared.markup import escape_markdown
from dashboard.shared.record import get_today

if TYPE_CHECKING:
    from melanoma_core.records.lesion_summary import LesionSummary

_LEGEND = (
    '<p class="fact">The worst AI reading that is kept of each lesion: ▲ melanoma alert, '
    "△ other skin cancer suspected, ○ no alert, – not read, ? shown after the first read.</p>"
)


def show_lesions(opened: OpenedPatient) -> None:
    """Show the body map and the list of the patient's lesions."""
    if opened.can_write:
        st.button("New lesion", key="new-lesion", on_click=open_form, args=(NEW, "lesion"))
    body, rows = st.columns([9, 11], gap="medium")
    with body:
        show_body_map(make_marks(opened.summaries))
        st.html(_LEGEND)
    with rows:
        st.html(f"<h3>{_count(len(opened.summaries))}</h3>")
        with st.container(gap=None, key="lesion-rows"):
            for summary in opened.summaries:
                _show_row(opened, summary)


def make_marks(summaries: "tuple[LesionSummary, ...]", but: str = "") -> list[MapMark]:
    """Return the lesions that have a place on the map.

    Args:
        summaries: The lesions.
        but: Id of a lesion that is left out.
    """
    from melanoma_core.records.wording import say_site

    marks = []
    for summary in summaries:
        lesion, (symbol, words) = summary.lesion.value, name_level(summary)
        if lesion.map_point is None or summary.lesion.id == but:
            continue
        facts = (say_site(lesion), words, describe_step(summary.next_step, get_today()))
        details = "; ".join(fact for fact in facts if fact)
        marks.append(
            MapMark(
                lesion_id=summary.lesion.id,
                point=lesion.map_point,
                label=lesion.label,
                symbol=symbol,
                details=details,
                style=name_class(summary),
            )
        )
    return marks


def _show_row(opened: OpenedPatient, summary: "LesionSummary") -> None:
    lesion = summary.lesion
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"lesion-row-{lesion.id}"
    ):
        st.page_link(
            "lesion/page.py",
            label=f"Lesion {escape_markdown(lesion.value.label)}",
            query_params={"lesion": lesion.id},
            width=120,
        )
        st.html(render_lesion(summary, get_today()))
        if opened.can_write:
            st.button(
                "Correct" if lesion.value.map_point else "Correct or place",
                key=f"edit-{lesion.id}",
                type="tertiary",
                help="Its site, its place on the map, and what was noticed.",
                on_click=open_form,
                args=(EDIT, lesion.id),
            )


def _count(number: int) -> str:
    if not number:
        return "No lesion yet"
    return f"{number:,} lesion{'' if number == 1 else 's'}"

"""The mosaic: the newest photograph of each lesion, by label, by date, or the most unlike first."""

from datetime import date
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.patients.markup import name_class, name_level
from dashboard.patients.opened import OpenedPatient
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.pictures import get_thumbnail
from dashboard.shared.reading_model import get_classifier, get_turns

if TYPE_CHECKING:
    from melanoma_core.records.lesion_summary import LesionSummary
    from melanoma_core.records.ugly_duckling import Hint

_ORDERS = {"label": "By label", "newest": "Newest first", "unlike": "Most unlike first (a hint)"}
_ORDER, _KEY = "order", "mosaic-order"
_WIDTH = 220  # px


def show_mosaic(opened: OpenedPatient) -> None:
    """Show the lesions' newest photographs in an order that the person chooses."""
    from melanoma_core.records.ugly_duckling import Hint

    follow_address(_ORDER, _KEY, "label", _ORDERS)
    st.segmented_control(
        "Order", list(_ORDERS), format_func=_ORDERS.__getitem__, key=_KEY, required=True
    )
    write_address(_ORDER, _KEY, "label")
    hint = Hint()
    summaries = list(opened.summaries)
    match st.session_state[_KEY]:
        case "newest":
            summaries.sort(key=_find_day, reverse=True)
        case "unlike":
            with show_errors():
                hint = _find_hint(opened)
                st.html(_render_hint(hint))
            summaries.sort(key=lambda each: hint.place(each.lesion.id))
    with st.container(horizontal=True, gap="small", key="mosaic"):
        for summary in summaries:
            _show_tile(opened, summary, hint)
    if not summaries:
        st.html("<p>There is no lesion yet.</p>")


def _find_hint(opened: OpenedPatient) -> "Hint":
    """Return how unlike the others each lesion is; photographs that are new are read first."""
    from melanoma_core.records.ugly_duckling import find_hint

    with st.spinner("Comparing the photographs"), get_turns().take():
        return find_hint(opened.record, get_classifier(), opened.summaries)


def _find_day(summary: "LesionSummary") -> date:
    photograph = summary.photograph
    return date.min if photograph is None else photograph.value.taken_on or photograph.at.date()


def _show_tile(opened: OpenedPatient, summary: "LesionSummary", hint: "Hint") -> None:
    lesion, photograph = summary.lesion, summary.photograph
    with st.container(border=True, gap="xxsmall", width=_WIDTH, key=f"tile-{lesion.id}"):
        if photograph is not None:
            with show_errors():
                picture = get_thumbnail(opened.record, photograph.value.sha256)
                alt = f"Lesion {lesion.value.label}, newest photograph"
                st.image(picture, width="stretch", alt=alt)
        else:
            st.html('<p class="no-picture">No photograph</p>')
        st.page_link(
            "lesion/page.py",
            label=f"Lesion {escape_markdown(lesion.value.label)}",
            query_params={"lesion": lesion.id},
        )
        st.html(_render_facts(summary, hint))


def _render_facts(summary: "LesionSummary", hint: "Hint") -> str:
    from melanoma_core.records.dates import write_day
    from melanoma_core.records.wording import say_site

    symbol, words = name_level(summary)
    facts = [
        escape(say_site(summary.lesion.value)),
        write_day(_find_day(summary)) if summary.photograph else "",
        f'<span class="{name_class(summary)}"><span aria-hidden="true">{symbol}</span> {words}'
        "</span>",
        escape(hint.describe(summary.lesion.id)),
    ]
    return "".join(f'<p class="fact">{fact}</p>' for fact in facts if fact)


def _render_hint(hint: "Hint") -> str:
    left_out = "".join(f"<p>{escape(each)}</p>" for each in hint.left_out)
    return f'<section class="hint" role="note"><p>{escape(hint.note)}</p>{left_out}</section>'

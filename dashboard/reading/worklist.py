"""The worklist: lesions in the sidebar, most suspicious first, and navigation."""

import streamlit as st

from dashboard.reading.combining import choose_lesion, clear_selection, offer_combining
from dashboard.reading.dragging import accept_drops
from dashboard.reading.markup import render_name
from dashboard.reading.prevalence import adapt
from dashboard.reading.verdict import name_level, render_row
from dashboard.shared.paging import choose_page
from dashboard.shared.prevalence import get_prevalence
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.worklist import Worklist, export_csv

_PAGE_LENGTH = 10


def show_worklist(worklist: Worklist) -> None:
    """List the readings in the sidebar if there are several photographs."""
    lesions, position = worklist.lesions, worklist.position
    count = len(worklist.entries)
    if count < 2 or position is None:
        return
    with st.sidebar:
        photographs = "" if len(lesions) == count else f" of {count:,} photographs"
        title = f"{len(lesions):,} readings" if len(lesions) > 1 else "1 reading"
        st.subheader(f"{title}{photographs}, most suspicious first", anchor=False)
        offer_combining(worklist)
        opened = lesions[position]
        # A key per opened lesion, so that the list turns to its page.
        page = choose_page(len(lesions), _PAGE_LENGTH, f"page-{opened.key}", opened=position)
        with st.container(gap="xsmall", key="worklist"):
            for lesion in lesions[page]:
                _show_row(worklist, lesion, is_open=lesion is opened)
        accept_drops(worklist)


def show_navigation(worklist: Worklist, opened: Lesion) -> None:
    """Show the name of what is open, and buttons to step, separate, download and clear."""
    lesions = worklist.lesions
    position = worklist.position or 0
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        st.html(render_name(_name_opened(worklist, opened)))
        if len(opened.entries) > 1:
            _offer_parts(worklist, opened)
        if len(lesions) > 1:
            st.caption(f"{position + 1} of {len(lesions)}", width="content")
            _offer_step("Previous", worklist, lesions, position - 1)
            _offer_step("Next", worklist, lesions, position + 1)
        st.download_button(
            "Download table",
            data=export_csv(worklist, get_prevalence()),
            file_name="readings.csv",
            mime="text/csv",
            on_click="ignore",
            help="All readings and refused files, as CSV.",
        )
        st.button(
            "Clear all",
            help="Delete all photographs and readings of this session.",
            on_click=_clear,
            args=(worklist,),
        )


def _name_opened(worklist: Worklist, opened: Lesion) -> str:
    count, entry = len(opened.entries), worklist.opened
    if count == 1:
        return opened.name
    return f"{opened.name}: {entry.name if entry else f'{count:,} photographs'}"


def _offer_parts(worklist: Worklist, opened: Lesion) -> None:
    """Offer to go back from a photograph to its lesion, and to take photographs out of it."""
    entry = worklist.opened
    if entry is None:
        st.button(
            "Separate",
            help="Take the photographs of this lesion apart again.",
            on_click=worklist.separate,
            args=(opened.keys,),
        )
        return
    st.button(
        f"All {len(opened.entries):,} photographs",
        help="Open the reading of the lesion, made of all its photographs.",
        on_click=worklist.open_lesion,
        args=(entry.key,),
    )
    st.button(
        "Take out",
        help="Take this photograph out of the lesion.",
        on_click=worklist.separate,
        args=([entry.key],),
    )


def _show_row(worklist: Worklist, lesion: Lesion, is_open: bool) -> None:
    adapted = adapt(lesion.reading, lesion.entries[0].card)
    row = f"lesion-row-{lesion.key}"  # `dragging.js` finds rows by this name
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=row):
        with st.container(width=56, gap="xxsmall"):
            st.image(lesion.entries[0].thumbnail, width=56, alt="")
            choose_lesion(lesion)
        with st.container(gap=None):
            st.button(
                name_level(lesion.reading, adapted),
                key=f"open-{lesion.key}",
                help="Open this reading.",
                type="primary" if is_open else "secondary",
                on_click=worklist.open_lesion,
                args=(lesion.key,),
                width="stretch",
            )
            st.html(render_row(lesion, adapted))


def _offer_step(label: str, worklist: Worklist, lesions: list[Lesion], position: int) -> None:
    exists = 0 <= position < len(lesions)
    st.button(
        label,
        help=f"Open the {label.lower()} reading in the list.",
        disabled=not exists,
        on_click=worklist.open_lesion,
        args=(lesions[position].key,) if exists else (),
    )


def _clear(worklist: Worklist) -> None:
    worklist.clear()
    clear_selection()

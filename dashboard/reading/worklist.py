"""The worklist: readings in the sidebar, most suspicious first, refused files, and navigation."""

import streamlit as st

from dashboard.reading.markup import name_alert, render_name, render_refused
from dashboard.shared.paging import choose_page
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.worklist import Worklist, export_csv

_PAGE_LENGTH = 10


def show_worklist(worklist: Worklist) -> None:
    """List the readings in the sidebar if there are several."""
    entries, position = worklist.entries, worklist.position
    if len(entries) < 2 or position is None:
        return
    with st.sidebar:
        st.subheader(f"{len(entries)} readings, most suspicious first", anchor=False)
        opened = entries[position]
        # A key per opened photograph, so that the list turns to its page.
        page = choose_page(len(entries), _PAGE_LENGTH, f"page-{opened.key}", opened=position)
        with st.container(gap="xsmall"):
            for entry in entries[page]:
                _show_row(worklist, entry, is_open=entry is opened)


def show_refused(worklist: Worklist) -> None:
    """Show the files that were not read, each with the reason, until dismissed."""
    refused = worklist.refused
    if not refused:
        return
    with st.container(horizontal=True, vertical_alignment="top", key="refused"):
        st.html(render_refused(refused))
        st.button("Dismiss", help="Hide these messages.", on_click=worklist.dismiss_refused)


def show_navigation(worklist: Worklist) -> None:
    """Show the name of the opened photograph, and buttons to step, download and clear."""
    entries, position = worklist.entries, worklist.position
    if position is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        st.html(render_name(entries[position].name))
        if len(entries) > 1:
            st.caption(f"{position + 1} of {len(entries)}", width="content")
            _offer_step("Previous", worklist, entries, position - 1)
            _offer_step("Next", worklist, entries, position + 1)
        st.download_button(
            "Download table",
            data=export_csv(worklist),
            file_name="readings.csv",
            mime="text/csv",
            on_click="ignore",
            help="All readings and refused files, as CSV.",
        )
        st.button(
            "Clear all",
            help="Delete all photographs and readings of this session.",
            on_click=worklist.clear,
        )


def _show_row(worklist: Worklist, entry: Entry, is_open: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(entry.thumbnail, width=56, alt="")
        with st.container(gap=None):
            st.button(
                name_alert(entry.reading),
                key=f"open-{entry.key}",
                help="Open this photograph.",
                type="primary" if is_open else "secondary",
                on_click=worklist.open,
                args=(entry.key,),
                width="stretch",
            )
            st.html(render_name(entry.name))


def _offer_step(label: str, worklist: Worklist, entries: list[Entry], position: int) -> None:
    exists = 0 <= position < len(entries)
    st.button(
        label,
        help=f"Open the {label.lower()} photograph in the list.",
        disabled=not exists,
        on_click=worklist.open,
        args=(entries[position].key,) if exists else (),
    )

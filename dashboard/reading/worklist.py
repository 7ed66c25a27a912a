"""The list of what was read, the most suspicious first, in the sidebar."""

from math import ceil

import streamlit as st

from dashboard.shared.markup import name_alert, render_name, render_refused
from melanoma_core.reading.worklist import Entry, Worklist, tabulate

PAGE_LENGTH = 10


def show_worklist(worklist: Worklist) -> None:
    """List the photographs in the sidebar, with what can be done with all of them."""
    entries, position = worklist.entries, worklist.position
    if len(entries) < 2 or position is None:
        return
    with st.sidebar:
        st.subheader(f"{len(entries)} read, most suspicious first", anchor=False)
        opened = entries[position]
        page = _choose_page(len(entries), position, opened)
        with st.container(gap="xsmall"):
            for entry in entries[page * PAGE_LENGTH : (page + 1) * PAGE_LENGTH]:
                _show_row(worklist, entry, is_open=entry is opened)


def show_refused(worklist: Worklist) -> None:
    """Say of each file that was not read why, until that is dismissed."""
    refused = worklist.refused
    if not refused:
        return
    with st.container(horizontal=True, vertical_alignment="top", key="refused"):
        st.html(render_refused(refused))
        st.button("Dismiss", help="Take these messages away.", on_click=worklist.dismiss_refused)


def show_steps(worklist: Worklist) -> None:
    """Show where the opened photograph stands, with what can be done with it and with all."""
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
            data=tabulate(worklist),
            file_name="readings.csv",
            mime="text/csv",
            on_click="ignore",
            help="Every reading and every refused file, as CSV.",
        )
        st.button(
            "Clear all",
            help="Forget every photograph and reading of this page.",
            on_click=worklist.clear,
        )


def _choose_page(num_entries: int, position: int, opened: Entry) -> int:
    num_pages = ceil(num_entries / PAGE_LENGTH)
    if num_pages == 1:
        return 0
    # A key per opened photograph: whoever steps to the next one is taken to its page.
    return (
        st.pagination(
            num_pages, default=position // PAGE_LENGTH + 1, key=f"page-{opened.key}-{num_pages}"
        )
        - 1
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


def _offer_step(label: str, worklist: Worklist, entries: list[Entry], place: int) -> None:
    exists = 0 <= place < len(entries)
    st.button(
        label,
        help=f"Open the {label.lower()} photograph of the list.",
        disabled=not exists,
        on_click=worklist.open,
        args=(entries[place].key,) if exists else (),
    )

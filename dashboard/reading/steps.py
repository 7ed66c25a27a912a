"""What is open: its name, steps through the list, marks, the table, and its removal."""

from functools import partial

import streamlit as st

from dashboard.reading.keeping import offer_keeping
from dashboard.reading.markup import render_name
from dashboard.reading.removing import offer_forgetting
from dashboard.reading.worklist import get_shown, uses_keys
from dashboard.shared.prevalence import get_prevalence
from melanoma_core.reading.filters import find_step
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.worklist import Worklist
from melanoma_core.reading.worklist_table import export_csv


def show_navigation(worklist: Worklist, opened: Lesion) -> None:
    """Show the name of what is open, and buttons to step, mark, separate, download and forget."""
    lesions = worklist.lesions
    position = worklist.position or 0
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        st.html(render_name(_name_opened(worklist, opened)))
        if len(opened.entries) > 1:
            _offer_parts(worklist, opened)
        if len(lesions) > 1:
            st.caption(f"{position + 1} of {len(lesions)}", width="content")
            shown = get_shown(worklist).lesions
            _offer_step("Previous", "k", worklist, find_step(lesions, shown, position, -1))
            _offer_step("Next", "j", worklist, find_step(lesions, shown, position, 1))
            _offer_mark(worklist, opened)
        st.download_button(
            "Download table",
            data=partial(export_csv, worklist, get_prevalence()),  # made on the click
            file_name="readings.csv",
            mime="text/csv",
            on_click="ignore",
            help="All readings and refused files, as CSV.",
        )
        offer_keeping(opened)
        offer_forgetting(worklist)


def _offer_mark(worklist: Worklist, opened: Lesion) -> None:
    looked_at = opened.key in worklist.looked_at
    st.button(
        "Mark as not looked at" if looked_at else "Mark as looked at",
        help="What you open counts as looked at. The list can show what does not yet.",
        key="mark",
        on_click=_mark,
        args=(worklist, opened.key, not looked_at),
    )


def _mark(worklist: Worklist, key: int, looked_at: bool) -> None:
    worklist.mark(key, looked_at=looked_at)


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


def _offer_step(label: str, key: str, worklist: Worklist, to: Lesion | None) -> None:
    st.button(
        label,
        help=f"Open the {label.lower()} reading that the list shows.",
        disabled=to is None,
        shortcut=key if uses_keys() else None,
        on_click=worklist.open_lesion,
        args=(to.key,) if to else (),
    )

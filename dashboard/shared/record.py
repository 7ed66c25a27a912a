"""The clinic's record on a page: what a page of the record begins with, and how it writes.

A page calls `need_record` after its header. It returns the record, or shows the introduction and
stops the page. `save` writes, and `show_outcome` says what came of it.
"""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import find_subject, may
from dashboard.shared.clock import get_today, render_moment
from dashboard.shared.drafts import (
    find_base,
    forget_draft,
    has_draft,
    keep_draft,
    name_field,
    read_draft,
)
from dashboard.shared.errors import show_errors
from dashboard.shared.html import show_html
from dashboard.shared.opening import has_opened, holds_drawn, open_record
from dashboard.shared.person import ask_who, get_who, show_who
from dashboard.shared.record_introduction import show_closing, show_introduction
from dashboard.shared.saving import get_outcome, name_save, save, show_field_error, show_outcome
from melanoma_core.access.rights import Right

if TYPE_CHECKING:
    from melanoma_core.records.store import Record

__all__ = [
    "ask_who",
    "find_base",
    "forget_draft",
    "get_outcome",
    "get_today",
    "get_who",
    "has_draft",
    "keep_draft",
    "log_seen",
    "may_write",
    "name_field",
    "name_save",
    "need_record",
    "open_record",
    "read_draft",
    "render_moment",
    "save",
    "show_field_error",
    "show_outcome",
    "show_record_bar",
]

_SEEN = "seen-entries"


def need_record() -> "Record":
    """Return the open record, with its bar on the page; else introduce it, and stop the page."""
    record = None
    with show_errors():
        record = open_record()
        if record is None:
            show_introduction()
    if record is None:
        if has_opened():
            show_closing()  # what cannot be opened can still be closed
        st.stop()
    show_record_bar(record)
    return record


def show_record_bar(record: "Record") -> None:
    """Show which record is open and for whom; that it is drawn, or cannot be written.

    The page stops as long as the person has given no name.
    """
    is_drawn = holds_drawn(record)
    show_html(_render_state(record, is_drawn=is_drawn))
    ask_who(is_drawn=is_drawn)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="record-bar"):
        name = "Demonstration record" if is_drawn else "Record"
        st.html(
            f'<p class="fact">{name} in <code>{escape(str(record.place.folder))}</code></p>',
            width="content",
        )
        show_who()
        show_closing()


def may_write(record: "Record") -> bool:
    """Return whether to offer what writes an entry; where not, the bar of the record says why."""
    return not record.is_read_only and may(Right.WRITE_RECORD)


def log_seen(record: "Record", kind: type | None, entry_id: str = "", detail: str = "") -> None:
    """Write into the audit log that the person sees an entry: once until the page is reloaded.

    Args:
        record: The record.
        kind: Kind of the entry; None for what is made of many, such as the audit.
        entry_id: Id of the entry.
        detail: What it is, without a name of a patient.
    """
    seen: set[tuple[str, ...]] = st.session_state.setdefault(_SEEN, set())
    if (get_who(), entry_id, detail) not in seen:
        with show_errors():
            record.log_seen(by=get_who(), kind=kind, entry_id=entry_id, detail=detail)
            seen.add((get_who(), entry_id, detail))


def _render_state(record: "Record", *, is_drawn: bool) -> str:
    notes = []
    if is_drawn:
        notes.append(
            "Demonstration: a program has drawn every photograph here, and invented every person, "
            "date and report."
        )
    lack = find_subject().explain_lack(Right.WRITE_RECORD)
    if record.is_read_only:
        notes.append("This record cannot be written here: you can read it, and nothing is saved.")
    elif lack:
        notes.append(f"You can read this record. {lack}")
    return "".join(f'<p class="drawn" role="note">{note}</p>' for note in notes)

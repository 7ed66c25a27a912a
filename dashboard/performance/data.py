"""What the audit reads of a record: once for all sessions, with progress, and again on request."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.clock import render_moment
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress

if TYPE_CHECKING:
    from melanoma_core.records.audit import AuditData
    from melanoma_core.records.store import Record

_CANCELLED, _AGAIN = "cancelled-audit", "audit-again"
_QUICK_SECONDS = 3.0  # a record that is read faster is read again at once when it has changed


@dataclass(frozen=True, eq=False)
class Kept:
    """What was read of a record.

    Attributes:
        data: What the audit needs of it.
        key: Stands for it where results are cached.
        number: Number of the last entry of the audit log before it was read.
        at: When it was read.
        seconds: How long that took.
    """

    data: "AuditData"
    key: str
    number: int
    at: datetime
    seconds: float


def load_data(record: "Record") -> Kept | None:
    """Return what the audit needs of a record, and read it if it has changed.

    A large record is read again when a person asks for it, or when a patient was erased.

    Returns:
        None if the person has cancelled the reading.
    """
    kept = _get_all().get(record.record_id)
    if kept is None or _is_outdated(record, kept):
        if is_requested(_CANCELLED):
            st.html("<p>Reading the record was cancelled.</p>")
            st.button("Read the record", on_click=cancel_request, args=(_CANCELLED,))
            return None
        kept = _read(record)
        cancel_request(_AGAIN)
        _get_all()[record.record_id] = kept
    return kept


def _is_outdated(record: "Record", kept: Kept) -> bool:
    """Return whether what was read is read again; say it where the person decides."""
    from melanoma_core.records.ledger import Action

    changes = record.count_changes(kept.number)
    if not changes:
        return False
    if Action.ERASED in changes or kept.seconds < _QUICK_SECONDS or is_requested(_AGAIN):
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<p class="fact">As of {render_moment(kept.at)}. Since then, the record was changed '
            f"{sum(changes.values()):,} times.</p>",
            width="content",
        )
        st.button("Read it again", on_click=request_work, args=(_AGAIN,))
    return False


def _read(record: "Record") -> Kept:
    from melanoma_core.records.audit import read_audit_data

    work = st.empty()
    with work.container():
        st.button("Cancel", on_click=request_work, args=(_CANCELLED,), key="cancel-audit")
        number = record.find_newest()
        started = time.monotonic()
        data = read_audit_data(record, progress=show_progress("Reading lesions"))
        seconds = time.monotonic() - started
    work.empty()
    key = f"{record.record_id}-{number}"
    return Kept(data, key, number, datetime.now(UTC), seconds)


@st.cache_resource(show_spinner=False)
def _get_all() -> dict[str, Kept]:
    """Return what was read of each record, by its id, to be added to."""
    return {}

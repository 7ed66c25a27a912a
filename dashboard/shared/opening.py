"""The record that is open, shared by all sessions."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import is_local
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.place import Place
    from melanoma_core.records.store import Record


def open_record() -> "Record | None":
    """Return the record that is open; None if nothing is kept, or the person is elsewhere.

    Raises:
        RecordError: It cannot be opened.
    """
    from melanoma_core.records.opened import find_opened

    place = find_opened(load_settings()) if is_local() else None
    return _open(place, _identify(place.database_file)) if place is not None else None


@st.cache_resource(show_spinner=False, max_entries=4, on_release=lambda record: record.close())
def _open(_place: "Place", identity: str) -> "Record":  # noqa: ARG001
    from melanoma_core.records.store import Record

    return Record.open(_place)


def _identify(file: Path) -> str:
    """Return what another record in the same folder would not have."""
    try:
        status = file.stat()
    except OSError:
        return str(file)
    return f"{file} {status.st_dev} {status.st_ino}"

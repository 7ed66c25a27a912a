"""The record that is open, shared by all sessions."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import may
from melanoma_core.access.rights import Right
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.place import Place
    from melanoma_core.records.store import Record

_DRAWN_SECONDS = 60  # a record may just be drawn on the command line


def open_record() -> "Record | None":
    """Return the record that is open; None if nothing is kept, or the person may not see it.

    Raises:
        RecordError: It cannot be opened.
    """
    place = _find_place()
    if place is None or not (place.url or has_opened() or place.database_file.is_file()):
        return None
    return _open(place, _identify(place.database_file))


def name_record() -> str | None:
    """Return what no other record has, of the one that is open here; None if none is."""
    place = _find_place()
    if place is None or not (place.url or place.database_file.is_file()):
        return None
    return _identify(place.database_file)


def has_opened() -> bool:
    """Return whether a person has opened a record on a page, whether or not it can be read now."""
    from melanoma_core.records.opened import read_opened

    settings = load_settings()
    return may(Right.SEE_RECORD) and settings.record is None and read_opened(settings) is not None


def holds_drawn(record: "Record") -> bool:
    """Return whether it is the demonstration record."""
    return _holds_drawn(record.record_id, record)


@st.cache_data(show_spinner=False, ttl=_DRAWN_SECONDS)
def _holds_drawn(record_id: str, _record: "Record") -> bool:  # noqa: ARG001
    from melanoma_core.records.drawn import holds_drawn

    return holds_drawn(_record)


def _find_place() -> "Place | None":
    from melanoma_core.records.opened import find_opened

    return find_opened(load_settings()) if may(Right.SEE_RECORD) else None


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

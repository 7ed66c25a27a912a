"""Pictures of the open record, made once for all sessions."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.store import Record

LARGE, SMALL = 1400, 320
"""Longer sides in pixels, as in `records.pictures`."""

_MOST_LARGE, _MOST_SMALL, _MOST_TINTS = 60, 2000, 60  # about 20, 30 and 3 MB


def get_picture(record: "Record", sha256: str) -> bytes:
    """Return a photograph of a record as a JPEG file that fills a page.

    Raises:
        RecordError: Its file is missing or was altered.
    """
    return _draw_large(record, record.record_id, sha256)


def get_thumbnail(record: "Record", sha256: str) -> bytes:
    """Return a photograph of a record as a small JPEG file.

    Raises:
        RecordError: Its file is missing or was altered.
    """
    return _draw_small(record, record.record_id, sha256)


def get_tint(record: "Record", sha256: str, size: tuple[int, int]) -> bytes:
    """Return a kept heatmap as a PNG file that lies over its photograph.

    Args:
        record: The record.
        sha256: Of the kept heatmap.
        size: Width and height of the photograph.

    Raises:
        RecordError: Its file is missing or was altered.
    """
    return _draw_tint(record, record.record_id, sha256, size)


@st.cache_data(show_spinner=False, max_entries=_MOST_TINTS)
def _draw_tint(_record: "Record", record_id: str, sha256: str, size: tuple[int, int]) -> bytes:  # noqa: ARG001
    from melanoma_core.records.pictures import draw_tint

    return draw_tint(_record.images.read(sha256), size)


@st.cache_data(show_spinner=False, max_entries=_MOST_LARGE)
def _draw_large(_record: "Record", record_id: str, sha256: str) -> bytes:  # noqa: ARG001
    from melanoma_core.records.pictures import draw_picture

    return draw_picture(_record.images.read(sha256), LARGE)


@st.cache_data(show_spinner=False, max_entries=_MOST_SMALL)
def _draw_small(_record: "Record", record_id: str, sha256: str) -> bytes:  # noqa: ARG001
    from melanoma_core.records.pictures import draw_picture

    return draw_picture(_record.images.read(sha256), SMALL)

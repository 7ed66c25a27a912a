"""Two photographs laid on each other and compared: once for all sessions."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from dashboard.lesion.compare_choice import Pair
    from melanoma_core.records.change import Comparison
    from melanoma_core.records.registration import NotRegistered, Registration
    from melanoma_core.records.store import Record

_MOST = 300


def register_pair(record: "Record", pair: "Pair") -> "Registration | NotRegistered":
    """Return how the later photograph lies on the earlier one, or why that was not found.

    Raises:
        RecordError: A file is missing or was altered.
    """
    names = tuple(each.entry.value.sha256 for each in pair)
    return _register(record, record.record_id, names)


def compare_pair(
    opened: OpenedLesion, pair: "Pair", registration: "Registration | NotRegistered"
) -> "Comparison":
    """Return what changed between two photographs.

    Raises:
        RecordError: A file is missing or was altered.
    """
    return _compare(opened, pair, registration, _identify(opened, pair))


@st.cache_data(show_spinner="Laying the photographs on each other", max_entries=_MOST)
def _register(
    _record: "Record",
    record_id: str,  # noqa: ARG001
    names: tuple[str, ...],
) -> "Registration | NotRegistered":
    from melanoma_core.records.comparing import decode_photograph
    from melanoma_core.records.registration import register_photographs

    earlier, later = (decode_photograph(_record.images.read(name)) for name in names)
    return register_photographs(earlier, later)


@st.cache_data(show_spinner="Measuring what changed", max_entries=_MOST)
def _compare(
    _opened: OpenedLesion,
    _pair: "Pair",
    _registration: "Registration | NotRegistered",
    identity: tuple[object, ...],  # noqa: ARG001
) -> "Comparison":
    from melanoma_core.records.change import compare_registered
    from melanoma_core.records.comparing import find_limits, make_shot

    read, hides_ai = _opened.record.images.read, _opened.hides_ai
    earlier, later = (make_shot(_opened.case, each, read, hides_ai=hides_ai) for each in _pair)
    limits = find_limits(load_settings(), later.model_id or earlier.model_id)
    return compare_registered(earlier, later, _registration, limits)


def _identify(opened: OpenedLesion, pair: "Pair") -> tuple[object, ...]:
    """Return all that a comparison depends on."""
    from melanoma_core.records.comparing import find_outline, find_photograph_reading

    identity: list[object] = [opened.record.record_id, opened.hides_ai]
    for each in pair:
        outline = find_outline(opened.case, each.entry.id, hides_ai=opened.hides_ai)
        reading = find_photograph_reading(opened.case, each.entry.id)
        identity += [each.entry.id, each.entry.version, outline.points if outline else ()]
        identity += [outline.model_id if outline else "", reading[0].id if reading else ""]
    return tuple(identity)

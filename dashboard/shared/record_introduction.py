"""What a person sees where no record is open, and what creates, opens and closes one."""

from html import escape
from pathlib import Path

import streamlit as st

from dashboard.shared.access import may, may_or_say
from dashboard.shared.drawing import offer_demonstration
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.person import ask_name, get_who, keep_who
from melanoma_core.access.rights import Right
from melanoma_core.errors import RecordError
from melanoma_core.settings import load_settings

_ERROR, _CREATOR = "record-error", "creator"
_KEPT = (
    (
        "Kept",
        "Patients by pseudonym, with year of birth, sex, skin type and risks; their lesions, "
        "visits and photographs without EXIF; first reads, AI readings, decisions, specimens, "
        "histology and recalls; who wrote, saw, exported or erased what, and when.",
    ),
    (
        "Not kept",
        "Names, dates of birth and addresses. A photograph on the page Reading is kept only if "
        "you say so there.",
    ),
    (
        "Changed",
        "A correction is a new version, and the earlier one stays. A patient can be erased with "
        "everything that belongs to them.",
    ),
)


def show_introduction() -> None:
    """Say that nothing is kept, and offer to create a record or to open the demonstration."""
    show_stored_error(_ERROR)
    st.html(
        "<h2>No record is open: nothing is kept</h2><p>This is the default. Readings are in "
        "memory alone. They go when you forget them, or four hours after their last use.</p>"
    )
    if not may_or_say(Right.MANAGE_RECORD):
        return
    own, demonstration = st.columns(2, gap="large")
    with own:
        _offer_own()
    with demonstration:
        offer_demonstration()


def show_closing() -> None:
    """Offer to close the record, if a person has opened it here and no setting names it."""
    if load_settings().record is None and may(Right.MANAGE_RECORD):
        st.button(
            "Close the record",
            on_click=_close,
            help="For all who use this dashboard. Nothing is deleted: it can be opened again.",
        )


def _offer_own() -> None:
    """Offer to create the clinic's record, or to open the one that is there."""
    from melanoma_core.records.opened import Opened, find_folder, has_record

    settings = load_settings()
    folder = find_folder(settings, Opened.CLINIC)
    exists = has_record(settings, Opened.CLINIC)
    st.html(render_promise(folder, exists=exists))
    ask_name("Your name or initials", _CREATOR, get_who())
    st.button(
        "Open the record" if exists else "Create a record",
        type="primary",
        on_click=_open_own,
        args=(exists,),
    )


def render_promise(folder: Path, *, exists: bool) -> str:
    """Render what a record keeps, what it does not keep, and where.

    Args:
        folder: Of the record.
        exists: Whether the record is there already.
    """
    place = (
        f"<dt>Where</dt><dd>In <code>{escape(str(folder.absolute()))}</code> on this machine, "
        "which no other account may read. It goes nowhere else. Its files are not encrypted: use "
        "an encrypted disk. MELANOMA_RECORD names another folder.</dd>"
    )
    terms = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in _KEPT)
    title = "Your record" if exists else "A record of your own"
    return f'<h3>{title}</h3><dl class="promise">{place}{terms}</dl>'


def _open_own(exists: bool) -> None:
    from melanoma_core.records.opened import Opened, find_folder, remember_opened
    from melanoma_core.records.store import Record

    settings = load_settings()
    with store_errors(_ERROR):
        keep_who(st.session_state[_CREATOR])
        if not get_who():
            raise RecordError("The record keeps who wrote what. Give your name or initials.")
        if not exists:
            Record.create(find_folder(settings, Opened.CLINIC), by=get_who()).close()
        if settings.record is None:
            remember_opened(settings, Opened.CLINIC)


def _close() -> None:
    from melanoma_core.records.opened import remember_opened

    with store_errors(_ERROR):
        remember_opened(load_settings(), None)

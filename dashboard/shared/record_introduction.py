"""What a person sees where no record is open, and what opens or closes one."""

from html import escape

import streamlit as st

from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.person import get_who, keep_who
from melanoma_core.settings import load_settings

_ERROR = "record-error"


def show_introduction() -> None:
    """Say that nothing is kept, and offer to create a record or to open the demonstration."""
    from melanoma_core.records.opened import Opened, find_folder, has_record

    settings = load_settings()
    folder = find_folder(settings, Opened.CLINIC)
    show_stored_error(_ERROR)
    st.html(
        "<h2>Nothing is kept</h2><p>This is the default: readings go when you forget them, or four "
        "hours after their last use. A record keeps patients by pseudonym, their lesions, visits "
        "and photographs without EXIF, readings, decisions and histology, and who wrote and saw "
        f"what. It is kept in <code>{escape(str(folder))}</code>, and goes to no other machine.</p>"
    )
    exists = has_record(settings, Opened.CLINIC)
    st.text_input("Your name or initials", get_who(), max_chars=80, key="creator", width=420)
    st.button(
        "Open the record" if exists else "Create a record",
        type="primary",
        on_click=_open_own,
    )
    st.button("Open the demonstration record", on_click=_open_demonstration)


def offer_closing() -> None:
    """Offer to close the record, if a person has opened it here and no setting names it."""
    if load_settings().record is None:
        st.button("Close the record", on_click=_close, help="Nothing is deleted.")


def _open_own() -> None:
    from melanoma_core.records.opened import Opened, find_folder, has_record, remember_opened
    from melanoma_core.records.store import Record

    settings = load_settings()
    with store_errors(_ERROR):
        keep_who(st.session_state["creator"])
        if not has_record(settings, Opened.CLINIC):
            Record.create(find_folder(settings, Opened.CLINIC), by=get_who()).close()
        remember_opened(settings, Opened.CLINIC)


def _open_demonstration() -> None:
    from melanoma_core import __version__
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model
    from melanoma_core.records.drawn import create_drawn_record
    from melanoma_core.records.opened import Opened, find_folder, has_record, remember_opened

    settings = load_settings()
    with store_errors(_ERROR):
        if not has_record(settings, Opened.DEMONSTRATION):
            folder = find_folder(settings, Opened.DEMONSTRATION)
            classifier = load_classifier(find_model(settings))
            create_drawn_record(folder, classifier, __version__).close()
        remember_opened(settings, Opened.DEMONSTRATION)


def _close() -> None:
    from melanoma_core.records.opened import remember_opened

    with store_errors(_ERROR):
        remember_opened(load_settings(), None)

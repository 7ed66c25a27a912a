"""A letter as a form: every part can be changed before it is printed. The record keeps none."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.clock import find_zone
from dashboard.shared.drafts import keep_draft, name_field, read_draft

if TYPE_CHECKING:  # the page is painted before fpdf2 is imported
    from melanoma_core.records.letter import Letter

_HEIGHTS = {"sender": 100, "recipient": 100, "text": 340, "closing": 120}  # px, of several lines
_LABELS = {
    "sender": "Sender: name and address of the clinic",
    "recipient": "Recipient: name and address",
    "date": "Place and date",
}
_MINUTES = 5


def show_letter(
    form: str, draft: "Letter", log: Callable[[], bool] | None = None, *, keeps: bool = True
) -> None:
    """Show the parts of a letter as fields; then the letter as it is printed, as PDF and as text.

    Args:
        form: Name of the form, unique in the dashboard.
        draft: What the fields hold at first.
        log: Logs that the letter leaves, before it is shown, since what is shown can be printed;
            returns whether that worked. The letter stays unwritten where it did not.
        keeps: Whether what was typed survives a reload of the page.
    """
    ready: Letter | None = st.session_state.get(_name_ready(form))
    if ready is None:
        if not keeps:  # else another draft, of the next minute, would replace what was typed
            st.session_state.setdefault(_name_last(form), draft)
        _show_fields(form, st.session_state.get(_name_last(form), draft), log, keeps=keeps)
    else:
        _show_ready(form, ready)


def _show_fields(
    form: str, draft: "Letter", log: Callable[[], bool] | None, *, keeps: bool
) -> None:
    from melanoma_core.records.letter import LONGEST

    for field in fields(draft):
        label = _LABELS.get(field.name, field.name.capitalize())
        key = name_field(form, field.name, getattr(draft, field.name))
        if field.name in _HEIGHTS:
            st.text_area(label, key=key, height=_HEIGHTS[field.name], max_chars=LONGEST)
        else:
            st.text_input(label, key=key, max_chars=200)
    if keeps:
        keep_draft(form)
    # A download at once would give the letter as it was before the last change.
    st.button(
        "Write the letter",
        key=f"{form}-write",
        type="primary",
        on_click=_write,
        args=(form, log),
        kwargs={"keeps": keeps},
    )


def _write(form: str, log: Callable[[], bool] | None, *, keeps: bool) -> None:
    from melanoma_core.records.letter import Letter, clean_letter

    if keeps:
        keep_draft(form)
    if log is not None and not log():
        return
    typed = {name: text or "" for name, text in read_draft(form).items()}
    st.session_state[_name_ready(form)] = clean_letter(Letter(**typed))


def _show_ready(form: str, letter: "Letter") -> None:
    """Show the letter as it is printed, with its files."""
    from melanoma_core.records.letter import write_letter_text

    made_at = datetime.now(find_zone()).astimezone()
    text = write_letter_text(letter)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, content, ending, mime in (
            ("PDF", make_pdf(letter, made_at), "pdf", "application/pdf"),
            ("text", text.encode(), "txt", "text/plain"),
        ):
            st.download_button(
                f"Download {name}",
                data=content,
                file_name=f"letter.{ending}",
                mime=mime,
                on_click="ignore",
                key=f"{form}-{ending}",
                type="primary" if name == "PDF" else "secondary",
            )
        st.button("Change the letter", key=f"{form}-change", on_click=_change, args=(form,))
    with st.container(key="report"):
        st.html(f'<section class="report letter">{escape(text)}</section>')


def _change(form: str) -> None:
    st.session_state[_name_last(form)] = st.session_state.pop(_name_ready(form))


def _name_last(form: str) -> str:
    return f"{form}-last"


def _name_ready(form: str) -> str:
    return f"{form}-ready"


@st.cache_data(show_spinner=False, max_entries=8, ttl=60 * _MINUTES)
def make_pdf(letter: "Letter", _made_at: datetime) -> bytes:
    """Return a letter as PDF."""
    from melanoma_core.records.letter import write_letter_pdf

    return write_letter_pdf(letter, _made_at)

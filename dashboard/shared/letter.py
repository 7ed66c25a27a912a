"""A letter as a form: every part can be changed before it is printed. The record keeps none."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
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
    form: str, draft: "Letter", on_download: Callable[[], None] | None = None, *, keeps: bool = True
) -> None:
    """Show the parts of a letter as fields, and offer the letter as PDF and as text.

    Args:
        form: Name of the form, unique in the dashboard.
        draft: What the fields hold at first.
        on_download: Called when a person takes the letter away.
        keeps: Whether what was typed survives a reload of the page.
    """
    from melanoma_core.records.letter import LONGEST, Letter, write_letter_text

    names = [field.name for field in fields(Letter)]
    for name in names:
        label = _LABELS.get(name, name.capitalize())
        key = name_field(form, name, getattr(draft, name))
        if name in _HEIGHTS:
            st.text_area(label, key=key, height=_HEIGHTS[name], max_chars=LONGEST)
        else:
            st.text_input(label, key=key, max_chars=200)
    if keeps:
        keep_draft(form)
    typed = read_draft(form)
    letter = Letter(*(typed[name] or "" for name in names))
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind, content, mime in (
            ("PDF", make_pdf(letter, datetime.now(find_zone()).astimezone()), "application/pdf"),
            ("text", write_letter_text(letter).encode(), "text/plain"),
        ):
            st.download_button(
                f"Download {kind}",
                data=content,
                file_name=f"letter.{'pdf' if kind == 'PDF' else 'txt'}",
                mime=mime,
                on_click=on_download or "ignore",
                key=f"{form}-{kind}",
                type="primary" if kind == "PDF" else "secondary",
            )
        st.caption("Read it through before it leaves.", width="content")


@st.cache_data(show_spinner=False, max_entries=8, ttl=60 * _MINUTES)
def make_pdf(letter: "Letter", _made_at: datetime) -> bytes:
    """Return a letter as PDF."""
    from melanoma_core.records.letter import write_letter_pdf

    return write_letter_pdf(letter, _made_at)

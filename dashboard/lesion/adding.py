"""Add photographs of a visit: nothing is kept until it is saved."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.shared.errors import show_errors
from dashboard.shared.photograph_types import list_photograph_types
from dashboard.shared.record import get_today, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.entities import Photograph, Visit
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.writing import Change

_THUMBNAIL = 96  # px


def show_photographs_form(form: Form) -> None:
    """Show the fields of new photographs, each with what it shows."""
    if form.base is not None:
        _show_details(form, "")
        form.ask_day("Taken on", "taken_on", None)
        form.ask_text("Device", "device")
        form.offer_save(lambda draft: _correct(form, draft))
        return
    uploads = st.file_uploader(
        "Photographs of this lesion",
        list_photograph_types(),
        accept_multiple_files=True,
        key=f"{form.name_key('files', None)}-upload",
        help="EXIF is not kept. Nothing is kept until you save.",
    )
    form.ask_day("Date of the visit", "on", get_today())
    form.ask_text("Reason of the visit", "reason")
    form.ask_text("Device", "device")
    contents = [upload.getvalue() for upload in uploads or []]
    for upload, content in zip(uploads or [], contents, strict=True):
        with st.container(horizontal=True, border=True, vertical_alignment="top"):
            with show_errors():
                st.image(_draw_thumbnail(content), width=_THUMBNAIL, alt=upload.name)
            with st.container(width=280):
                _show_details(form, _name(content))
    show_field_error(form.name, "dermoscopic_type", "millimetres_per_pixel", "taken_on")
    if contents:
        _offer_save(form, contents)


def show_visit_form(form: Form) -> None:
    """Show the fields of a visit, to be corrected."""
    form.ask_day("Date of the visit", "on", get_today())
    form.ask_text("Reason of the visit", "reason")
    form.offer_save(lambda draft: _correct_visit(form, draft))


def _correct_visit(form: Form, draft: Mapping[str, Any]) -> "Visit":
    visit: Visit = form.find_base().value
    return replace(visit, on=draft["on"], reason=draft["reason"])


def _show_details(form: Form, prefix: str) -> None:
    from melanoma_core.records.typed import write_number
    from melanoma_core.records.vocabulary import DermoscopicType, ImageKind

    kind_key = form.name_key(f"{prefix}kind", form.start("kind", ImageKind.DERMOSCOPIC))
    kind = st.selectbox("It shows", list(ImageKind), key=kind_key)
    if kind is ImageKind.DERMOSCOPIC:
        st.selectbox(
            "Light and contact",
            [None, *DermoscopicType],
            format_func=lambda each: str(each or "not stated"),
            key=form.name_key(f"{prefix}dermoscopic_type", form.start("dermoscopic_type", None)),
        )
    scale = write_number(form.start("millimetres_per_pixel", None))
    st.text_input(
        "Scale, mm per pixel",
        key=form.name_key(f"{prefix}scale", scale),
        placeholder="not known",
        help="Of the file as it was uploaded. Lengths are then in millimetres.",
    )


def _read_details(draft: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    from melanoma_core.records.typed import read_number
    from melanoma_core.records.vocabulary import ImageKind

    kind = draft[f"{prefix}kind"]
    is_dermoscopic = kind is ImageKind.DERMOSCOPIC
    return {
        "kind": kind,
        "dermoscopic_type": draft.get(f"{prefix}dermoscopic_type") if is_dermoscopic else None,
        "millimetres_per_pixel": read_number(draft[f"{prefix}scale"]),
        "device": draft["device"],
    }


def _offer_save(form: Form, contents: Sequence[bytes]) -> None:
    label = f"Save {len(contents)} photograph{'s' if len(contents) > 1 else ''}"

    def write(change: "Change", draft: Mapping[str, Any]) -> "Entry[Photograph]":
        from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs

        on: date = draft["on"]
        new = [
            NewPhotograph(each, _read_details(draft, _name(each)) | {"taken_on": on})
            for each in contents
        ]
        opened = form.opened
        visit = NewVisit(opened.case.patient.id, on, draft["reason"])
        return add_photographs(opened.record, change, visit, opened.id, new)[-1]

    form.offer_writing(write, label)


def _correct(form: Form, draft: Mapping[str, Any]) -> "Photograph":
    details = _read_details(draft, "") | {"taken_on": draft["taken_on"]}
    photograph: Photograph = form.find_base().value
    return replace(photograph, **details)


def _name(content: bytes) -> str:
    """Return what the names of the fields of a file begin with."""
    return f"{hashlib.sha256(content).hexdigest()[:12]}-"


@st.cache_data(show_spinner=False, max_entries=50)
def _draw_thumbnail(content: bytes) -> bytes:
    from melanoma_core.records.pictures import SMALL, draw_picture

    return draw_picture(content, SMALL)

"""Add photographs of a visit: nothing is kept until it is saved."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.shared.chosen_files import forget_files, note_files
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.photograph_types import list_photograph_types
from dashboard.shared.record import get_today, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.entities import Photograph, Visit
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.offered import OfferedPhotograph
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
    note_files(form.name, [upload.name for upload in uploads or []])
    form.ask_day("Date of the visit", "on", get_today())
    form.ask_text("Reason of the visit", "reason")
    form.ask_text("Device", "device")
    offered = _read_offers(form, [(each.name, each.getvalue()) for each in uploads or []])
    for photograph in offered:
        with st.container(horizontal=True, border=True, vertical_alignment="top"):
            with show_errors():
                thumbnail = _draw_thumbnail(photograph.content)
                st.image(thumbnail, width=_THUMBNAIL, alt=photograph.name)
            with st.container(width=280):
                _show_details(form, _name(photograph.content), photograph)
            if photograph.said:
                with st.container(width=320):
                    _show_said(form, photograph)
    show_field_error(form.name, "dermoscopic_type", "millimetres_per_pixel", "taken_on")
    kept = [each for each in offered if form.read(f"{_name(each.content)}is_kept") is not False]
    if kept:
        _offer_save(form, kept)


def show_visit_form(form: Form) -> None:
    """Show the fields of a visit, to be corrected."""
    form.ask_day("Date of the visit", "on", get_today())
    form.ask_text("Reason of the visit", "reason")
    form.offer_save(lambda draft: _correct_visit(form, draft))


def _correct_visit(form: Form, draft: Mapping[str, Any]) -> "Visit":
    visit: Visit = form.find_base().value
    return replace(visit, on=draft["on"], reason=draft["reason"])


def _read_offers(form: Form, files: Sequence[tuple[str, bytes]]) -> "tuple[OfferedPhotograph, ...]":
    from melanoma_core.records.offered import offer_photographs

    case = form.opened.case
    return offer_photographs(files, case.patient.value, case.lesion.value)


def _show_said(form: Form, photograph: "OfferedPhotograph") -> None:
    """Show what a file says of its photograph, and let the person accept what the record lacks."""
    prefix = _name(photograph.content)
    st.caption(escape_markdown(f"{photograph.name} says: {photograph.said}."))
    for text in photograph.warnings:
        st.warning(escape_markdown(text))
    st.checkbox(
        "Keep this photograph",
        key=form.name_key(f"{prefix}is_kept", not photograph.is_of_another),
    )
    if photograph.taken_on is not None:
        form.ask_day("Taken on", f"{prefix}taken_on", photograph.taken_on)
    if photograph.place is not None:
        st.checkbox(
            f"Set the place of the lesion: {photograph.place.text}",
            key=form.name_key(f"{prefix}place", default=False),
        )


def _show_details(form: Form, prefix: str, offered: "OfferedPhotograph | None" = None) -> None:
    from melanoma_core.records.typed import write_number
    from melanoma_core.records.vocabulary import DermoscopicType, ImageKind

    said_kind = (offered.kind if offered else None) or ImageKind.DERMOSCOPIC
    said_type = offered.dermoscopic_type if offered else None
    kind_key = form.name_key(f"{prefix}kind", form.start("kind", said_kind))
    kind = st.selectbox("It shows", list(ImageKind), key=kind_key)
    if kind is ImageKind.DERMOSCOPIC:
        st.selectbox(
            "Light and contact",
            [None, *DermoscopicType],
            format_func=lambda each: str(each or "not stated"),
            key=form.name_key(
                f"{prefix}dermoscopic_type", form.start("dermoscopic_type", said_type)
            ),
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
        "taken_on": draft.get(f"{prefix}taken_on") or draft.get("on"),
    }


def _offer_save(form: Form, photographs: "Sequence[OfferedPhotograph]") -> None:
    label = f"Save {len(photographs)} photograph{'s' if len(photographs) > 1 else ''}"

    def write(change: "Change", draft: Mapping[str, Any]) -> "Entry[Photograph]":
        from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs

        on: date = draft["on"]
        new = [
            NewPhotograph(each.content, _read_details(draft, _name(each.content)))
            for each in photographs
        ]
        opened = form.opened
        _accept_place(form, change, draft, photographs)
        visit = NewVisit(opened.case.patient.id, on, draft["reason"])
        added = add_photographs(opened.record, change, visit, opened.id, new)[-1]
        forget_files(form.name)
        return added

    form.offer_writing(write, label)


def _accept_place(
    form: Form,
    change: "Change",
    draft: Mapping[str, Any],
    photographs: "Sequence[OfferedPhotograph]",
) -> None:
    """Correct the lesion by the first place that the person has accepted."""
    lesion = form.opened.case.lesion
    for each in photographs:
        if each.place is not None and draft.get(f"{_name(each.content)}place"):
            side = each.place.laterality or lesion.value.laterality
            change.correct(lesion, replace(lesion.value, site=each.place.site, laterality=side))
            return


def _correct(form: Form, draft: Mapping[str, Any]) -> "Photograph":
    photograph: Photograph = form.find_base().value
    return replace(photograph, **_read_details(draft, ""))


def _name(content: bytes) -> str:
    """Return what the names of the fields of a file begin with."""
    return f"{hashlib.sha256(content).hexdigest()[:12]}-"


@st.cache_data(show_spinner=False, max_entries=50)
def _draw_thumbnail(content: bytes) -> bytes:
    from melanoma_core.records.pictures import SMALL, draw_picture

    return draw_picture(content, SMALL)

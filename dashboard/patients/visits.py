"""The visits of a patient with their overview photographs, and the forms that add them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.patients.form import EDIT, NEW, Form, offer_withdrawal, open_form
from dashboard.patients.opened import OpenedPatient
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.paging import choose_page
from dashboard.shared.photograph_types import list_photograph_types
from dashboard.shared.pictures import get_thumbnail
from dashboard.shared.record import get_today, render_moment, show_field_error

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.entities import Photograph, Visit
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.offered import OfferedPhotograph
    from melanoma_core.records.writing import Change

_PAGE_LENGTH = 20
_WIDTH = 240  # px


def show_visits(opened: OpenedPatient) -> None:
    """Show the visits, the newest first, with the photographs that show several lesions."""
    from melanoma_core.records.entities import Photograph, Visit

    visits = opened.record.find(Visit, patient_id=opened.id)
    visits = tuple(sorted(visits, key=lambda visit: visit.value.on, reverse=True))
    overviews = opened.record.find(Photograph, patient_id=opened.id, lesion_id=None)
    if opened.can_write:
        with st.container(horizontal=True):
            st.button("New visit", on_click=open_form, args=(NEW, "visit"))
            st.button("Add overview photographs", on_click=open_form, args=(NEW, "overview"))
    if not visits:
        st.html("<p>There is no visit yet.</p>")
    rows = choose_page(len(visits), _PAGE_LENGTH, f"visits-{opened.id}", parameter="page")
    for visit in visits[rows]:
        own = [each for each in overviews if each.value.visit_id == visit.id]
        _show_visit(opened, visit, own)


def _show_visit(
    opened: OpenedPatient, visit: "Entry[Visit]", overviews: "Sequence[Entry[Photograph]]"
) -> None:
    labels = [
        case.lesion.value.label
        for case in opened.cases
        if any(each.value.visit_id == visit.id for each in case.photographs)
    ]
    with st.container(border=True, gap="xsmall", key=f"visit-{visit.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(_render_visit(visit, labels), width="stretch")
            if opened.can_write:
                st.button(
                    "Correct",
                    key=f"edit-{visit.id}",
                    type="tertiary",
                    on_click=open_form,
                    args=(EDIT, visit.id),
                )
        if overviews:
            with st.container(horizontal=True, gap="small"):
                for photograph in overviews:
                    _show_overview(opened, photograph)


def _render_visit(visit: "Entry[Visit]", labels: Sequence[str]) -> str:
    from melanoma_core.records.dates import write_day

    value = visit.value
    named = f"photographed: lesion {', '.join(labels)}" if labels else "no lesion photographed"
    reason = f" {escape(value.reason)}" if value.reason else ""
    day = f'<time datetime="{value.on}"><strong>{write_day(value.on)}</strong></time>'
    return (
        f'<p class="event">{day}{reason} · {escape(named)} '
        f'<span class="who">{escape(visit.by)}, {render_moment(visit.at)}, '
        f"version {visit.version}</span></p>"
    )


def _show_overview(opened: OpenedPatient, photograph: "Entry[Photograph]") -> None:
    from melanoma_core.records.wording import summarise

    with st.container(width=_WIDTH, gap="xxsmall"):
        with show_errors():
            picture = get_thumbnail(opened.record, photograph.value.sha256)
            st.image(picture, width="stretch", alt="Overview photograph")
        st.caption(escape_markdown(summarise(photograph.value)))
        if opened.can_write:
            with st.popover("Withdraw", type="tertiary"):
                offer_withdrawal(photograph, "It stays in the record as withdrawn.")


def show_visit_form(opened: OpenedPatient, base: "Entry[Visit] | None") -> None:
    """Show the fields of a visit: a new one, or one that is corrected."""
    form = Form(f"visit-{base.id}" if base else opened.name_form("new-visit"), base)
    st.html(f"<h2>{'Correct the visit' if base else 'New visit'}</h2>")
    with st.container(width=640):
        form.ask_day("Date of the visit", "on", get_today())
        form.ask_text("Reason", "reason", placeholder="such as: yearly examination")

        def write(change: "Change", draft: Mapping[str, Any]) -> "Entry[Visit]":
            from melanoma_core.records.entities import Visit

            new = Visit(patient_id=opened.id, **draft)
            value = replace(form.find_base().value, **draft) if base else new
            return form.write_value(change, value)

        form.offer_save(write)
        if base is not None:
            with st.expander("Withdraw the visit"):
                offer_withdrawal(base, "It stays in the record as withdrawn, with the reason.")


def show_overview_form(opened: OpenedPatient) -> None:
    """Show the fields of photographs that show several lesions, or the whole body."""
    form = Form(opened.name_form("overview"))
    st.html("<h2>Overview photographs</h2>")
    with st.container(width=640):
        uploads = st.file_uploader(
            "Photographs of several lesions or of the whole body",
            list_photograph_types(),
            accept_multiple_files=True,
            key=f"{form.name_key('files', None)}-upload",
            help="EXIF is not kept. Nothing is kept until you save.",
        )
        form.ask_day("Date of the visit", "on", get_today())
        form.ask_text("Reason of the visit", "reason")
        form.ask_text("Device", "device")
        show_field_error(form.name, "kind", "taken_on")
        offered = _read_offers(opened, [(each.name, each.getvalue()) for each in uploads or []])
        for photograph in offered:
            _show_said(form, photograph)
        kept = [each.content for each in offered if form.read(_name(each)) is not False]
        form.offer_save(lambda change, draft: _write_overviews(opened, change, draft, kept))


def _read_offers(
    opened: OpenedPatient, files: Sequence[tuple[str, bytes]]
) -> "tuple[OfferedPhotograph, ...]":
    from melanoma_core.records.offered import offer_photographs

    return offer_photographs(files, opened.entry.value)


def _show_said(form: Form, photograph: "OfferedPhotograph") -> None:
    """Show what a file says of its photograph, if anything, and ask whether to keep it."""
    if not photograph.said:
        return
    st.caption(escape_markdown(f"{photograph.name} says: {photograph.said}."))
    for text in photograph.warnings:
        st.warning(escape_markdown(text))
    key = form.name_key(_name(photograph), not photograph.is_of_another)
    st.checkbox(f"Keep {escape_markdown(photograph.name)}", key=key)


def _name(photograph: "OfferedPhotograph") -> str:
    """Return the name of the field that says whether a photograph is kept."""
    return f"{hashlib.sha256(photograph.content).hexdigest()[:12]}-is_kept"


def _write_overviews(
    opened: OpenedPatient, change: "Change", draft: Mapping[str, Any], contents: Sequence[bytes]
) -> "Entry[Photograph]":
    from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs
    from melanoma_core.records.vocabulary import ImageKind

    facts = {"kind": ImageKind.OVERVIEW, "device": draft["device"], "taken_on": draft["on"]}
    photographs = [NewPhotograph(content, facts) for content in contents]
    visit = NewVisit(opened.id, draft["on"], draft["reason"])
    return add_photographs(opened.record, change, visit, None, photographs)[-1]

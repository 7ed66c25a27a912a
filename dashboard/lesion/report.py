"""The report of the lesion, to print or as PDF, and letters about it."""

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.dicom import offer_dicom
from dashboard.lesion.fhir import offer_fhir
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.clock import find_zone
from dashboard.shared.downloads import Export, offer_export
from dashboard.shared.drafts import keep_draft, name_field, read_draft
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.letter import show_letter
from dashboard.shared.person import get_signing_name
from dashboard.shared.record import get_today, get_who
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from melanoma_core.records.entry import Entry
    from melanoma_core.records.report import LesionReport
    from melanoma_core.records.report_pictures import Picture, ReportPictures

_WRITE, _WRITE_KEY = "write", "lesion-write"
_KINDS = {
    "report": "Report",
    "doctor": "Letter to the referring doctor",
    "patient": "Letter to the patient",
}
_ERROR = "lesion-report-error"
_SMALL = 120  # px
_MINUTES = 5


def show_report(opened: OpenedLesion) -> None:
    """Show the report of an open lesion, or a letter about it."""
    show_stored_error(_ERROR)
    follow_address(_WRITE, _WRITE_KEY, "report", _KINDS)
    kind = st.segmented_control(
        "Write",
        list(_KINDS),
        format_func=_KINDS.__getitem__,
        key=_WRITE_KEY,
        required=True,
        label_visibility="collapsed",
    )
    write_address(_WRITE, _WRITE_KEY, "report")
    if kind == "report":
        _show_report(opened)
    else:
        _show_letter(opened, str(kind))


def _show_report(opened: OpenedLesion) -> None:
    from melanoma_core.records.report import (
        MAX_NOTES,
        ReportRequest,
        find_card,
        write_lesion_report,
    )
    from melanoma_core.records.report_html import render_body, render_head

    form = opened.name_form("report")
    # A form: else a download right after typing would give the report as it was before.
    with st.form(f"{form}-form", border=False):
        key = name_field(form, "notes", "")
        help_ = "On the report alone: the record keeps none."
        st.text_area("Notes on the report", key=key, max_chars=MAX_NOTES, help=help_)
        st.form_submit_button("Put the notes on the report")
    keep_draft(form)
    request = ReportRequest(
        by=get_who(),
        at=datetime.now(find_zone()).astimezone(find_zone()).replace(second=0, microsecond=0),
        notes=read_draft(form)["notes"] or "",
        hides_ai=opened.hides_ai,
        card=find_card(load_settings(), opened.case),
    )
    report = write_lesion_report(opened.case, request)
    pictures = _get_pictures(_identify(opened), opened.hides_ai, opened)
    above = st.container(horizontal=True, vertical_alignment="center")
    with st.container(key="report", gap="small"):
        st.html(render_head(report))
        _show_pictures(pictures)
        st.html(render_body(report, pictures.missing))
    with above:
        _offer_pdf(opened, report, pictures, request.at)


def _show_pictures(pictures: "ReportPictures") -> None:
    if pictures.large:
        with st.container(key="report-images"):
            places = st.columns(2, gap="small")
            for place, picture in zip(places, pictures.large, strict=False):
                _show_picture(place, picture)
    if pictures.small:
        with st.container(horizontal=True, gap="small", key="report-others"):
            for picture in pictures.small:
                _show_picture(st.container(width=_SMALL, gap="xxsmall"), picture)


def _show_picture(place: "DeltaGenerator", picture: "Picture") -> None:
    place.image(picture.content, width="stretch", alt=picture.caption)
    place.html(f'<p class="report-caption">{escape(picture.caption)}</p>')


def _offer_pdf(
    opened: OpenedLesion, report: "LesionReport", pictures: "ReportPictures", at: datetime
) -> None:
    if opened.record.is_read_only:
        st.caption("This record cannot be written, so no export is logged: print the page.")
        return
    who = get_who()  # the file is made outside of the page's run
    export = Export(
        "lesion.pdf",
        lambda: _make_pdf(report, pictures, at),
        lambda: _log_export(opened, "report", who),
    )
    offer_export("Download PDF", export, key="lesion-report-pdf", is_primary=True)
    offer_dicom(opened)
    offer_fhir(opened)
    st.caption("Or print this page (Ctrl+P): it prints the report alone.", width="content")


def _show_letter(opened: OpenedLesion, kind: str) -> None:
    from melanoma_core.records.letter import Addressee, draft_letter, list_cautions

    addressee = Addressee.PATIENT if kind == "patient" else Addressee.DOCTOR
    for caution in list_cautions(opened.case, addressee):
        st.html(f'<p class="warning" role="note">{escape(caution)}</p>')
    if opened.record.is_read_only:
        st.caption("This record cannot be written, so no export can be logged.")
        return
    draft = draft_letter(
        opened.case, addressee, get_signing_name(), get_today(), hides_ai=opened.hides_ai
    )
    show_letter(opened.name_form(f"letter-{kind}"), draft, lambda: _log_letter(opened, kind))


def _log_letter(opened: OpenedLesion, kind: str) -> bool:
    """Log that a letter leaves the record, and return whether that worked."""
    with store_errors(_ERROR):
        _log_export(opened, f"letter, {kind}", get_who())
        return True
    return False


def _log_export(opened: OpenedLesion, what: str, who: str) -> None:
    from melanoma_core.records.entities import Lesion

    opened.record.log_export(by=who, kind=Lesion, entry_id=opened.id, detail=what)


def _identify(opened: OpenedLesion) -> str:
    """Return what changes when pictures of the lesion may."""
    case = opened.case
    shown: tuple[Entry[Any], ...] = (*case.photographs, *case.outlines, *case.ai_readings)
    return " ".join([opened.id, *(f"{each.id} {each.version}" for each in shown)])


@st.cache_data(show_spinner=False, max_entries=16, ttl=60 * _MINUTES)
def _get_pictures(identity: str, hides_ai: bool, _opened: OpenedLesion) -> "ReportPictures":  # noqa: ARG001
    from melanoma_core.records.report_pictures import draw_pictures

    return draw_pictures(_opened.case, _opened.record.images.read, hides_ai=hides_ai)


@st.cache_data(show_spinner=False, max_entries=8, ttl=60 * _MINUTES)
def _make_pdf(report: "LesionReport", pictures: "ReportPictures", at: datetime) -> bytes:
    from melanoma_core.records.report_pdf import write_lesion_pdf

    return write_lesion_pdf(report, pictures, at)

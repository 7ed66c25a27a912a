"""The report of a photograph or lesion: a preview to print, a PDF, and notes that are not kept."""

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from dashboard.reading.dicom import offer_dicom
from dashboard.reading.prevalence import adapt
from dashboard.shared.letter import show_letter
from melanoma_core.models.methods import Method
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.ranking import choose_explained
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from melanoma_core.reading.report import Report
    from melanoma_core.reading.report_pdf import ReportImages

_OPACITY = 0.6
_REPORT = ""
_KINDS = {
    _REPORT: "Report",
    "referring doctor": "Letter to the referring doctor",
    "patient": "Letter to the patient",
}
_HELP = (
    "One page with image, heatmap, answer, operating points, model and limitations, for your "
    "records."
)


def offer_report(entry: Entry) -> None:
    """Offer the report of a photograph."""
    if st.button("Report", help=_HELP, key=f"report-of-{entry.key}"):
        _show(entry, uuid4().hex)


def offer_lesion_report(lesion: Lesion) -> None:
    """Offer the report of a lesion of several photographs."""
    if st.button("Report", help=_HELP, key=f"report-of-lesion-{lesion.key}"):
        _show_lesion(lesion, uuid4().hex)


@st.dialog("Report", width="large")
def _show(entry: Entry, opening: str) -> None:
    """Show the report of a photograph.

    Args:
        entry: The photograph.
        opening: Unique, so that no report opened later has the notes of this one.
    """
    from melanoma_core.reading.report import write_report
    from melanoma_core.reading.report_pdf import ReportImages

    diagnosis = st.session_state.get(f"explained-{entry.key}", choose_explained(entry.reading))
    overlay = entry.draw_overlay(diagnosis, _OPACITY)
    notes, made_at = _ask_notes(opening), datetime.now().astimezone()
    in_clinic = adapt(entry.reading, entry.card)
    report = write_report(entry, _describe(diagnosis), made_at, notes, in_clinic)
    if not _show_letter(report, opening):
        with _show_report(report, ReportImages(entry.photograph, overlay), made_at):
            offer_dicom([entry], opening)


@st.dialog("Report", width="large")
def _show_lesion(lesion: Lesion, opening: str) -> None:
    """Show the report of a lesion.

    Args:
        lesion: The lesion.
        opening: As for a photograph.
    """
    from melanoma_core.reading.report import MAX_OTHERS, order_photographs, write_lesion_report
    from melanoma_core.reading.report_pdf import ReportImages

    first, *others = order_photographs(lesion)
    diagnosis = choose_explained(lesion.reading)
    images = ReportImages(
        first.photograph,
        first.draw_overlay(diagnosis, _OPACITY),
        tuple(entry.thumbnail for entry in others[:MAX_OTHERS]),
    )
    notes, made_at = _ask_notes(opening), datetime.now().astimezone()
    report = write_lesion_report(
        lesion, _describe(diagnosis), made_at, notes, lambda each: adapt(each, first.card)
    )
    if not _show_letter(report, opening):
        with _show_report(report, images, made_at):
            offer_dicom(lesion.entries, opening)


def _show_letter(report: "Report", opening: str) -> bool:
    """Show a letter about a reading, if one is asked for instead of the report."""
    from melanoma_core.records.letter import Addressee, draft_letter_of_reading

    kind = st.segmented_control(
        "Write",
        list(_KINDS),
        format_func=_KINDS.__getitem__,
        default=_REPORT,
        required=True,
        key=f"report-kind-{opening}",
        label_visibility="collapsed",
    )
    if kind == _REPORT:
        return False
    draft = draft_letter_of_reading(report, Addressee(str(kind)), "", datetime.now().date())
    show_letter(f"letter-{kind}-{opening}", draft, keeps=False)
    return True


def _describe(diagnosis: Diagnosis) -> str:
    return f"Heatmap for {diagnosis.title} ({Method.GRAD_CAM.title})"


def _ask_notes(opening: str) -> str:
    from melanoma_core.reading.report import MAX_NOTES

    return st.text_area(
        "Notes",
        max_chars=MAX_NOTES,
        key=f"report-notes-{opening}",
        help="They are on the report alone, and gone when you close it.",
    )


def _show_report(report: "Report", images: "ReportImages", made_at: datetime) -> "DeltaGenerator":
    """Show a report as it is printed, with its PDF; return the place for other files."""
    from melanoma_core.reading.report_pdf import write_report_pdf

    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download PDF",
            data=write_report_pdf(report, images, made_at),
            file_name="reading.pdf",
            mime="application/pdf",
            on_click="ignore",
            type="primary",
        )
        others = st.container(horizontal=True, width="content", vertical_alignment="center")
        st.caption("Or print this page (Ctrl+P): it prints the report alone.", width="content")
    with st.container(key="report", gap="small"):
        st.html(render_head(report))
        with st.container(key="report-images"):
            photograph, heatmap = st.columns(2, gap="small")
            _show_image(photograph, images.photograph, report.photograph)
            _show_image(heatmap, images.overlay, report.overlay)
        if images.others:
            with st.container(horizontal=True, gap="small", key="report-others"):
                for other, caption in zip(images.others, report.others, strict=True):
                    _show_image(st.container(width=120, gap="xxsmall"), other, caption)
        st.html(render_body(report))
    return others


def _show_image(place: "DeltaGenerator", image: bytes, caption: str) -> None:
    """Show an image above its caption, which no Markdown changes."""
    place.image(image, width="stretch", alt=caption)
    place.html(f'<p class="report-caption">{escape(caption)}</p>')


def render_head(report: "Report") -> str:
    """Render title and date of a report."""
    return (
        f'<section class="report"><p class="title">{escape(report.title)}</p>'
        f"<p>{escape(report.date)}</p></section>"
    )


def render_body(report: "Report") -> str:
    """Render all text of a report below its images."""
    warnings = "".join(f"<p>{escape(text)}</p>" for text in report.warnings)
    alerts = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td>{escape(row.probability)}</td>'
        f"<td>{escape(row.result)}</td><td>{escape(row.point)}</td></tr>"
        for row in report.alerts
    )
    diagnoses = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>"
        for row in report.diagnoses
    )
    limits = "".join(f"<li>{escape(text)}</li>" for text in report.limits)
    return (
        f'<section class="report"><p class="title">{escape(report.headline)}</p>'
        f"<p>{escape(report.sentence)}</p>{warnings}"
        '<table><thead><tr><th scope="col">Operating points</th><th scope="col">Probability</th>'
        f'<th scope="col">Alert</th><th scope="col">Threshold</th></tr></thead><tbody>{alerts}'
        '</tbody></table><table><thead><tr><th scope="col">Tier</th><th scope="col">Diagnosis</th>'
        '<th scope="col">Probability</th><th scope="col">In the differential</th></tr></thead>'
        f"<tbody>{diagnoses}</tbody></table>"
        f"<p>{escape(report.assumption)}</p><p>{escape(report.model)}</p>"
        f'<p class="title">Limitations of the model</p><ul>{limits}</ul>'
        f'<p class="title">Notes</p><p>{escape(report.notes or "–")}</p>'
        "<p>For research and education. Not a medical device.</p></section>"
    )

"""The report of an opened photograph: a preview to print, a PDF, and notes that are not kept."""

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from dashboard.reading.prevalence import adapt
from melanoma_core.models.methods import Method
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.ranking import choose_explained
from melanoma_core.reading.report import MAX_NOTES, write_report

if TYPE_CHECKING:
    from melanoma_core.reading.report import Report

_OPACITY = 0.6
_HELP = (
    "One page with image, heatmap, answer, operating points, model and limitations, for your "
    "records."
)


def offer_report(entry: Entry) -> None:
    """Offer the report of a photograph."""
    if st.button("Report", help=_HELP, key=f"report-of-{entry.key}"):
        _show(entry, uuid4().hex)


@st.dialog("Report", width="large")
def _show(entry: Entry, opening: str) -> None:
    """Show the report as it is printed, with a field for notes and its PDF.

    Args:
        entry: The photograph.
        opening: Unique, so that no report opened later has the notes of this one.
    """
    from melanoma_core.reading.report_pdf import write_report_pdf

    notes = st.text_area(
        "Notes",
        max_chars=MAX_NOTES,
        key=f"report-notes-{opening}",
        help="They are on the report alone, and gone when you close it.",
    )
    made_at = datetime.now().astimezone()
    diagnosis = st.session_state.get(f"explained-{entry.key}", choose_explained(entry.reading))
    caption = f"Heatmap for {diagnosis.title} ({Method.GRAD_CAM.title})"
    overlay = entry.draw_overlay(diagnosis, _OPACITY)
    report = write_report(entry, caption, made_at, notes, adapt(entry.reading, entry.card))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download PDF",
            data=write_report_pdf(report, entry.photograph, overlay, made_at),
            file_name="reading.pdf",
            mime="application/pdf",
            on_click="ignore",
            type="primary",
        )
        st.caption("Or print this page (Ctrl+P): it prints the report alone.", width="content")
    with st.container(key="report", gap="small"):
        st.html(render_head(report))
        photograph, heatmap = st.columns(2, gap="small")
        photograph.image(
            entry.photograph, caption="Photograph", width="stretch", alt=f"Photograph {entry.name}"
        )
        heatmap.image(overlay, caption=caption, width="stretch", alt=caption)
        st.html(render_body(report))


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

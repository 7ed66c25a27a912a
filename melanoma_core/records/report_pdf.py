"""Write the report of a lesion of the record as a PDF of one page."""

from datetime import datetime

from melanoma_core.models.card_text.pdf import Document
from melanoma_core.reading.pdf_layout import (
    LINE,
    fit_page,
    open_document,
    place_row,
    tabulate,
    write_text,
)
from melanoma_core.records.report import LesionReport
from melanoma_core.records.report_pictures import MAX_OTHERS, ReportPictures

_MAX_LIMITS = 1800  # characters of all limitations
_LARGE, _LARGE_OF_SEVERAL, _SMALL = 62.0, 52.0, 18.0  # mm, heights of the pictures at …
_FULL = 8.5  # points of the text


def write_lesion_pdf(report: LesionReport, pictures: ReportPictures, made_at: datetime) -> bytes:
    """Return a report as a PDF of one page; the text gets smaller until it fits.

    Args:
        report: What it says.
        pictures: What it shows.
        made_at: Date of the document, with its zone.
    """
    return fit_page(lambda size, note: _compose(report, pictures, made_at, (size, note)))


def _compose(
    report: LesionReport, pictures: ReportPictures, made_at: datetime, fit: tuple[float, str]
) -> Document:
    size, note = fit
    line = size * LINE
    document = open_document(report.title, made_at, "Report of a lesion")
    write_text(document, report.title, 13, 6, bold=True)
    for text in (*report.facts, report.made):
        write_text(document, text, size, line)
    document.ln(1)
    if pictures.large:
        height = (_LARGE_OF_SEVERAL if pictures.small else _LARGE) * size / _FULL
        large = [(each.content, each.caption) for each in pictures.large]
        place_row(document, large, (2, height), size)
    if pictures.small:
        small = [(each.content, each.caption) for each in pictures.small]
        place_row(document, small, (MAX_OTHERS, _SMALL * size / _FULL), size - 1.5)
    write_text(document, report.headline, 12, 6, bold=True)
    for text in filter(None, (*report.warnings, *pictures.missing, note)):
        write_text(document, text, size, line)
    document.ln(1)
    steps = [(each.name, each.text, each.signed) for each in report.steps]
    tabulate(document, ("Step", "What it says", "Who and when"), steps, (22, 72, 26), size)
    if report.reading:
        _write_reading(document, report, size)
    for title, texts in (("Notes", (report.notes or "–",)), ("Signature", ("",))):
        document.ln(1)
        write_text(document, title, size + 1, line + 0.5, bold=True)
        for text in texts:
            write_text(document, text, size, line)
    return document


def _write_reading(document: Document, report: LesionReport, size: float) -> None:
    """Write what the network said, and the limitations of its model."""
    line = size * LINE
    if report.alerts:
        head = ("AI reading", "Probability", "Alert", "Operating point")
        tabulate(document, head, report.alerts, (30, 20, 20, 50), size)
    named = ", ".join(f"{name} {share}" for name, share in report.diagnoses)
    if named:
        write_text(document, f"Most probable: {named}.", size, line)
    write_text(document, report.reading, size, line)
    document.ln(1)
    write_text(document, "Limitations of the model", size + 1, line + 0.5, bold=True)
    left = _MAX_LIMITS
    for place, limit in enumerate(report.limits):
        left -= len(limit)
        if left < 0:
            rest = len(report.limits) - place
            write_text(document, f"{rest:,} more are in the model card.", size, line)
            break
        write_text(document, limit, size, line)

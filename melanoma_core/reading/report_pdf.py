"""Write the report of a reading as a PDF of one page."""

from collections.abc import Sequence
from dataclasses import dataclass
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
from melanoma_core.reading.report import MAX_OTHERS, Report

_MAX_LIMITS = 3000  # characters of all limitations
_IMAGE_HEIGHT = 68.0  # mm
_IMAGE_HEIGHT_OF_SEVERAL = 55.0  # mm, where small images follow
_SMALL_HEIGHT = 18.0  # mm


@dataclass(frozen=True)
class ReportImages:
    """The images of a report, each as JPEG.

    Attributes:
        photograph: What the report is about.
        overlay: It with its heatmap.
        others: A small picture of each other photograph of the lesion (`Report.others`).
    """

    photograph: bytes
    overlay: bytes
    others: tuple[bytes, ...] = ()


def write_report_pdf(report: Report, images: ReportImages, made_at: datetime) -> bytes:
    """Return a report as a PDF of exactly one page.

    The text gets smaller until it fits. Of very many limitations the last are left out, and the
    page says how many.

    Args:
        report: What it says.
        images: What it shows.
        made_at: Date of the document, with its zone.
    """
    limits = _shorten(report.limits)
    return fit_page(lambda size, note: _compose(report, images, made_at, size, (limits, note)))


def _shorten(limits: Sequence[str]) -> tuple[str, ...]:
    """Return the first limitations that fit, and how many there are besides."""
    kept, characters = [], 0
    for limit in limits:
        characters += len(limit)
        if characters > _MAX_LIMITS:
            break
        kept.append(limit)
    rest = len(limits) - len(kept)
    return (*kept, f"{rest:,} more are in the model card.") if rest else tuple(kept)


def _compose(
    report: Report,
    images: ReportImages,
    made_at: datetime,
    size: float,
    texts: tuple[Sequence[str], str],
) -> Document:
    """Compose the page with limitations, and with what is said of letters that are not printed."""
    limits, note = texts
    document = open_document(report.title, made_at)
    line = size * LINE
    write_text(document, report.title, 13, 6, bold=True)
    write_text(document, report.date, size, line)
    document.ln(1)
    _place_images(document, images, report, size)
    write_text(document, report.headline, 12, 6, bold=True)
    for text in filter(None, (report.sentence, *report.warnings, note)):
        write_text(document, text, size, line)
    document.ln(1)
    rows = [(each.name, each.probability, each.result, each.point) for each in report.alerts]
    head = ("Operating points", "Probability", "Alert", "Threshold")
    tabulate(document, head, rows, (22, 14, 12, 72), size)
    document.ln(1)
    head = ("Tier", "Diagnosis", "Probability", "In the differential")
    tabulate(document, head, report.diagnoses, (24, 40, 20, 24), size)
    for text in (report.assumption, report.model):
        write_text(document, text, size, line)
    parts = (("Limitations of the model", limits), ("Notes", (report.notes or "–",)))
    for title, paragraphs in parts:
        document.ln(1)
        write_text(document, title, size + 1, line + 0.5, bold=True)
        for text in paragraphs:
            write_text(document, text, size, line)
    return document


def _place_images(document: Document, images: ReportImages, report: Report, size: float) -> None:
    """Place the photograph beside its overlay, and below both the others in one row."""
    height = _IMAGE_HEIGHT_OF_SEVERAL if images.others else _IMAGE_HEIGHT
    pair = ((images.photograph, report.photograph), (images.overlay, report.overlay))
    place_row(document, pair, (2, height), size)
    if images.others:
        small = tuple(zip(images.others, report.others, strict=True))
        place_row(document, small, (MAX_OTHERS, _SMALL_HEIGHT), size - 1)

"""Write the report of a reading as a PDF of one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fpdf.enums import WrapMode
from fpdf.fonts import FontFace

from melanoma_core.models.card_text.pdf import FAMILY, Document
from melanoma_core.reading.report import MAX_OTHERS, Report

_SIZES = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0)  # points of the text, until it fits
_MAX_LIMITS = 3000  # characters of all limitations
_IMAGE_HEIGHT = 68.0  # mm
_IMAGE_HEIGHT_OF_SEVERAL = 55.0  # mm, where small images follow
_SMALL_HEIGHT = 18.0  # mm
_LONG_WORD = 60  # characters
_WIDE_LETTER = 0.35  # mm per point of its size: the width of a W
_GAP = 4.0  # mm between the images
_FILL = (241, 244, 247)


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
    document = _compose(report, images, made_at, _SIZES[0], limits)
    for size in _SIZES[1:]:
        if document.page_no() == 1:
            break
        document = _compose(report, images, made_at, size, limits)
    return bytes(document.output())


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
    limits: Sequence[str],
) -> Document:
    document = Document("Melanoma dashboard")
    document.set_title(report.title)
    document.set_creator("Melanoma dashboard")
    document.set_creation_date(made_at.astimezone(UTC))
    document.set_lang("en")
    document.add_page()
    document.c_margin = 0  # text begins where images do
    line = size * 0.47
    _write(document, report.title, 13, 6, bold=True)
    _write(document, report.date, size, line)
    document.ln(1)
    _place_images(document, images, report, size)
    _write(document, report.headline, 12, 6, bold=True)
    for text in (report.sentence, *report.warnings):
        _write(document, text, size, line)
    document.ln(1)
    rows = [(each.name, each.probability, each.result, each.point) for each in report.alerts]
    head = ("Operating points", "Probability", "Alert", "Threshold")
    _tabulate(document, head, rows, (22, 14, 12, 72), size)
    document.ln(1)
    head = ("Tier", "Diagnosis", "Probability", "In the differential")
    _tabulate(document, head, report.diagnoses, (24, 40, 20, 24), size)
    for text in (report.assumption, report.model):
        _write(document, text, size, line)
    for title, texts in (("Limitations of the model", limits), ("Notes", (report.notes or "–",))):
        document.ln(1)
        _write(document, title, size + 1, line + 0.5, bold=True)
        for text in texts:
            _write(document, text, size, line)
    return document


def _write(
    document: Document, text: str, size: float, height: float, *, bold: bool = False
) -> None:
    document.set_font(FAMILY, "B" if bold else "", size)
    mode = _choose_wrap(text, _LONG_WORD)
    document.multi_cell(
        0, height, text, new_x="LMARGIN", new_y="NEXT", align="L", wrapmode=mode, markdown=False
    )


def _choose_wrap(text: str, longest: int) -> WrapMode:
    """Return how a text is wrapped: by characters where a word of it would leave its column."""
    is_long = any(len(word) > longest for word in text.split())
    return WrapMode.CHAR if is_long else WrapMode.WORD


def _place_images(document: Document, images: ReportImages, report: Report, size: float) -> None:
    """Place the photograph beside its overlay, and below both the others in one row."""
    height = _IMAGE_HEIGHT_OF_SEVERAL if images.others else _IMAGE_HEIGHT
    pair = ((images.photograph, report.photograph), (images.overlay, report.overlay))
    _place_row(document, pair, (2, height), size)
    if images.others:
        small = tuple(zip(images.others, report.others, strict=True))
        _place_row(document, small, (MAX_OTHERS, _SMALL_HEIGHT), size - 1)


def _place_row(
    document: Document,
    images: Sequence[tuple[bytes, str]],
    form: tuple[int, float],
    size: float,
) -> None:
    """Place images side by side, each above its caption.

    Args:
        document: The page.
        images: Content and caption of each.
        form: How many fit side by side, and the height of an image in mm.
        size: Of the captions, in points.
    """
    count, height = form
    width = (document.epw - (count - 1) * _GAP) / count
    top = bottom = document.get_y()
    document.set_font(FAMILY, "", size)
    for place, (content, caption) in enumerate(images):
        left = document.l_margin + place * (width + _GAP)
        document.image(
            content, x=left, y=top, w=width, h=height, keep_aspect_ratio=True, alt_text=caption
        )
        document.set_xy(left, top + height + 0.5)
        mode = _choose_wrap(caption, int(width / (_WIDE_LETTER * size)))
        document.multi_cell(width, size * 0.42, caption, align="C", wrapmode=mode)
        bottom = max(bottom, document.get_y())
    document.set_xy(document.l_margin, bottom + 1.5)


def _tabulate(
    document: Document,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: tuple[int, ...],
    size: float,
) -> None:
    document.set_font(FAMILY, "", size)
    with document.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=_FILL),
        borders_layout="HORIZONTAL_LINES",
        col_widths=widths,
        line_height=size * 0.47,
        text_align="LEFT",
        padding=0.3,
    ) as grid:
        for texts in (head, *rows):
            row = grid.row()
            for text in texts:
                row.cell(text)
    document.ln(1)

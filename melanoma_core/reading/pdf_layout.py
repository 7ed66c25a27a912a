"""What the PDFs of a reading, of a lesion and of a letter are laid out with."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fpdf.enums import WrapMode
from fpdf.fonts import FontFace

from melanoma_core.models.card_text.pdf import FAMILY, Document
from melanoma_core.models.card_text.printable import describe_unprinted
from melanoma_core.software import SOFTWARE

LINE = 0.47  # mm per point of its size: the height of a line
_SIZES = (8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0)  # points of the text, until it fits
_LONG_WORD = 60  # characters
_WIDE_LETTER = 0.35  # mm per point of its size: the width of a W
_GAP = 4.0  # mm between the images
_FILL = (241, 244, 247)


def fit_page(compose: Callable[[float, str], Document]) -> bytes:
    """Return a document as a PDF with text so small that it is one page, down to 5 points.

    Args:
        compose: Makes the document with a size of the text in points, and with what it says of
            letters that it cannot print.
    """
    document = compose(_SIZES[0], "")
    note = describe_unprinted(document.unprinted)
    if note:
        document = compose(_SIZES[0], note)
    for size in _SIZES[1:]:
        if document.page_no() == 1:
            break
        document = compose(size, note)
    return bytes(document.output())


def open_document(title: str, made_at: datetime, footer: str = SOFTWARE) -> Document:
    """Return a new document with its first page.

    Args:
        title: Of the document.
        made_at: Date of the document, with its zone.
        footer: Name at the foot of the page; "" for no footer.
    """
    document = Document(footer)
    document.set_title(title)
    document.set_creator(SOFTWARE)
    document.set_creation_date(made_at.astimezone(UTC))
    document.set_lang("en")
    document.add_page()
    document.c_margin = 0  # text begins where images do
    return document


def write_text(
    document: Document, text: str, size: float, height: float, *, bold: bool = False
) -> None:
    """Write a text below what is there, as wide as the page.

    Args:
        document: The page.
        text: Any text; no markup of it is read.
        size: Of the letters, in points.
        height: Of a line, in mm.
        bold: Whether it is bold.
    """
    document.set_font(FAMILY, "B" if bold else "", size)
    mode = _choose_wrap(text, _LONG_WORD)
    document.multi_cell(
        0, height, text, new_x="LMARGIN", new_y="NEXT", align="L", wrapmode=mode, markdown=False
    )


def place_row(
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


def tabulate(
    document: Document,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: tuple[int, ...],
    size: float,
) -> None:
    """Write a table.

    Args:
        document: The page.
        head: Of the columns.
        rows: Texts of the cells.
        widths: Relative widths of the columns.
        size: Of the letters, in points.
    """
    document.set_font(FAMILY, "", size)
    is_long = any(len(word) > _LONG_WORD for row in rows for text in row for word in text.split())
    with document.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=_FILL),
        borders_layout="HORIZONTAL_LINES",
        col_widths=widths,
        line_height=size * LINE,
        text_align="LEFT",
        padding=0.3,
        wrapmode=WrapMode.CHAR if is_long else WrapMode.WORD,
    ) as grid:
        for texts in (head, *rows):
            row = grid.row()
            for text in texts:
                row.cell(text)
    document.ln(1)


def _choose_wrap(text: str, longest: int) -> WrapMode:
    """Return how a text is wrapped: by characters where a word of it would leave its column."""
    is_long = any(len(word) > longest for word in text.split())
    return WrapMode.CHAR if is_long else WrapMode.WORD

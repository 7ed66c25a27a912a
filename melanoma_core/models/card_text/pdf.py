"""Write a model card as a PDF. It embeds its font, so that no character is missing."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.fonts import FontFace, TTFFont

from melanoma_core.models.card_text.pdf_diagram import draw_diagram
from melanoma_core.models.card_text.printable import make_printable
from melanoma_core.models.card_text.section import Section, Table
from melanoma_core.settings import ASSETS
from melanoma_core.software import DISCLAIMER, SOFTWARE, VERSION

_FONTS = ASSETS / "fonts"
FAMILY = "DejaVu"
_TEXT_POINTS, _SMALL_POINTS, _TITLE_POINTS, _HEAD_POINTS = 9, 7, 16, 12
_MAX_CHARACTERS = 48  # of a cell that count for the width of its column
_WIDE = 5  # from this number of columns on, a table has the smaller font
_RULE = (201, 210, 219)
_GREY = (74, 89, 104)


class Document(FPDF):
    """An A4 document whose footer has its name, the notice and the page number.

    Args:
        name: In the footer of each page; "" for no footer.

    Attributes:
        unprinted: The letters so far that the font cannot print (`printable`).
    """

    def __init__(self, name: str) -> None:
        super().__init__(format="A4")
        self._name = name
        self._is_footer = False
        self.unprinted: frozenset[str] = frozenset()
        self.add_font(FAMILY, fname=_FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, style="B", fname=_FONTS / "DejaVuSans-Bold.ttf")
        fonts = [each for each in self.fonts.values() if isinstance(each, TTFFont)]
        self._letters = frozenset.intersection(*(frozenset(each.cmap) for each in fonts))
        self.set_margins(15, 15, 15)
        self.set_auto_page_break(True, margin=18)
        self.set_draw_color(*_RULE)

    def footer(self) -> None:
        """Write the name of the document, the software, the notice and the page number below."""
        if not self._name:
            return
        self.set_y(-13)
        self.set_font(FAMILY, size=_SMALL_POINTS)
        self.set_text_color(*_GREY)
        self._is_footer = True
        software = f"{SOFTWARE} {VERSION}"
        name = software if self._name == SOFTWARE else f"{self._name}. {software}"
        self.cell(0, 5, f"{name}. {DISCLAIMER} Page {self.page_no()} of {{nb}}", align="C")
        self._is_footer = False
        self.set_text_color(0, 0, 0)

    def normalize_text(self, text: str) -> str:
        """Return a text as the font prints it: fpdf2 passes every text through here."""
        shown, missing = make_printable(super().normalize_text(text), self._letters)
        self.unprinted |= missing
        # fpdf2 puts the number of pages in the place of "{nb}" everywhere, in typed text too.
        return shown if self._is_footer else shown.replace("{nb}", "{ nb }")


def write_pdf(title: str, sections: Sequence[Section], created_at: str) -> bytes:
    """Return the sections as a PDF.

    Args:
        title: Title of the document, repeated on every page.
        sections: As returned by `sections.build_sections`.
        created_at: Date of the document (UTC, ISO 8601). The same card gives the same bytes.
    """
    document = Document(title)
    document.set_title(title)
    document.set_creator(SOFTWARE)
    document.set_creation_date(datetime.fromisoformat(created_at).astimezone(UTC))
    document.set_lang("en")
    document.add_page()
    document.set_font(FAMILY, "B", _TITLE_POINTS)
    document.multi_cell(0, 8, f"Model card: {title}", new_x="LMARGIN", new_y="NEXT")
    for section in sections:
        _add_section(document, section)
    return bytes(document.output())


def _add_section(document: Document, section: Section) -> None:
    document.ln(4)
    # Keep a heading on the same page as its text.
    if document.will_page_break(30):
        document.add_page()
    document.set_font(FAMILY, "B", _HEAD_POINTS)
    document.start_section(section.title)
    document.multi_cell(0, 7, section.title, new_x="LMARGIN", new_y="NEXT")
    document.set_font(FAMILY, size=_TEXT_POINTS)
    for paragraph in section.paragraphs:
        document.multi_cell(0, 4.6, paragraph, new_x="LMARGIN", new_y="NEXT", align="L")
        document.ln(1)
    if section.diagram:
        draw_diagram(document, section.diagram)
    for table in section.tables:
        _add_table(document, table)


def _add_table(document: Document, table: Table) -> None:
    if not table.rows:
        return
    document.ln(1)
    if document.will_page_break(20):
        document.add_page()
    document.set_font(FAMILY, "B", _TEXT_POINTS)
    document.multi_cell(0, 5, table.title, new_x="LMARGIN", new_y="NEXT", align="L")
    is_wide = len(table.head) >= _WIDE
    document.set_font(FAMILY, size=_SMALL_POINTS if is_wide else _TEXT_POINTS - 1)
    with document.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=(241, 244, 247)),
        borders_layout="HORIZONTAL_LINES",
        col_widths=_measure_widths(table),
        line_height=3.6 if is_wide else 4.2,
        text_align="LEFT",
        padding=0.8,
        wrapmode="CHAR" if _has_long_words(table) else "WORD",
    ) as grid:
        for texts in (table.head, *table.rows):
            row = grid.row()
            for text in texts:
                row.cell(text)


def _measure_widths(table: Table) -> tuple[int, ...]:
    """Return the relative widths of the columns, by their longest cells.

    No column is narrower than the longest word of its bold head.
    """
    columns = zip(*table.rows, strict=True)
    widths = []
    for head, column in zip(table.head, columns, strict=True):
        longest = min(max(len(text) for text in (head, *column)), _MAX_CHARACTERS)
        word = max((len(word) for word in head.split()), default=0) + 3
        widths.append(max(longest, word))
    return tuple(widths)


def _has_long_words(table: Table) -> bool:
    """Return whether a table contains hashes, which have no place for a line break."""
    return any(len(word) > 40 for row in table.rows for text in row for word in text.split())

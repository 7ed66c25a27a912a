"""Sections on paper: a PDF that can be filed, with its own font, so that every letter is there."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.fonts import FontFace

from melanoma_core.models.card_text.section import Section, Table
from melanoma_core.settings import ASSETS

_FONTS = ASSETS / "fonts"
_FAMILY = "DejaVu"
_TEXT_POINTS, _SMALL_POINTS, _TITLE_POINTS, _HEAD_POINTS = 9, 7, 16, 12
_MOST_LETTERS = 48  # of a text that counts for the width of its column
_WIDE = 5  # columns from which a table takes the smaller letters
_RULE = (201, 210, 219)
_QUIET = (74, 89, 104)
_NOTICE = "For research and education. Not a medical device."


class _Paper(FPDF):
    """A4 with the model's name and the page's number below."""

    def __init__(self, name: str) -> None:
        super().__init__(format="A4")
        self._name = name
        self.add_font(_FAMILY, fname=_FONTS / "DejaVuSans.ttf")
        self.add_font(_FAMILY, style="B", fname=_FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(15, 15, 15)
        self.set_auto_page_break(True, margin=18)
        self.set_draw_color(*_RULE)

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(_FAMILY, size=_SMALL_POINTS)
        self.set_text_color(*_QUIET)
        self.cell(0, 5, f"{self._name}. {_NOTICE} Page {self.page_no()} of {{nb}}", align="C")
        self.set_text_color(0, 0, 0)


def write_pdf(title: str, sections: Sequence[Section], created_at: str) -> bytes:
    """Return the sections as a PDF.

    Args:
        title: Of the document, and of every page.
        sections: As `sections.build_sections` gives them.
        created_at: UTC, ISO 8601; the PDF says so, and is the same to the byte for the same card.
    """
    paper = _Paper(title)
    paper.set_title(title)
    paper.set_creator("Melanoma dashboard")
    paper.set_creation_date(datetime.fromisoformat(created_at).astimezone(UTC))
    paper.set_lang("en")
    paper.add_page()
    paper.set_font(_FAMILY, "B", _TITLE_POINTS)
    paper.multi_cell(0, 8, f"Model card: {title}", new_x="LMARGIN", new_y="NEXT")
    for section in sections:
        _add_section(paper, section)
    return bytes(paper.output())


def _add_section(paper: _Paper, section: Section) -> None:
    paper.ln(4)
    # A heading that stands alone at the foot of a page belongs to the next one.
    if paper.will_page_break(30):
        paper.add_page()
    paper.set_font(_FAMILY, "B", _HEAD_POINTS)
    paper.start_section(section.title)
    paper.multi_cell(0, 7, section.title, new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FAMILY, size=_TEXT_POINTS)
    for paragraph in section.paragraphs:
        paper.multi_cell(0, 4.6, paragraph, new_x="LMARGIN", new_y="NEXT", align="L")
        paper.ln(1)
    for table in section.tables:
        _add_table(paper, table)


def _add_table(paper: _Paper, table: Table) -> None:
    if not table.rows:
        return
    paper.ln(1)
    if paper.will_page_break(20):
        paper.add_page()
    paper.set_font(_FAMILY, "B", _TEXT_POINTS)
    paper.multi_cell(0, 5, table.title, new_x="LMARGIN", new_y="NEXT", align="L")
    is_wide = len(table.head) >= _WIDE
    paper.set_font(_FAMILY, size=_SMALL_POINTS if is_wide else _TEXT_POINTS - 1)
    with paper.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=(241, 244, 247)),
        borders_layout="HORIZONTAL_LINES",
        col_widths=_share_width(table),
        line_height=3.6 if is_wide else 4.2,
        text_align="LEFT",
        padding=0.8,
        wrapmode="CHAR" if _has_long_words(table) else "WORD",
    ) as grid:
        for texts in (table.head, *table.rows):
            row = grid.row()
            for text in texts:
                row.cell(text)


def _share_width(table: Table) -> tuple[int, ...]:
    """Return how wide the columns shall be beside each other, by their longest text.

    At least as wide as the longest word of their heads, which are bold.
    """
    columns = zip(*table.rows, strict=True)
    widths = []
    for head, column in zip(table.head, columns, strict=True):
        longest = min(max(len(text) for text in (head, *column)), _MOST_LETTERS)
        word = max((len(word) for word in head.split()), default=0) + 3
        widths.append(max(longest, word))
    return tuple(widths)


def _has_long_words(table: Table) -> bool:
    """Return whether a table holds hashes, which have no place to break a line at."""
    return any(len(word) > 40 for row in table.rows for text in row for word in text.split())

"""Draw a flow diagram into a PDF."""

from collections.abc import Sequence
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from melanoma_core.models.card_text.diagram import Box, FlowDiagram

# Lengths in mm. The main column, the gap with the arrow, and the column of what leaves.
_MAIN, _GAP, _SIDE = 70.0, 14.0, 96.0
_LINE, _PADDING, _STEP, _BETWEEN, _HEAD = 3.8, 1.6, 6.0, 4.0, 1.4
_POINTS = 8
_WIDTH = _MAIN + _GAP + _SIDE
_GREY = (74, 89, 104)


def draw_diagram(document: FPDF, diagram: FlowDiagram) -> None:
    """Draw a diagram at the current position, on one page, with the current font family."""
    document.ln(1)
    document.set_font(style="B", size=_POINTS + 1)
    heights = [_measure_stage(document, stage.box, stage.leaving) for stage in diagram.stages]
    rows = [_measure_row(document, branch.boxes) for branch in diagram.branches]
    height = sum(heights) + sum(rows) + _STEP * len(heights) + (_LINE + _BETWEEN) * (len(rows) + 1)
    if document.will_page_break(height):
        document.add_page()
    document.multi_cell(0, 5, diagram.title, new_x="LMARGIN", new_y="NEXT", align="L")
    left, top = document.l_margin, document.get_y() + 1
    for place, (stage, tall) in enumerate(zip(diagram.stages, heights, strict=True)):
        _draw_box(document, stage.box, (left, top, _MAIN, tall))
        if stage.leaving:
            _draw_box(document, stage.leaving, (left + _MAIN + _GAP, top, _SIDE, tall))
            middle = top + tall / 2
            _draw_arrow(document, (left + _MAIN, middle), (left + _MAIN + _GAP, middle))
        top += tall
        if place + 1 < len(heights):
            _draw_arrow(document, (left + _MAIN / 2, top), (left + _MAIN / 2, top + _STEP))
            top += _STEP
    for branch, tall in zip(diagram.branches, rows, strict=True):
        top += _BETWEEN
        document.set_xy(left, top)
        document.set_font(style="B", size=_POINTS)
        document.cell(_WIDTH, _LINE, branch.title)
        top += _LINE + 0.6
        width = (_WIDTH - _BETWEEN * (len(branch.boxes) - 1)) / len(branch.boxes)
        for place, box in enumerate(branch.boxes):
            _draw_box(document, box, (left + place * (width + _BETWEEN), top, width, tall))
        top += tall
    document.set_xy(left, top + 2)


def _measure_stage(document: FPDF, box: Box, leaving: Box | None) -> float:
    return max(
        _measure(document, box, _MAIN), _measure(document, leaving, _SIDE) if leaving else 0.0
    )


def _measure_row(document: FPDF, boxes: Sequence[Box]) -> float:
    width = (_WIDTH - _BETWEEN * (len(boxes) - 1)) / len(boxes)
    return max(_measure(document, box, width) for box in boxes)


def _measure(document: FPDF, box: Box, width: float) -> float:
    document.set_font(style="B", size=_POINTS)
    height = 2 * _PADDING
    for text in (box.headline, *box.notes):
        lines = document.multi_cell(
            width - 2 * _PADDING, _LINE, text, dry_run=True, output=MethodReturnValue.LINES
        )
        height += _LINE * len(cast("list[str]", lines))
    return height


def _draw_box(document: FPDF, box: Box, area: tuple[float, float, float, float]) -> None:
    """Draw a box with its texts into an area: left, top, width and height."""
    left, top, width, height = area
    document.rect(left, top, width, height)
    document.set_xy(left + _PADDING, top + _PADDING)
    for place, text in enumerate((box.headline, *box.notes)):
        document.set_font(style="" if place else "B", size=_POINTS)
        document.set_x(left + _PADDING)
        inner = width - 2 * _PADDING
        document.multi_cell(inner, _LINE, text, new_x="LEFT", new_y="NEXT", align="L")


def _draw_arrow(document: FPDF, start: tuple[float, float], end: tuple[float, float]) -> None:
    document.line(*start, *end)
    x, y = end
    if start[0] == x:
        corners = [(x, y), (x - _HEAD / 2, y - _HEAD), (x + _HEAD / 2, y - _HEAD)]
    else:
        corners = [(x, y), (x - _HEAD, y - _HEAD / 2), (x - _HEAD, y + _HEAD / 2)]
    with document.local_context(fill_color=_GREY):  # otherwise the tables below get this colour
        document.polygon(corners, style="F")

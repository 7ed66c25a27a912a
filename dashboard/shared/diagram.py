"""A flow of participants as boxes. All text is escaped."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoma_core.models.card_text.diagram import Box, FlowDiagram


def render_diagram(diagram: "FlowDiagram") -> str:
    """Render a flow diagram as boxes: its steps, what leaves beside them, and the results below."""
    steps = "".join(
        f"<li>{_render_box(stage.box)}"
        f"{_render_box(stage.leaving, 'leaving') if stage.leaving else ''}</li>"
        for stage in diagram.stages
    )
    branches = "".join(
        f'<div class="branch"><p>{escape(branch.title)}</p>'
        f"<ul>{''.join(f'<li>{_render_box(box)}</li>' for box in branch.boxes)}</ul></div>"
        for branch in diagram.branches
    )
    return (
        f'<figure class="flow"><figcaption>{escape(diagram.title)}</figcaption>'
        f"<ol>{steps}</ol>{branches}</figure>"
    )


def _render_box(box: "Box", kind: str = "") -> str:
    notes = "".join(f"<br>{escape(note)}" for note in box.notes)
    return f'<p class="box {kind}"><strong>{escape(box.headline)}</strong>{notes}</p>'

"""Write a model card as Markdown, for a repository or a model hub."""

from collections.abc import Sequence

from melanoma_core.models.card_text.diagram import Box, FlowDiagram
from melanoma_core.models.card_text.section import Section, Table
from melanoma_core.software import DISCLAIMER, SOFTWARE, VERSION


def write_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as one Markdown document. Every text is escaped."""
    parts = [f"# Model card: {_escape(title)}"]
    for section in sections:
        parts.append(f"## {_escape(section.title)}")
        parts += [_escape(paragraph) for paragraph in section.paragraphs]
        parts += [_write_diagram(section.diagram)] if section.diagram else []
        parts += [_write_table(table) for table in section.tables if table.rows]
    parts.append(f"{SOFTWARE} {_escape(VERSION)}. {DISCLAIMER}")
    return "\n\n".join(parts) + "\n"


def _write_table(table: Table) -> str:
    lines = [table.head, ("---",) * len(table.head), *table.rows]
    rows = [
        f"| {' | '.join(cell if cell == '---' else _escape(cell) for cell in line)} |"
        for line in lines
    ]
    return "\n".join([f"**{_escape(table.title)}**", "", *rows])


def _write_diagram(diagram: FlowDiagram) -> str:
    """Return a flow diagram as Mermaid, which repositories draw; elsewhere its text is readable."""
    lines = [f"**{_escape(diagram.title)}**", "", "```mermaid", "flowchart TD"]
    for place, stage in enumerate(diagram.stages):
        lines.append(f"    s{place}{_write_box(stage.box)}")
        if place:
            lines.append(f"    s{place - 1} --> s{place}")
        if stage.leaving:
            lines += [f"    l{place}{_write_box(stage.leaving)}", f"    s{place} --> l{place}"]
    last = f"s{len(diagram.stages) - 1}"
    for row, branch in enumerate(diagram.branches):
        lines += [f"    t{row}{_write_box(branch.title)}", f"    {last} --> t{row}"]
        for place, box in enumerate(branch.boxes):
            lines += [f"    b{row}{place}{_write_box(box)}", f"    t{row} --> b{row}{place}"]
    return "\n".join([*lines, "```"])


def _write_box(box: Box | str) -> str:
    lines = (box,) if isinstance(box, str) else (box.headline, *box.notes)
    texts = []
    for line in lines:
        plain = " ".join(line.split()).replace("#", "#35;")
        for mark, code in (('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
            plain = plain.replace(mark, code)
        texts.append(plain)
    return f'["{"<br/>".join(texts)}"]'


def _escape(text: str) -> str:
    """Escape Markdown. The text may contain names of files, which are untrusted."""
    plain = " ".join(text.split())
    for mark in ("\\", "|", "<", "*", "_", "`", "[", "#"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain

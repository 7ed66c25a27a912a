"""Sections as Markdown, for a repository or a hub of models."""

from collections.abc import Sequence

from melanoma_core.models.card_text.section import Section, Table


def write_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as one document; every text shows as it is."""
    parts = [f"# Model card: {_escape(title)}"]
    for section in sections:
        parts.append(f"## {_escape(section.title)}")
        parts += [_escape(paragraph) for paragraph in section.paragraphs]
        parts += [_write_table(table) for table in section.tables if table.rows]
    return "\n\n".join(parts) + "\n"


def _write_table(table: Table) -> str:
    lines = [table.head, ("---",) * len(table.head), *table.rows]
    rows = [
        f"| {' | '.join(cell if cell == '---' else _escape(cell) for cell in line)} |"
        for line in lines
    ]
    return "\n".join([f"**{_escape(table.title)}**", "", *rows])


def _escape(text: str) -> str:
    """Keep a text from being markup: what it holds was written by whoever named a file."""
    plain = " ".join(text.split())
    for mark in ("\\", "|", "<", "*", "_", "`", "[", "#"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain

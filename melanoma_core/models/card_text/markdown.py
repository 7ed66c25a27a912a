"""Write a model card as Markdown, for a repository or a model hub."""

from collections.abc import Sequence

from melanoma_core.models.card_text.section import Section, Table


def write_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the sections as one Markdown document. Every text is escaped."""
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
    """Escape Markdown. The text may contain names of files, which are untrusted."""
    plain = " ".join(text.split())
    for mark in ("\\", "|", "<", "*", "_", "`", "[", "#"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain

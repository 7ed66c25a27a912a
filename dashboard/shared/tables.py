"""Rows as an HTML table that wraps, is read aloud, and scrolls where it is too wide."""

from collections.abc import Mapping, Sequence
from html import escape

Row = Mapping[str, str | float]


def render_table(rows: Sequence[Row], title: str) -> str:
    """Render rows as a table; empty without any. The first column is the head of each row.

    Args:
        rows: Values by column, with the same columns each.
        title: What the table is, for those who do not see it.

    >>> render_table([{"a": "<b>"}], "Letters").count("&lt;b&gt;")
    1
    """
    if not rows:
        return ""
    columns = list(rows[0])
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(_render_row(row, columns) for row in rows)
    return (
        f'<div class="scrolls" role="region" tabindex="0" aria-label="{escape(title)}">'
        f'<table class="answers"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _render_row(row: Row, columns: Sequence[str]) -> str:
    first, *others = columns
    cells = "".join(f"<td>{escape(_format(row[name]))}</td>" for name in others)
    return f'<tr><th scope="row">{escape(_format(row[first]))}</th>{cells}</tr>'


def _format(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,}"

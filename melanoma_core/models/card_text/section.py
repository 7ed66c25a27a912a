"""What a model card is made of, and how its cells say what is known, undefined or not provided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.tables import Row


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Attributes:
        title: Of the table.
        head: Names of the columns.
        rows: As many texts each.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of the card.

    Attributes:
        title: Of the part.
        paragraphs: Sentences, before the tables.
        tables: In their order.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def tabulate_facts(title: str, facts: Mapping[str, Any]) -> Table:
    """Return facts by their names; what is None or empty is not provided."""
    rows = tuple(
        (name, NOT_PROVIDED if value in (None, "") else str(value)) for name, value in facts.items()
    )
    return Table(title, ("What", "Value"), rows)


def tabulate_rows(title: str, rows: list[Row]) -> Table:
    """Return rows of plain values as text."""
    head = tuple(rows[0]) if rows else ()
    texts = tuple(tuple(_text(value) for value in row.values()) for row in rows)
    return Table(title, head, texts)


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

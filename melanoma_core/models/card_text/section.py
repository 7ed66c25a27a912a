"""What a model card is made of, and how its cells say what is known, undefined or not provided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card_text.tables import Row, tell_figure
from melanoma_core.models.card_text.wording import UNDEFINED

NOT_PROVIDED = "not provided"
_NO_SHARES = ("roc_auc", "average_precision", "brier_score", "set_size")


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


def tell_known(name: str, figure: Figure | None) -> str:
    """Return a figure of `evaluate_fully` with its interval and counts; None was not measured."""
    if figure is None:
        return NOT_PROVIDED
    if any(part in name for part in _NO_SHARES) or math.isnan(figure.low):
        return tell_value(figure.value, figure.low, figure.high)
    return tell_figure(name, figure)


def tell_value(value: float, low: float, high: float) -> str:
    """Return a number that is no share with its 95% interval; NaN is undefined."""
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low):
        return f"{value:.3f} ({UNDEFINED})"
    dash = "–" if low >= 0 else " to "  # a dash before a minus cannot be read
    return f"{value:.3f} ({low:.3f}{dash}{high:.3f})"


def tell_size(figure: Figure | None) -> str:
    """Return on how many photographs and lesions a figure rests."""
    return f"{figure.total:,} of {figure.num_lesions:,} lesions" if figure else NOT_PROVIDED


def tell_number(value: float) -> str:
    """Return a number without an interval; NaN is undefined."""
    return UNDEFINED if math.isnan(value) else f"{value:.3f}"


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

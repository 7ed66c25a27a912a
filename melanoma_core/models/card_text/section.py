"""The parts of a model card: titled sections of sentences and tables of text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from melanoma_core.models.card_text.diagram import FlowDiagram
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.tables import Row


class Title(StrEnum):
    """Titles of the sections, in their order."""

    DETAILS = "Model details"
    USE = "Intended use and limitations"
    ALERT = "Alerts"
    FLOW = "Flow of participants"
    PERFORMANCE = "Performance on the held-out test set"
    CLASSES = "Performance by diagnosis"
    SUBGROUPS = "Performance by subgroup and confirmation"
    SETS = "Conformal prediction sets"
    NOVELTY = "Out-of-distribution check"
    ROBUSTNESS = "Robustness to ink, hair and other artefacts"
    OUTLINE = "Outline of the lesion"
    HEATMAPS = "Faithfulness of the heatmaps"
    DATA = "Data"
    LEAKAGE = "Leakage between training and test"
    TRAINING = "Training"
    REPRODUCTION = "Reproducibility"
    CHECKLISTS = "Reporting checklists"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        title: Title of the table.
        head: Names of the columns.
        rows: Rows, each with as many cells as `head`.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A section of the card.

    Attributes:
        title: One of `Title`.
        paragraphs: Paragraphs, which precede the tables.
        tables: Tables in their order.
        diagram: A figure between paragraphs and tables; None if there is none.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    diagram: FlowDiagram | None = None


def tabulate_facts(title: str, facts: Mapping[str, Any]) -> Table:
    """Return a table of names and values. None and "" are shown as not provided.

    >>> tabulate_facts("Model", {"Contact": None}).rows
    (('Contact', 'not provided'),)
    """
    rows = tuple(
        (name, NOT_PROVIDED if value in (None, "") else str(value)) for name, value in facts.items()
    )
    return Table(title, ("Item", "Value"), rows)


def tabulate_rows(title: str, rows: list[Row]) -> Table:
    """Return rows of plain values as a table of text.

    >>> tabulate_rows("Files", [{"Decision": "relabelled", "Files": 1327}]).rows
    (('relabelled', '1,327'),)
    """
    head = tuple(rows[0]) if rows else ()
    texts = tuple(tuple(_format(value) for value in row.values()) for row in rows)
    return Table(title, head, texts)


def _format(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

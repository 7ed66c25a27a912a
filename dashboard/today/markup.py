"""HTML of what waits: data in, text out, no Streamlit call. Text of the record is escaped."""

from datetime import date
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from collections.abc import Mapping

    from melanoma_core.records.vocabulary import Task
    from melanoma_core.records.worklist import TaskCount, TaskRow

# By `tasks.Severity`. A symbol and words; colour only repeats them.
_SEVERITIES = {
    4: ("‼", "melanoma confirmed, or urgent"),
    3: ("▲", "melanoma suspected or known"),
    2: ("△", "skin cancer suspected or known"),
    1: ("◇", "watched"),
    0: ("○", "routine"),
}
_LATE = "⚠ overdue"


def name_lesion(row: "TaskRow") -> str:
    """Return which patient and which lesion a row is about."""
    return f"{row.pseudonym}, {f'lesion {row.label}' if row.lesion_id else 'whole skin'}"


def render_row(row: "TaskRow", on: date, *, is_overdue: bool) -> str:
    """Render what a lesion waits for, since when, and how severe it is.

    Args:
        row: Of the list.
        on: The day of the clinic.
        is_overdue: Whether it is overdue on this day.
    """
    symbol, words = _SEVERITIES[row.severity]
    late = f'<strong class="late">{_LATE}</strong> ' if is_overdue else ""
    site = row.site.rpartition(":")[2]
    return (
        f'<div class="task-row severity-{row.severity}">'
        f'<span class="what">{escape(row.task.capitalize())}</span>'
        f'<span class="site">{escape(site)}</span>'
        f'<span class="severity"><span aria-hidden="true">{symbol}</span> {words}</span>'
        f'<span class="due">{late}<time datetime="{row.due_on}" title="{row.due_on}">'
        f"{describe_due(row.due_on, on)}</time></span></div>"
    )


def describe_due(due_on: date, on: date) -> str:
    """Return since when something is due.

    >>> [describe_due(date(2026, 5, day), date(2026, 5, 8)) for day in (8, 7, 1)]
    ['due today', 'due since yesterday', 'due for 7 days']
    """
    days = (on - due_on).days
    return ("due today", "due since yesterday")[days] if days < 2 else f"due for {days:,} days"


def summarise(counts: "Mapping[Task, TaskCount]") -> str:
    """Return how much waits, and how much of it is overdue."""
    due = sum(count.due for count in counts.values())
    overdue = sum(count.overdue for count in counts.values())
    if not due:
        return "Nothing waits."
    late = f", {overdue:,} of them overdue by 7 days or more" if overdue else ", none overdue"
    return f"{due:,} {'tasks wait' if due > 1 else 'task waits'}{late}. The most severe is first."

"""HTML of patients and lesions: data in, text out, no Streamlit call. Text is escaped."""

from datetime import date
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.reading.statement import Level

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.lesion_summary import LesionSummary
    from melanoma_core.records.patient_list import PatientRow
    from melanoma_core.records.steps import OpenStep

# A shape and words; colour only repeats them. The shapes are those of the page Today.
_LEVELS = {
    Level.MELANOMA: ("▲", "melanoma alert"),
    Level.SKIN_CANCER: ("△", "other skin cancer suspected"),
    Level.NONE: ("○", "no alert"),
}
_UNREAD = ("–", "not read by the network")
_HIDDEN = ("?", "AI reading shown after the first read")
_SEVERITIES = {
    4: ("‼", "melanoma confirmed, or urgent"),
    3: ("▲", "melanoma suspected or known"),
    2: ("△", "skin cancer suspected or known"),
    1: ("◇", "watched"),
    0: ("○", "routine"),
}


def render_patient_row(row: "PatientRow", today: date) -> str:
    """Render who a patient is, how many lesions there are, and what waits."""
    from melanoma_core.records.wording import describe_person

    person = " · ".join(describe_person(row.patient.value, today))
    lesions = f"{row.num_lesions:,} lesion{'' if row.num_lesions == 1 else 's'}"
    waits, worst = "nothing due", ""
    if row.num_due and row.severity is not None:
        symbol, words = _SEVERITIES[row.severity]
        waits = f"{row.num_due:,} task{'' if row.num_due == 1 else 's'} due"
        worst = f'<span aria-hidden="true">{symbol}</span> {words}'
    return (
        f'<div class="patient-row"><span>{escape(person)}</span><span>{lesions}</span>'
        f"<span>{waits}</span><span>{worst}</span></div>"
    )


def name_level(summary: "LesionSummary") -> tuple[str, str]:
    """Return the shape and the words of the worst AI reading of a lesion."""
    if summary.hides_ai:
        return _HIDDEN
    return _LEVELS[summary.level] if summary.level is not None else _UNREAD


def name_class(summary: "LesionSummary") -> str:
    """Return the class of the style sheet that repeats a level in colour."""
    return f"level-{summary.level.name.lower()}" if summary.level is not None else "level-unread"


def describe_step(step: "OpenStep | None", today: date) -> str:
    """Return what a lesion waits for next, and since when.

    >>> describe_step(None, date(2026, 5, 8))
    'waits for nothing'
    """
    from melanoma_core.records.dates import write_day
    from melanoma_core.records.tasks import is_due, is_overdue

    if step is None:
        return "waits for nothing"
    if step.due_on is None:
        return f"next: {step.step}"
    word = "overdue since" if is_overdue(step.due_on, today) else "due"
    if not is_due(step.due_on, today):
        word = "due from"
    return f"next: {step.step}, {word} {write_day(step.due_on)}"


def render_lesion(summary: "LesionSummary", today: date) -> str:
    """Render where a lesion is, what it waits for, its worst alert, and its last histology."""
    from melanoma_core.records.diagnoses import title_diagnosis
    from melanoma_core.records.wording import say_site

    symbol, words = name_level(summary)
    site = say_site(summary.lesion.value) or "site not stated"
    histology = summary.histology
    report = f"histology: {title_diagnosis(histology.value.diagnosis)}" if histology else ""
    return (
        f'<div class="lesion-row"><span>{escape(site)}</span>'
        f"<span>{escape(describe_step(summary.next_step, today))}</span>"
        f'<span class="{name_class(summary)}"><span aria-hidden="true">{symbol}</span> {words}'
        f"</span><span>{escape(report)}</span></div>"
    )

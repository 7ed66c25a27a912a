"""Recalls of the lesion: when it is to be seen again, with a file for a calendar."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import STATUS, Form, close_form
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.downloads import Export, offer_export
from dashboard.shared.record import get_today, get_who, save

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.loop import Histology, Recall


def show_recalls(opened: OpenedLesion) -> None:
    """Show the open recalls, each with what can become of it."""
    from melanoma_core.records.tasks import find_answered_recalls
    from melanoma_core.records.vocabulary import RecallStatus

    answered = {each.id for each in find_answered_recalls(opened.case)}
    for recall in opened.case.recalls:
        if recall.value.status is RecallStatus.OPEN:
            _show_recall(opened, recall, is_answered=recall.id in answered)


def _show_recall(opened: OpenedLesion, recall: "Entry[Recall]", *, is_answered: bool) -> None:
    from melanoma_core.records.vocabulary import RecallStatus
    from melanoma_core.records.wording import summarise

    form = opened.name_form(f"recall-{recall.id}")
    with st.container(border=True):
        st.text(summarise(recall.value))
        if is_answered:
            st.caption("The lesion was photographed at a later visit.")
        with st.container(horizontal=True):
            changes = {"Done": RecallStatus.DONE, "Cancel": RecallStatus.CANCELLED}
            for label, status in changes.items() if opened.can_write else ():
                st.button(
                    label,
                    key=f"{form}-{status}",
                    on_click=_set_status,
                    args=(opened, recall, status),
                )
            if not opened.record.is_read_only:  # the audit log notes what leaves the record
                offer_export(
                    "Calendar file",
                    _make_export(opened, recall),
                    key=f"{form}-ics",
                    help_="An event of a whole day, with the pseudonym and no diagnosis.",
                )


def _make_export(opened: OpenedLesion, recall: "Entry[Recall]") -> Export:
    from melanoma_core.records.calendar_file import write_recall

    case, who = opened.case, get_who()
    return Export(
        f"recall-{recall.value.due_on}.ics",
        lambda: write_recall(recall, case.patient.value, case.lesion.value.label),
        lambda: _log_export(opened, recall.id, who),
    )


def show_recall_form(form: Form, report: "Entry[Histology] | None" = None) -> None:
    """Show the fields of a recall.

    Args:
        form: The form.
        report: The malignant report that asks for it; None for any other recall.
    """
    from melanoma_core.records.aftercare import propose_follow_up
    from melanoma_core.records.vocabulary import RecallStatus

    proposed = propose_follow_up(report.value, get_today()) if report else _propose_day(form)
    form.ask_day("Due on", "due_on", proposed)
    form.ask_text("Reason", "reason")
    if form.base is not None:
        form.ask_option("Status", "status", list(RecallStatus), RecallStatus.OPEN)
    form.offer_save(lambda draft: _build(form, draft), "Save the recall")


def _propose_day(form: Form) -> Any:
    """Return the day that the last decision asks for; today without one."""
    from melanoma_core.records.tasks import make_recall

    case, at_visit = form.opened.case, form.opened.at_visit
    if at_visit is None or not case.decisions:
        return get_today()
    proposed = make_recall(case.decisions[-1].value, at_visit.visit.value)
    return proposed.due_on if proposed else get_today()


def _build(form: Form, draft: Mapping[str, Any]) -> "Recall":
    from melanoma_core.records.loop import Recall
    from melanoma_core.records.vocabulary import RecallStatus

    return Recall(
        patient_id=form.opened.case.patient.id,
        lesion_id=form.opened.id,
        due_on=draft["due_on"],
        reason=draft["reason"],
        status=draft.get("status", RecallStatus.OPEN),
    )


def _set_status(opened: OpenedLesion, recall: "Entry[Recall]", status: Any) -> None:
    from dataclasses import replace

    value = replace(recall.value, status=status)
    if save(opened.name_form(STATUS), lambda change: change.correct(recall, value)):
        close_form()


def _log_export(opened: OpenedLesion, recall_id: str, who: str) -> None:
    """Write into the audit log that a recall has left the record."""
    from melanoma_core.records.loop import Recall

    opened.record.log_export(
        by=who, kind=Recall, entry_id=recall_id, detail="recall for a calendar"
    )

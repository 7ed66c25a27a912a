"""The decision: what is done with the lesion, signed by who saves it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.lesion.keys import MANAGEMENTS
from dashboard.shared.markup import escape_markdown
from dashboard.shared.record import get_who, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.loop import AiReading, Decision
    from melanoma_core.records.vocabulary import Management
    from melanoma_core.records.writing import Change

_RECALL = "with_recall"
_DIFFERS = "It differs from the alert of the AI reading: say why in a word."


def show_decision_form(form: Form) -> None:
    """Show the question of the decision, with a reason where it differs from the alert."""
    from melanoma_core.records.decisions import needs_reason

    management = form.choose("What is done?", "management", MANAGEMENTS)
    known = _find_known(form)
    is_different = management is not None and needs_reason(
        management, known.value if known else None
    )
    st.text_input(
        "Reason (required)" if is_different else "Reason",
        key=form.name_key("reason", form.start("reason", "")),
    )
    if is_different:
        st.caption(_DIFFERS)
    show_field_error(form.name, "reason")
    _ask_recall(form, management)
    form.offer_save(lambda draft: _build(form, draft), "Sign and save", _make_also(form))


def show_next_decision(form: Form, question: str) -> None:
    """Show the question of a decision on what is known by now: it follows no alert.

    Args:
        form: The form.
        question: What is asked.
    """
    management = form.choose(question, "management", MANAGEMENTS)
    form.ask_text("Reason, or what the answer says", "reason")
    _ask_recall(form, management)
    form.offer_save(
        lambda draft: replace(_build(form, draft), ai_reading_id=None),
        "Sign and save",
        _make_also(form),
    )


def _ask_recall(form: Form, management: "Management | None") -> None:
    if form.base is None and management is not None and management.months is not None:
        st.checkbox(f"Recall in {management.months} months", key=form.name_key(_RECALL, True))
    st.caption(f"Signed by {escape_markdown(get_who())} when it is saved.")


def _find_known(form: Form) -> "Entry[AiReading] | None":
    """Return the AI reading that the doctor knows."""
    at_visit = form.opened.at_visit
    if form.base is not None:
        known = form.base.value.ai_reading_id
        return next((each for each in form.opened.case.ai_readings if each.id == known), None)
    return None if at_visit is None or at_visit.hides_ai else at_visit.ai_reading


def _build(form: Form, draft: Mapping[str, Any]) -> "Decision":
    from melanoma_core.records.loop import Decision

    at_visit, known = form.opened.at_visit, _find_known(form)
    assert at_visit is not None  # the form is not shown without a visit
    return Decision(
        lesion_id=form.opened.id,
        visit_id=form.start("visit_id", at_visit.visit.id),
        management=draft["management"],
        reason=draft["reason"],
        ai_reading_id=form.start("ai_reading_id", known.id if known else None),
    )


def _make_also(form: Form) -> "Any":
    """Return what writes the recall that a new decision asks for."""

    def add_recall(change: "Change", entry: "Entry[Decision]") -> None:
        from melanoma_core.records.tasks import make_recall

        at_visit = form.opened.at_visit
        recall = make_recall(entry.value, at_visit.visit.value) if at_visit else None
        if recall is not None and form.read(_RECALL):
            change.add(recall)

    return add_recall if form.base is None else None

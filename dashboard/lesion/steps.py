"""The steps of the loop: which one is open, and what it shows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.ai_reading import show_ai_step
from dashboard.lesion.form import EDIT, STATUS, STEP, STEP_KEY, WITHDRAWAL, Form, open_edit
from dashboard.lesion.forms import EDITORS, FORMS
from dashboard.lesion.opened import OpenedLesion
from dashboard.lesion.recall import show_recalls
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.html import show_html
from dashboard.shared.record import get_outcome, render_moment, show_outcome

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.steps import OpenStep, Step


def show_receipts(opened: OpenedLesion) -> None:
    """Show what was saved last, where it stays in view although the form has closed."""
    from melanoma_core.records.steps import Step

    names = [opened.name_form(str(step)) for step in Step]
    names += [opened.name_form(f"edit-{each.id}") for each in opened.case.list_entries()]
    for name in [*names, opened.name_form("ai-reading")]:
        if get_outcome(name).receipt:
            show_outcome(name)
    show_outcome(opened.name_form(STATUS))
    show_outcome(opened.name_form(WITHDRAWAL))


def show_steps(opened: OpenedLesion) -> None:
    """Show the entry that is corrected, or else the steps with the one that is open."""
    edited = _find_edited(opened)
    if edited is not None:
        _show_correction(opened, edited)
        return
    from melanoma_core.records.steps import Step, find_done, find_open_steps

    waiting = {each.step: each for each in reversed(find_open_steps(opened.case, opened.at_visit))}
    done = find_done(opened.case, opened.at_visit)
    step = _choose_step(list(waiting)[::-1], done)
    form = Form(opened.name_form(str(step)), opened=opened)
    if step is Step.AI_READING:
        show_ai_step(opened)
    elif step is Step.RECALL:
        show_recalls(opened)
        missing = waiting.get(step)
        _show_form(form, step, None if missing and missing.due_on else missing, done[step])
    else:
        for number, entry in enumerate(done[step], 1):
            if step is Step.PHOTOGRAPHS and len(done[step]) > 1:
                st.html(f"<h3>Photograph {number}</h3>")  # as beside the picture
            _show_entry(opened, entry)
        _show_form(form, step, waiting.get(step), done[step])


def _choose_step(
    waiting: "Sequence[Step]", done: "Mapping[Step, tuple[Entry[Any], ...]]"
) -> "Step":
    """Choose a step; by default the one that the lesion waits for. It is in the address."""
    from melanoma_core.records.steps import Step

    def name(step: Step) -> str:
        mark = "→ " if step in waiting else "✓ " if done[step] else ""
        return f"{mark}{str(step)[:1].upper()}{str(step)[1:]}"

    default = waiting[0] if waiting else Step.PHOTOGRAPHS
    steps = [each for each in Step if each in waiting or not each.is_occasional]
    follow_address(STEP, STEP_KEY, default, steps)
    step = st.pills("Step", steps, format_func=name, key=STEP_KEY, required=True, wrap=True)
    write_address(STEP, STEP_KEY, default)
    return step or default


def _show_form(
    form: Form, step: "Step", waits: "OpenStep | None", done: "tuple[Entry[Any], ...]"
) -> None:
    """Show the form of a step if it was not taken, if the lesion waits for it, or on request."""
    if not form.opened.can_write:  # the bar of the record says why
        if not done:
            st.html("<p>Not done yet.</p>")
        return
    if not _may_be_taken(form.opened, step):
        st.html("<p>Add photographs of the lesion first.</p>")
        return
    if waits is None and done and not st.session_state.get(form.another):
        key = f"{form.another}-button"
        st.button("Add another", key=key, on_click=_open_another, args=(form.another,))
        return
    FORMS[str(step)](form, waits.entry_id if waits else "")


def _show_entry(opened: OpenedLesion, entry: "Entry[Any]") -> None:
    """Show what a step has, and offer to correct it."""
    st.html(render_entry(entry))
    if type(entry.value).__name__ in EDITORS and opened.can_write:
        key = f"correct-in-step-{entry.id}"
        st.button("Correct", key=key, type="tertiary", on_click=open_edit, args=(entry.id,))


def _may_be_taken(opened: OpenedLesion, step: "Step") -> bool:
    from melanoma_core.records.steps import Step

    return opened.at_visit is not None or step not in {Step.FIRST_READ, Step.DECISION}


def _open_another(key: str) -> None:
    st.session_state[key] = True


def render_entry(entry: "Entry[Any]") -> str:
    """Render what an entry says, with who wrote it and when. Text is escaped."""
    from html import escape

    from melanoma_core.records.wording import describe

    rows = "".join(
        f"<dt>{escape(fact.label)}</dt><dd>{escape(fact.text)}</dd>"
        for fact in describe(entry.value)
    )
    return (
        f'<section class="entry"><dl class="facts">{rows}</dl><p class="fact">'
        f"{escape(entry.by)}, {render_moment(entry.at)}, version {entry.version}</p></section>"
    )


def _find_edited(opened: OpenedLesion) -> "Entry[Any] | None":
    """Return the entry of the lesion that the address opens for a correction, if one may be."""
    edited = st.query_params.get(EDIT) if opened.can_write else None
    entries = (each for each in opened.case.list_entries() if each.id == edited)
    return next((each for each in entries if type(each.value).__name__ in EDITORS), None)


def _show_correction(opened: OpenedLesion, entry: "Entry[Any]") -> None:
    from html import escape

    from melanoma_core.records.wording import title_kind

    kind = type(entry.value)
    show_html(f"<h3>Correct: {escape(title_kind(kind))}</h3>")
    form = Form(opened.name_form(f"edit-{entry.id}"), entry, opened=opened)
    EDITORS[kind.__name__](form)

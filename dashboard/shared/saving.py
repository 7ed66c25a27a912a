"""Write into the record from a page: with a receipt, or with what is wrong and what was typed."""

import dataclasses
from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from dashboard.shared.clock import get_today
from dashboard.shared.drafts import forget_draft
from dashboard.shared.kept import get_kept
from dashboard.shared.markup import render_error
from dashboard.shared.opening import open_record
from dashboard.shared.person import get_who
from melanoma_core.errors import MelanomaError, RecordError
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import EditConflict
from melanoma_core.records.validation import FieldError, InvalidEntryError
from melanoma_core.records.wording import find_differences
from melanoma_core.records.writing import Change

_OUTCOMES = "outcomes"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a write.

    Attributes:
        receipt: What was saved, such as "Saved, version 2."; "" if nothing was.
        fault: Why nothing was saved; "" if it was.
        errors: What is wrong with each field.
        conflict: The version that came first, if another person wrote one.
        is_alone: Whether the refused version was all that was to be written.
    """

    receipt: str = ""
    fault: str = ""
    errors: tuple[FieldError, ...] = ()
    conflict: EditConflict | None = None
    is_alone: bool = False


def save(form: str, action: Callable[[Change], Entry[Any] | None]) -> bool:
    """Write into the open record, all of it or nothing; call it in a callback or on the page.

    The form keeps what was typed unless it was saved. `show_outcome` says what came of it.

    Args:
        form: Name of the form, as of its draft.
        action: Writes with `Change`, and returns the entry that the receipt is about, or None.

    Returns:
        Whether it was saved.
    """
    outcome = _write(action)
    if outcome.receipt:
        forget_draft(form)
    _get_outcomes()[form] = outcome
    return bool(outcome.receipt)


def show_outcome(form: str) -> None:
    """Show what came of the last write of a form: receipt, fault, or the other person's version."""
    outcome = get_outcome(form)
    if outcome.receipt:
        st.html(f'<p class="receipt" role="status">✓ {escape(outcome.receipt)}</p>')
        _get_outcomes().pop(form)  # once
    elif outcome.conflict is not None:
        _show_conflict(form, outcome)
    elif outcome.errors:
        st.html(render_error("Not saved. Correct the fields that are marked."))
    elif outcome.fault:
        st.html(render_error(f"Not saved. {outcome.fault} What you typed is still here."))


def get_outcome(form: str) -> Outcome:
    """Return what came of the last write of a form."""
    return _get_outcomes().get(form, Outcome())


def show_field_error(form: str, *fields: str) -> None:
    """Show, below a widget, what is wrong with the fields that it stands for."""
    for error in get_outcome(form).errors:
        if error.field in fields:
            st.html(render_error(error.text))


def _write(action: Callable[[Change], Entry[Any] | None]) -> Outcome:
    is_alone = False
    try:
        record = open_record()
        if record is None:
            raise RecordError("No record is open. Open one on the page Today.")
        if not get_who():
            raise RecordError("The record notes who wrote what. Give your name or initials.")
        with record.write(by=get_who(), today=get_today()) as change:
            entry = action(change)
            is_alone = len(change.steps) == 1
    except EditConflict as conflict:
        return Outcome(fault=str(conflict), conflict=conflict, is_alone=is_alone)
    except InvalidEntryError as error:
        return Outcome(fault=str(error), errors=error.errors)
    except MelanomaError as error:
        return Outcome(fault=str(error))
    return Outcome(receipt=f"Saved, version {entry.version}." if entry else "Saved.")


def _show_conflict(form: str, outcome: Outcome) -> None:
    conflict = outcome.conflict
    assert conflict is not None
    st.html(render_error(str(conflict)) + render_differences(conflict))
    with st.container(horizontal=True):
        st.button(
            f"Load version {conflict.current.version}",
            key=f"load-other-{form}",
            help="Show what is in the record now. What you typed is forgotten.",
            on_click=_load_other,
            args=(form,),
        )
        if outcome.is_alone:
            st.button(
                f"Save mine as version {conflict.current.version + 1}",
                key=f"write-own-{form}",
                help="The other version stays in the record, before yours.",
                on_click=_write_own,
                args=(form, conflict),
            )


def _load_other(form: str) -> None:
    _get_outcomes().pop(form, None)
    forget_draft(form)


def _write_own(form: str, conflict: EditConflict) -> None:
    refused: Any = conflict.refused
    save(form, lambda change: change.correct(conflict.current, refused))


def render_differences(conflict: EditConflict) -> str:
    """Render the fields in which two versions differ as a table; text is escaped."""
    current = conflict.current
    rows = "".join(
        f'<tr><th scope="row">{escape(each.label)}</th><td>{escape(each.before)}</td>'
        f"<td>{escape(each.after)}</td></tr>"
        for each in find_differences(current.value, conflict.refused)
    )
    if not rows:
        return "<p>Both versions say the same.</p>"
    return (
        '<table class="versions"><thead><tr><th scope="col">Field</th>'
        f'<th scope="col">In the record, by {escape(current.by)}</th>'
        f'<th scope="col">Yours</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _get_outcomes() -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = get_kept().setdefault(_OUTCOMES, {})
    return outcomes

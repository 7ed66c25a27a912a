"""Write into the record from a page: with a receipt, or with what is wrong and what was typed."""

import dataclasses
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import streamlit as st

from dashboard.shared.clock import get_today
from dashboard.shared.drafts import forget_draft, read_draft, rebase_draft
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
        doubts: What is improbable in each field, and waits to be confirmed.
        conflict: The version that came first, if another person wrote one.
        draft: What the fields held.
    """

    receipt: str = ""
    fault: str = ""
    errors: tuple[FieldError, ...] = ()
    doubts: tuple[FieldError, ...] = ()
    conflict: EditConflict | None = None
    draft: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def is_about(self, form: str, error: FieldError) -> bool:
        """Return whether the form still holds what an error or a doubt is about."""
        held = read_draft(form)
        if error.field not in self.draft:  # of a field that stands for others
            return held == self.draft
        return bool(held.get(error.field) == self.draft[error.field])


class _UnconfirmedError(RecordError):
    """An entry holds what is improbable, and no person has confirmed it."""

    def __init__(self, doubts: tuple[FieldError, ...]) -> None:
        super().__init__(" ".join(doubt.text for doubt in doubts))
        self.doubts = doubts


def save(form: str, action: Callable[[Change], Entry[Any] | None]) -> bool:
    """Write into the open record, all of it or nothing; call it in a callback or on the page.

    The form keeps what was typed unless it was saved. `show_outcome` says what came of it. Where it
    has shown another person's version, the draft is written as the version after that.

    Args:
        form: Name of the form, as of its draft.
        action: Writes with `Change`, and returns the entry that the receipt is about, or None.

    Returns:
        Whether it was saved.
    """
    conflict = get_outcome(form).conflict
    if conflict is not None:
        rebase_draft(form, conflict.current)
    outcome = _write(form, action)
    if outcome.receipt:
        forget_draft(form)
    _get_outcomes()[form] = outcome
    return bool(outcome.receipt)


def name_save(form: str, label: str) -> str:
    """Return what the button to save says: which version it writes, after another person's."""
    conflict = get_outcome(form).conflict
    return label if conflict is None else f"Save mine as version {conflict.current.version + 1}"


def show_outcome(form: str) -> None:
    """Show what came of the last write of a form: receipt, fault, or the other person's version."""
    outcome = get_outcome(form)
    if outcome.receipt:
        st.html(f'<p class="receipt" role="status">✓ {escape(outcome.receipt)}</p>')
        _get_outcomes().pop(form)  # once
    elif outcome.conflict is not None:
        _show_conflict(form, outcome.conflict)
    elif outcome.doubts:
        _ask_to_confirm(form, outcome)
    elif outcome.errors:
        if any(outcome.is_about(form, error) for error in outcome.errors):
            st.html(render_error("Not saved. Correct the fields that are marked."))
    elif outcome.fault:
        st.html(render_error(f"Not saved. {outcome.fault} What you typed is still here."))


def get_outcome(form: str) -> Outcome:
    """Return what came of the last write of a form."""
    return _get_outcomes().get(form, Outcome())


def show_field_error(form: str, *fields: str) -> None:
    """Show, below a widget, what is wrong with the fields that it stands for, until they change."""
    outcome = get_outcome(form)
    for error in (*outcome.errors, *outcome.doubts):
        if error.field in fields and outcome.is_about(form, error):
            st.html(render_error(error.text))


def _write(form: str, action: Callable[[Change], Entry[Any] | None]) -> Outcome:
    draft = read_draft(form)
    try:
        record = open_record()
        if record is None:
            raise RecordError("No record is open. Open one on the page Today.")
        if not get_who():
            raise RecordError("The record notes who wrote what. Give your name or initials.")
        with record.write(by=get_who(), today=get_today()) as change:
            entry = action(change)
            _check_doubts(form, tuple(change.doubts))
    except EditConflict as conflict:
        return Outcome(fault=str(conflict), conflict=conflict)
    except InvalidEntryError as error:
        return Outcome(fault=str(error), errors=error.errors, draft=draft)
    except _UnconfirmedError as error:
        return Outcome(fault=str(error), doubts=error.doubts, draft=draft)
    except MelanomaError as error:
        return Outcome(fault=str(error))
    return Outcome(receipt=f"Saved, version {entry.version}." if entry else "Saved.")


def _check_doubts(form: str, doubts: tuple[FieldError, ...]) -> None:
    """Stop a write of what is improbable, unless a person has confirmed just that.

    Raises:
        _UnconfirmedError: No person has.
    """
    if doubts and not st.session_state.get(_name_confirmation(form, doubts)):
        raise _UnconfirmedError(doubts)


def _ask_to_confirm(form: str, outcome: Outcome) -> None:
    doubts = tuple(doubt for doubt in outcome.doubts if outcome.is_about(form, doubt))
    if len(doubts) < len(outcome.doubts):  # a person has changed something: it is asked again
        return
    texts = " ".join(doubt.text for doubt in doubts)
    st.html(render_error(f"Not saved yet. {texts} Correct it, or confirm it and save again."))
    st.checkbox("I have checked it: it is right", key=_name_confirmation(form, doubts))


def _name_confirmation(form: str, doubts: tuple[FieldError, ...]) -> str:
    return f"{form}-confirmed-{'|'.join(doubt.text for doubt in doubts)}"


def _show_conflict(form: str, conflict: EditConflict) -> None:
    st.html(render_error(str(conflict)) + render_differences(conflict))
    st.button(
        f"Load version {conflict.current.version}",
        key=f"load-other-{form}",
        help="Show what is in the record now. What you typed is forgotten.",
        on_click=_load_other,
        args=(form,),
    )


def _load_other(form: str) -> None:
    _get_outcomes().pop(form, None)
    forget_draft(form)


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

"""All versions of a patient's own entries: who wrote what when, and what was withdrawn."""

from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.patients.form import Form
from dashboard.patients.opened import OpenedPatient
from dashboard.shared.paging import choose_page
from dashboard.shared.record import may_write, render_moment, save, show_outcome

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.history import Event

_KINDS = {"Patient", "Lesion", "Visit"}  # and photographs of several lesions
_PAGE_LENGTH = 20


def show_versions(opened: OpenedPatient) -> None:
    """Show each entry of the patient with its versions; those of lesions are on their pages."""
    st.html("<h2>Versions</h2>")
    events = [event for event in opened.record.load_patient_history(opened.id) if _is_own(event)]
    rows = choose_page(len(events), _PAGE_LENGTH, f"versions-{opened.id}", parameter="page")
    for event in events[rows]:
        st.html(_render_event(event))
        if event.current.withdrawn and may_write(opened.record):
            _offer_return(event)


def _is_own(event: "Event") -> bool:
    name = event.kind.__name__
    return name in _KINDS or (name == "Photograph" and event.current.value.lesion_id is None)


def _render_event(event: "Event") -> str:
    from melanoma_core.records.wording import summarise, title_kind

    current = event.current
    changes = "".join(map(_render_change, event.versions, event.versions[1:]))
    withdrawn = f"<strong>Withdrawn: {escape(current.withdrawn)}</strong> " * bool(
        current.withdrawn
    )
    return (
        f'<section class="event"><p><strong>{escape(title_kind(event.kind))}</strong> {withdrawn}'
        f"{escape(summarise(current.value))}</p>{_render_who(event.versions[0], 'Added')}{changes}"
        "</section>"
    )


def _render_change(before: "Entry[Any]", after: "Entry[Any]") -> str:
    """Render what a version changed."""
    from melanoma_core.records.wording import find_differences

    if after.withdrawn:
        return _render_who(after, "Withdrawn")
    said = "; ".join(
        f"{each.label}: {each.before} → {each.after}"
        for each in find_differences(before.value, after.value)
    )
    return _render_who(after, said or ("Taken back" if before.withdrawn else "Nothing changed"))


def _render_who(entry: "Entry[Any]", what: str) -> str:
    return (
        f'<p class="fact">Version {entry.version}: {escape(entry.by)}, {render_moment(entry.at)}. '
        f"{escape(what)}</p>"
    )


def _offer_return(event: "Event") -> None:
    """Offer to let a withdrawn entry stand again."""
    form = Form(f"return-{event.current.id}", event.current)
    show_outcome(form.name)
    st.button("Take the withdrawal back", key=form.name, on_click=_return, args=(form,))


def _return(form: Form) -> None:
    save(form.name, lambda change: change.correct(form.find_base(), form.find_base().value))

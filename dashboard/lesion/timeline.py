"""The timeline: every entry with who and when, its versions, and what can be done about it."""

from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.ai_reading import HIDDEN
from dashboard.lesion.form import WITHDRAWAL, open_edit
from dashboard.lesion.forms import EDITORS
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.paging import choose_page
from dashboard.shared.pictures import get_thumbnail
from dashboard.shared.record import (
    forget_draft,
    keep_draft,
    name_field,
    read_draft,
    render_moment,
    save,
)

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.history import Event

_PAGE_LENGTH = 20
_THUMBNAIL = 56  # px
_WITHDRAWN = "show-withdrawn"


def show_timeline(opened: OpenedLesion) -> None:
    """Show all entries of the lesion, the newest first."""
    events = opened.record.load_history(opened.id)
    withdrawn = [event for event in events if event.current.withdrawn]
    st.html("<h2>Timeline</h2>")
    if withdrawn and not st.toggle(f"Show {len(withdrawn)} withdrawn", key=_WITHDRAWN):
        events = tuple(event for event in events if not event.current.withdrawn)
    rows = choose_page(len(events), _PAGE_LENGTH, f"timeline-{opened.id}", parameter="page")
    with st.container(key="timeline", gap="xsmall"):
        for event in events[rows]:
            _show_event(opened, event)


def _show_event(opened: OpenedLesion, event: "Event") -> None:
    entry, name = event.current, event.kind.__name__
    is_hidden = name == "AiReading" and opened.hides_ai
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"event-{entry.id}", gap="small"
    ):
        if name == "Photograph":
            picture = get_thumbnail(opened.record, entry.value.sha256)
            st.image(picture, width=_THUMBNAIL, alt="")
        st.html(_render_event(event, is_hidden=is_hidden), width="stretch")
        if is_hidden:
            return
        count = len(event.versions)
        label = "Details" if count == 1 else f"{count} versions"
        details = st.popover(
            label, type="tertiary", key=f"details-{entry.id}", on_change="rerun", width="content"
        )
        if details.open:
            with details:
                _show_details(opened, event)


def _render_event(event: "Event", *, is_hidden: bool) -> str:
    from melanoma_core.records.dates import write_day
    from melanoma_core.records.wording import summarise, title_kind

    entry = event.current
    said = HIDDEN if is_hidden else summarise(entry.value)
    status = f"<strong>Withdrawn: {escape(entry.withdrawn)}</strong> " if entry.withdrawn else ""
    said = f"<s>{escape(said)}</s>" if entry.withdrawn else escape(said)
    return (
        f'<p class="event"><time datetime="{event.day}">{write_day(event.day)}</time> '
        f"<strong>{escape(title_kind(event.kind))}</strong> {status}{said} "
        f'<span class="who">{escape(entry.by)}, {render_moment(entry.at)}, version '
        f"{entry.version}</span></p>"
    )


def _show_details(opened: OpenedLesion, event: "Event") -> None:
    """Show all that an entry says, what each version changed, and what can be done about it."""
    entry = event.current
    newest_first = event.versions[::-1]
    changes = map(_render_version, newest_first[1:], newest_first)
    st.html(_render_facts(event) + "".join(changes))
    if entry.withdrawn or not opened.can_write:
        return
    if event.kind.__name__ in EDITORS:
        st.button("Correct", key=f"correct-{entry.id}", on_click=open_edit, args=(entry.id,))
    if event.kind.__name__ == "Lesion":
        st.page_link(
            "patients/page.py",
            label="Correct the lesion",
            query_params={"patient": opened.case.patient.id, "lesion": entry.id},
        )
        return
    _offer_withdrawal(opened, event)


def _render_facts(event: "Event") -> str:
    from melanoma_core.records.wording import describe

    rows = "".join(
        f"<dt>{escape(fact.label)}</dt><dd>{escape(fact.text)}</dd>"
        for fact in describe(event.current.value)
    )
    return f'<dl class="facts">{rows}</dl>'


def _render_version(before: "Entry[Any]", after: "Entry[Any]") -> str:
    """Render what a version changed, as a table."""
    from melanoma_core.records.wording import find_differences

    rows = "".join(
        f'<tr><th scope="row">{escape(each.label)}</th><td>{escape(each.before)}</td>'
        f"<td>{escape(each.after)}</td></tr>"
        for each in find_differences(before.value, after.value)
    )
    head = (
        f'<p class="fact">Version {after.version}: {escape(after.by)}, {render_moment(after.at)}'
        f"{f', withdrawn: {escape(after.withdrawn)}' if after.withdrawn else ''}</p>"
    )
    return head + (
        '<table class="versions"><thead><tr><th scope="col">Field</th><th scope="col">Version '
        f'{before.version}, {escape(before.by)}</th><th scope="col">Version {after.version}</th>'
        f"</tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else ""
    )


def _offer_withdrawal(opened: OpenedLesion, event: "Event") -> None:
    """Offer to withdraw an entry that is an error, with a reason."""
    form = opened.name_form(f"withdraw-{event.current.id}")
    st.text_input("Entered in error: what is wrong?", key=name_field(form, "reason", ""))
    keep_draft(form, event.current)
    st.button(
        "Withdraw",
        key=f"{form}-button",
        on_click=_withdraw,
        args=(opened, form, event),
        help="It stays in the record as withdrawn, with the reason, and counts no more.",
    )


def _withdraw(opened: OpenedLesion, form: str, event: "Event") -> None:
    reason = str(read_draft(form).get("reason") or "")
    if save(opened.name_form(WITHDRAWAL), lambda change: change.withdraw(event.current, reason)):
        forget_draft(form)

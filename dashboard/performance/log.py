"""The audit log: who saw, changed, exported and erased what, and whether it is whole."""

from datetime import date, datetime, time, timedelta
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import may_or_say
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.clock import find_zone, render_moment
from dashboard.shared.errors import show_errors
from dashboard.shared.html import show_html
from dashboard.shared.paging import choose_page
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from dashboard.shared.record import log_seen
from melanoma_core.access.rights import Right
from melanoma_core.names import neutralise

if TYPE_CHECKING:
    from melanoma_core.records.ledger import LogEntry
    from melanoma_core.records.log_search import LogQuery, Subject
    from melanoma_core.records.store import Record
    from melanoma_core.records.verification import Verification

_PER_PAGE = 50
_VERIFY, _RESULT, _KNOWN = "verify-record", "verified-record", "known-head"
_EVERYTHING = "everything"
_WORDS = {
    "AiReading": "AI reading",
    "FirstRead": "first read",
    "Information": "information of the patient",
}


def show_log(record: "Record") -> None:
    """Show the check of the record, then its audit log with filters."""
    _show_check(record)
    st.header("Who did what", anchor=False)
    if not may_or_say(Right.READ_LOG):
        return
    log_seen(record, None, detail="audit log")
    query = _choose_query()
    if query is None:
        return
    total = record.search_log(_limit(query, 0, 1)).total
    rows = choose_page(total, _PER_PAGE, "log", parameter="page")
    page = record.search_log(_limit(query, rows.start, _PER_PAGE))
    st.html(f'<p class="fact">{page.total:,} entries, the newest first.</p>')
    show_html(_render_log(page.rows))


def _show_check(record: "Record") -> None:
    """Offer to check the record now, with progress, and show what a check has found."""
    st.header("Is the record whole?", anchor=False)
    st.html(
        "<p>The check finds any entry of the log, version of an entry and photograph that was "
        "altered, removed or moved.</p>"
    )
    st.text_input(
        "End of the log that you kept (optional)",
        key=_KNOWN,
        placeholder="number:hash",
        help="An earlier check has shown it. With it, a log that was written again is found, too.",
        width=420,
    )
    st.button("Verify now", key="verify-now", on_click=request_work, args=(_VERIFY,))
    if is_requested(_VERIFY):
        with show_errors():
            _verify(record)
    if _RESULT in st.session_state:
        show_html(_render_result(*st.session_state[_RESULT]))


def _verify(record: "Record") -> None:
    from melanoma_core.records.verification import parse_known

    cancel_request(_VERIFY)
    st.session_state.pop(_RESULT, None)
    known = parse_known(st.session_state[_KNOWN])
    work = st.empty()
    with work.container():
        st.button("Cancel", key="cancel-verify")  # any click ends the check
        progress = show_progress("Checking the log, the entries and the photographs")
        result = record.verify(known, progress=progress)
    work.empty()
    st.session_state[_RESULT] = result, datetime.now().astimezone()


def _render_result(result: "Verification", at: datetime) -> str:
    counts = (
        f"{result.num_log_entries:,} entries of the log, {result.num_versions:,} versions of "
        f"entries and {result.num_images:,} photographs and heatmaps were checked."
    )
    if result.faults:
        faults = "".join(
            f"<li><strong>{escape(each.kind)}</strong>: {escape(each.text)}</li>"
            for each in result.faults
        )
        return (
            f'<div class="error" role="alert"><p>{len(result.faults):,} faults found, '
            f"{render_moment(at)}. {counts}</p><ul>{faults}</ul></div>"
        )
    head = f"{result.num_log_entries}:{result.head}"
    return (
        '<div role="status" class="verified"><p><strong>✓ Nothing was altered, removed or moved.'
        f"</strong> {counts} {render_moment(at)}.</p><p>Keep this in another place, for the next "
        f"check: <code>{escape(head)}</code></p></div>"
    )


def _choose_query() -> "LogQuery | None":
    """Choose which entries are shown; None while the days contradict each other."""
    from melanoma_core.records.ledger import Action
    from melanoma_core.records.log_search import LogQuery

    with st.container(horizontal=True, key="log-filters"):
        by = _ask("by-whom", "Person", "Part of the name.")
        pseudonym = _ask("patient", "Patient", "The whole pseudonym.")
        options = [_EVERYTHING, *map(str, Action)]
        follow_address("did", "log-did", _EVERYTHING, options)
        did = st.selectbox("What", options, key="log-did", width=220)
        write_address("did", "log-did", _EVERYTHING)
        first = st.date_input("From", value=None, key="log-first", width=160)
        last = st.date_input("To", value=None, key="log-last", width=160)
    if first and last and first > last:
        st.html('<p class="error" role="alert">“From” is after “To”. Change one of them.</p>')
        return None
    return LogQuery(
        by=by.strip(),
        pseudonym=pseudonym.strip(),
        actions=() if did == _EVERYTHING else (Action(did),),
        since=_begin(first) if first else None,
        before=_begin(last + timedelta(days=1)) if last else None,
    )


def _ask(parameter: str, label: str, explanation: str) -> str:
    key = f"log-{parameter}"
    follow_address(parameter, key, "")
    typed: str = st.text_input(label, key=key, help=explanation, width=200)
    write_address(parameter, key, "")
    return typed


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), find_zone()).astimezone()


def _limit(query: "LogQuery", offset: int, limit: int) -> "LogQuery":
    from dataclasses import replace

    return replace(query, offset=offset, limit=limit)


def _render_log(rows: "tuple[tuple[LogEntry, Subject], ...]") -> str:
    if not rows:
        return "<p>No entry of the audit log fits.</p>"
    body = "".join(_render_row(entry, subject) for entry, subject in rows)
    return (
        '<div class="scrolls" role="region" tabindex="0" aria-label="Audit log">'
        '<table class="answers"><thead><tr><th scope="col">No.</th><th scope="col">When</th>'
        '<th scope="col">Who</th><th scope="col">What</th><th scope="col">Of whom</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _render_row(entry: "LogEntry", subject: "Subject") -> str:
    kind = _WORDS.get(entry.kind, entry.kind.lower())
    version = f", version {entry.version}" if entry.version > 1 else ""
    parts = (str(entry.action), f"{kind}{version}", neutralise(entry.detail))
    what = ": ".join(part for part in parts if part)
    return (
        f'<tr><th scope="row">{entry.number:,}</th><td>{render_moment(entry.at)}</td>'
        f"<td>{escape(neutralise(entry.by))}</td><td>{escape(what)}</td>"
        f"<td>{_render_subject(subject)}</td></tr>"
    )


def _render_subject(subject: "Subject") -> str:
    """Render links to the patient and to the lesion."""
    links = []
    if subject.pseudonym:
        links.append(
            f'<a href="patients?patient={escape(subject.patient_id)}" target="_self">'
            f"{escape(neutralise(subject.pseudonym))}</a>"
        )
    if subject.label:
        links.append(
            f'<a href="lesion?lesion={escape(subject.lesion_id)}" target="_self">lesion '
            f"{escape(neutralise(subject.label))}</a>"
        )
    return ", ".join(links)

"""Make a dataset of the confirmed lesions, for the Dataset page and for Training."""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from dashboard.shared.access import is_local, may_or_say
from dashboard.shared.clock import get_today
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import suggest_folder, trust_path
from dashboard.shared.html import show_html
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from dashboard.shared.record import get_who
from dashboard.shared.tables import render_table
from melanoma_core.access.rights import Right
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.feedback_text import DatasetResult
    from melanoma_core.records.store import Record

_MAKE, _RESULT = "make-dataset", "made-dataset"
_WAYS, _FOLDER, _CLOSE_UPS = "dataset-ways", "dataset-target", "dataset-close-ups"
_HISTOLOGY, _FOLLOW_UP = "Histology only", "Histology and follow-up"
_CONTENT = (
    "<p>It holds photographs without EXIF, the diagnosis and how it was confirmed, age to 5 years, "
    "sex, skin type and site. Pseudonyms, dates, devices and free texts are left out. Ids are "
    "hashes. What the pixels show stays: look at them before the folder goes to others.</p>"
)
_MEANING = (
    "<p>A model that is trained on it knows the answers for these patients. The Audit then leaves "
    "out what that model says of them, as long as the model's folder is kept.</p>"
)


def offer_dataset(record: "Record") -> None:
    """Offer to write the confirmed lesions into a folder; the audit log says who did it."""
    with st.expander("Make a dataset of confirmed lesions"):
        if record.is_read_only:
            st.html("<p>This record cannot be written, so no export is logged.</p>")
            return
        st.html(_CONTENT + _MEANING)
        if not may_or_say(Right.CHANGE_DATA):
            return
        _ask()
        st.button("Make the dataset", key="make", on_click=request_work, args=(_MAKE,))
        if is_requested(_MAKE):
            cancel_request(_MAKE)
            st.session_state.pop(_RESULT, None)
            with show_errors():
                st.session_state[_RESULT] = record.record_id, _make(record)
        made_of, result = st.session_state.get(_RESULT, ("", None))
        if result is not None and made_of == record.record_id:
            _show_result(result)


def _ask() -> None:
    st.radio("Confirmed by", [_HISTOLOGY, _FOLLOW_UP], key=_WAYS)
    st.checkbox("Close-ups too, besides dermoscopic photographs", key=_CLOSE_UPS)
    st.text_input(
        "New folder",
        suggest_folder(f"confirmed-lesions-{get_today():%Y-%m-%d}"),
        key=_FOLDER,
        help="On the machine that runs the dashboard. It must not exist, or be empty.",
    )


def _make(record: "Record") -> "DatasetResult":
    from melanoma_core.data.catalogue import resolve_data_path
    from melanoma_core.models.identifiers import keep_key
    from melanoma_core.records.feedback import DatasetRequest, write_dataset

    settings = load_settings()
    request = DatasetRequest(
        by=get_who(),
        with_follow_up=st.session_state[_WAYS] == _FOLLOW_UP,
        with_close_ups=st.session_state[_CLOSE_UPS],
    )
    out = resolve_data_path(st.session_state[_FOLDER], settings, is_local())
    progress = show_progress("Writing photographs")
    result = write_dataset(record, out, request, keep_key(settings), progress)
    trust_path(str(out))
    return result


def _show_result(result: "DatasetResult") -> None:
    """Say what is in a dataset, and link to it."""
    from melanoma_core.records.feedback_text import count_dataset

    address = urlencode({"path": str(result.folder)})
    show_html(
        f'<p class="receipt" role="status">Made: {escape(count_dataset(result))}.</p>'
        f"<p><code>{escape(str(result.folder))}</code></p>"
        f'<p><a href="dataset?{address}" target="_self">Open it on the page Dataset</a></p>'
    )
    for title, counts in (
        ("Lesions by diagnosis", result.by_label),
        ("Lesions by how they were confirmed", result.by_confirmation),
        ("Photographs left out", result.left_out),
    ):
        rows: list[dict[str, str | float]] = [
            {title: name, "Number": count} for name, count in sorted(counts.items())
        ]
        show_html(render_table(rows, title))

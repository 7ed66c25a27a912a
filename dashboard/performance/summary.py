"""The head of the audit: tiles with the headline figures, and the files that can be taken out."""

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.performance.cached import get_flow, get_performance, select_cases
from dashboard.shared.errors import show_errors
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_paragraphs
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.shared.record import get_who
from dashboard.shared.tiles import render_tile_list
from melanoma_core.errors import ModelError
from melanoma_core.models.registry import find_model
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from dashboard.performance.choice import Choice
    from dashboard.performance.data import Kept
    from melanoma_core.records.audit import Drift
    from melanoma_core.records.store import Record

_EXPORT, _FILES = "export-audit", "audit-files"


def show_summary(kept: "Kept", choice: "Choice") -> None:
    """Show the headline figures as tiles."""
    from melanoma_core.records.audit_text import list_audit_tiles
    from melanoma_core.records.bias import explain_training

    performance = get_performance(kept, choice)
    show_html(render_tile_list(list_audit_tiles(performance, choice.condition)))
    st.caption(
        "A judge suspects a lesion if it would act: take tissue, or refer. The network raises an "
        "alert. Sensitivity is an upper estimate: a melanoma that was never excised is counted "
        "nowhere."
    )
    if notes := render_paragraphs(explain_training(get_flow(kept, choice))):
        st.html(notes)


def offer_export(record: "Record", kept: "Kept", choice: "Choice") -> None:
    """Offer the figures and the lesions as files; the audit log says who took them out."""
    with st.popover("Export", help="The figures as JSON, the lesions as CSV."):
        st.html(
            "<p>The files hold no pseudonym. They name readers and devices, and lesions by their "
            "random ids. The audit log will say that you took them out.</p>"
        )
        st.button("Prepare the files", key="prepare-export", on_click=request_work, args=(_EXPORT,))
        if is_requested(_EXPORT):
            cancel_request(_EXPORT)
            with show_errors():
                _prepare(record, kept, choice)
        _offer_files(kept, choice)


def _prepare(record: "Record", kept: "Kept", choice: "Choice") -> None:
    """Make the files, and write into the audit log that they leave the record."""
    from melanoma_core.records.audit import make_audit
    from melanoma_core.records.audit_export import (
        encode_audit,
        encode_cases,
        find_model_origins,
    )

    cases = select_cases(kept, choice)
    origins = find_model_origins(cases, load_settings())
    with st.spinner("Measuring all figures"):
        audit = encode_audit(make_audit(cases, choice.scope), _find_drift(kept), origins)
        files = {"audit.json": audit, "audited-lesions.csv": encode_cases(cases, origins)}
    record.log_export(by=get_who(), kind=None, detail=f"audit as JSON and CSV: {choice.words}")
    st.session_state[_FILES] = kept.key, choice, files


def _find_drift(kept: "Kept") -> "Drift | None":
    from melanoma_core.records.audit import make_drift

    with suppress(ModelError):  # a record can be audited where no model is
        return make_drift(kept.data.photographs, find_model(load_settings()))
    return None


def _offer_files(kept: "Kept", choice: "Choice") -> None:
    """Offer the files that were prepared of what is shown."""
    key, of_choice, files = st.session_state.get(_FILES, ("", None, {}))
    if (key, of_choice) != (kept.key, choice):
        return
    for name, content in files.items():
        st.download_button(
            name,
            data=content,
            file_name=name,
            mime="application/json" if name.endswith("json") else "text/csv",
            on_click="ignore",
            key=f"download-{name}",
            width="stretch",
        )

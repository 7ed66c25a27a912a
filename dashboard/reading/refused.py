"""Photographs that were not read, each with the reason, and what can be read anyway."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.markup import render_refused
from dashboard.shared.paging import choose_page
from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:
    from melanoma_core.reading.entry import RefusedFile

_PAGE_LENGTH = 2
_OFFER = "Read this photograph anyway"
_WARNING = (
    "This photograph is unlike all photographs that the model was trained and tested on. "
    "**No sensitivity, specificity or probability that this page states holds for it.** The model "
    "names one of its diagnoses for any image, also for one that shows no lesion. A low "
    "probability excludes nothing."
)
_MARK = "Its reading, its row in the list and its row in the table stay marked."


def show_refused(worklist: Worklist) -> None:
    """Show the files that were not read, until dismissed or read anyway."""
    refused = worklist.refused
    if not refused:
        return
    final = [file for file in refused if not file.can_be_read]
    with st.container(horizontal=True, vertical_alignment="top", key="refused"):
        with st.container(gap="xsmall", key="refused-files"):
            if final:
                st.html(render_refused(final))
            _show_readable(worklist, [file for file in refused if file.can_be_read])
        st.button("Dismiss", help="Hide these messages.", on_click=worklist.dismiss_refused)


def _show_readable(worklist: Worklist, refused: "list[RefusedFile]") -> None:
    for file in refused[choose_page(len(refused), _PAGE_LENGTH, "refused-page")]:
        reason, offer = st.columns([4, 1], gap="small", vertical_alignment="center")
        reason.html(render_refused([file], is_readable=True))
        if offer.button(_OFFER, key=f"ask-{file.key}", help="A warning comes first."):
            _confirm(worklist, file)


@st.dialog(f"{_OFFER}?", width="medium")
def _confirm(worklist: Worklist, file: "RefusedFile") -> None:
    """Warn, then read the photograph or leave it refused."""
    st.text(file.name)
    st.warning(f"{_WARNING}\n\n{_MARK}")
    with st.container(horizontal=True):
        if st.button("Leave it refused", key=f"leave-{file.key}"):
            st.rerun()
        if st.button(
            "I understand, read it",
            key=f"read-{file.key}",
            on_click=worklist.read_anyway,
            args=(file.key,),
        ):
            st.rerun()

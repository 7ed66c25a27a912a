"""Photographs that were not read, each with the reason, and what can be done."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.cropping import offer_crops
from dashboard.reading.markup import render_refused
from dashboard.shared.paging import choose_page
from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:
    from melanoma_core.reading.entry import RefusedFile

_PAGE_LENGTH = 2
_THUMBNAIL_WIDTH = 96  # px
_OFFER = "Read this photograph anyway"
_WARNING = (
    "This photograph is unlike all photographs that the model was trained and tested on. "
    "**No sensitivity, specificity or probability that this page states holds for it.** The model "
    "names one of its diagnoses for any image, also for one that shows no lesion. A low "
    "probability excludes nothing."
)
_MARK = "Its reading, its row in the list and its row in the table stay marked."


def show_refused(worklist: Worklist) -> None:
    """Show the files that were not read, until dismissed, cropped or read anyway."""
    refused = worklist.refused
    if not refused:
        return
    final = [file for file in refused if not file.can_be_cropped]
    with st.container(horizontal=True, vertical_alignment="top", key="refused"):
        with st.container(gap="xsmall", key="refused-files"):
            if final:
                st.html(render_refused(final))
            _show_readable(worklist, [file for file in refused if file.can_be_cropped])
        st.button("Dismiss", help="Hide these messages.", on_click=worklist.dismiss_refused)


def _show_readable(worklist: Worklist, refused: "list[RefusedFile]") -> None:
    """Show photographs with what can be done: crop the border, crop, or read anyway."""
    for file in refused[choose_page(len(refused), _PAGE_LENGTH, "refused-page")]:
        with st.container(horizontal=True, vertical_alignment="top", key=f"mend-{file.key}"):
            with st.container(width=_THUMBNAIL_WIDTH):
                st.image(file.thumbnail, width=_THUMBNAIL_WIDTH, alt=f"Refused: {file.name}")
            with st.container(gap="xsmall"):
                st.html(render_refused([file], is_readable=True))
                with st.container(horizontal=True):
                    offer_crops(worklist, file)
                    if file.can_be_read and st.button(
                        _OFFER, key=f"ask-{file.key}", help="A warning comes first."
                    ):
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

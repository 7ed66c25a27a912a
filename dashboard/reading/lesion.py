"""The opened lesion: the reading of all its photographs, and each photograph's own beside it."""

import streamlit as st

from dashboard.reading.model import show_model
from dashboard.reading.prevalence import adapt, show_probabilities
from dashboard.reading.report import offer_lesion_report
from dashboard.reading.verdict import (
    render_banner,
    render_disagreement,
    render_mark,
    render_own,
    render_set_aside,
)
from dashboard.shared.html import show_html
from dashboard.shared.paging import choose_page
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.worklist import Worklist

_PAGE_LENGTH = 6
_COLUMNS = 2


def show_lesion(worklist: Worklist, lesion: Lesion) -> None:
    """Show the reading of a lesion, then its photographs with their own readings."""
    card, reading = lesion.entries[0].card, lesion.reading
    with st.container(key="opened"):
        combined, photographs = st.columns([9, 11], gap="medium")
    with combined, st.container(gap="xsmall"):
        show_html(render_mark(reading))
        st.html(render_banner(reading, adapt(reading, card)))
        show_html(render_set_aside(reading))
        in_clinic = [adapt(each, card) for each in reading.counted]
        show_html(render_disagreement(reading, [each for each in in_clinic if each]))
        show_probabilities(reading, card, by_lesion=reading.is_combined)
        offer_lesion_report(lesion)
    with photographs:
        _show_photographs(worklist, lesion)
        show_model(card, by_lesion=reading.is_combined)


def _show_photographs(worklist: Worklist, lesion: Lesion) -> None:
    page = choose_page(len(lesion.entries), _PAGE_LENGTH, f"photographs-{lesion.key}")
    entries = lesion.entries[page]
    for start in range(0, len(entries), _COLUMNS):
        columns = st.columns(_COLUMNS, gap="small")
        for column, entry in zip(columns, entries[start:], strict=False):
            with column:
                _show_photograph(worklist, entry)


def _show_photograph(worklist: Worklist, entry: Entry) -> None:
    st.image(entry.photograph, width="stretch", alt=f"Photograph {entry.name}")
    st.html(render_own(entry.reading, entry.name, adapt(entry.reading, entry.card)))
    st.button(
        "Open",
        key=f"own-{entry.key}",
        help="Open this photograph's own reading with its heatmap.",
        on_click=worklist.open,
        args=(entry.key,),
    )

"""The worklist: lesions in the sidebar, most suspicious first, with search, filter and marks."""

import streamlit as st

from dashboard.reading.combining import choose_lesion, offer_combining
from dashboard.reading.dragging import accept_drops
from dashboard.reading.prevalence import adapt
from dashboard.reading.verdict import name_level, render_row
from dashboard.shared.markup import escape_markdown
from dashboard.shared.paging import choose_page
from melanoma_core.reading.filters import FilteredList, RowFilter, filter_lesions
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.worklist import Worklist

_PAGE_LENGTH = 10
_SEARCH, _FILTER, _KEYS = "list-search", "list-filter", "list-keys"


def show_worklist(worklist: Worklist) -> None:
    """List the readings if there are several photographs."""
    lesions, position = worklist.lesions, worklist.position
    count = len(worklist.entries)
    if count < 2 or position is None:
        return
    photographs = "" if len(lesions) == count else f" of {count:,} photographs"
    title = f"{len(lesions):,} readings" if len(lesions) > 1 else "1 reading"
    st.header(f"{title}{photographs}, most suspicious first", anchor=False)
    _choose_rows()
    filtered = get_shown(worklist)
    _describe_hidden(filtered)
    opened, shown = lesions[position], filtered.lesions
    offer_combining(worklist, shown)
    place = shown.index(opened) if opened in shown else 0
    # A key per opened lesion, so that the list turns to its page.
    page = choose_page(len(shown), _PAGE_LENGTH, f"page-{opened.key}", opened=place)
    with st.container(gap="xsmall", key="worklist"):
        for lesion in shown[page]:
            _show_row(worklist, lesion, is_open=lesion is opened)
    accept_drops(worklist)
    # People who dictate to the computer must be able to switch single keys off.
    st.checkbox("Keys J and K open the next and the previous reading", value=True, key=_KEYS)


def uses_keys() -> bool:
    """Return whether the keys J and K step through the list."""
    return bool(st.session_state.get(_KEYS, True))


def get_shown(worklist: Worklist) -> FilteredList:
    """Return the rows that search and filter show."""
    return filter_lesions(
        worklist.lesions,
        st.session_state.get(_SEARCH, ""),
        st.session_state.get(_FILTER) or RowFilter.ALL,
        worklist.looked_at,
    )


def _choose_rows() -> None:
    st.text_input("Search", key=_SEARCH, placeholder="Diagnosis, tier or file")
    st.segmented_control("Show", list(RowFilter), key=_FILTER, default=RowFilter.ALL)


def _describe_hidden(filtered: FilteredList) -> None:
    """Say how many rows are hidden, and warn where an alert is among them."""
    if filtered.num_hidden_alerts:
        st.warning(
            f"{filtered.num_hidden:,} hidden, of which {filtered.num_hidden_alerts:,} with an alert"
        )
    elif filtered.num_hidden:
        st.caption(f"{filtered.num_hidden:,} hidden, none with an alert")


def _show_row(worklist: Worklist, lesion: Lesion, is_open: bool) -> None:
    adapted = adapt(lesion.reading, lesion.entries[0].card)
    row = f"lesion-row-{lesion.key}"  # `dragging.js` finds rows by this name
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=row):
        with st.container(width=56, gap="xxsmall"):
            # Not `width=56`, with which Streamlit encodes the picture again in each run.
            st.image(lesion.entries[0].thumbnail, width="stretch", alt="")
            choose_lesion(lesion)
        with st.container(gap=None):
            st.button(
                name_level(lesion.reading, adapted),
                key=f"open-{lesion.key}",
                help=f"Open the reading of {escape_markdown(lesion.name)}.",
                type="primary" if is_open else "secondary",
                on_click=worklist.open_lesion,
                args=(lesion.key,),
                width="stretch",
            )
            st.html(render_row(lesion, adapted, looked_at=lesion.key in worklist.looked_at))

"""Rows of the list are selected: to put them together as one lesion, or to remove them."""

from collections.abc import Sequence

import streamlit as st

from dashboard.reading.cached import get_worklist
from dashboard.reading.markup import render_table_use
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import escape_markdown
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.worklist import Worklist

_SELECTED, _COUNT, _NAME_ERROR = "selected-lesions", "selection-count", "lesion-name-error"
_MAX_NAME_LENGTH = 60
_TABLE_COUNT, _TABLE, _ERROR = "lesion-table-count", "lesion-table", "lesion-table-error"


def choose_lesion(lesion: Lesion) -> None:
    """Show the box that selects a row of the list."""
    st.checkbox(
        f"Select {escape_markdown(lesion.name)}",
        key=f"select-{st.session_state.get(_COUNT, 0)}-{lesion.key}",
        value=lesion.key in _get_selected(),
        label_visibility="collapsed",
        on_change=_toggle,
        args=(lesion.key,),
    )


def offer_combining(worklist: Worklist, shown: Sequence[Lesion]) -> None:
    """Offer to put the selected rows together as one lesion, under a name, or to remove them.

    Args:
        worklist: The worklist.
        shown: Its rows that are shown, which can be selected all at once.
    """
    selected = [lesion for lesion in worklist.lesions if lesion.key in _get_selected()]
    if len(selected) > 1:
        _offer_name(worklist, selected, f"Combine {len(selected)} as one lesion")
    elif selected and len(selected[0].entries) > 1:
        _offer_name(worklist, selected, "Rename")
    elif selected:
        st.caption("1 selected. Select another photograph of the same lesion.")
    else:
        st.caption(
            "Several photographs of one lesion? Select them, or drag one picture onto another."
        )
    with st.container(horizontal=True):
        if selected:
            st.button(
                f"Remove {len(selected)}",
                help="Remove the selected rows from the list. It can be undone.",
                on_click=_remove,
                args=(worklist, [lesion.key for lesion in selected]),
            )
        if len(selected) < len(shown):
            keys = [lesion.key for lesion in shown]  # Streamlit keeps arguments for the session
            st.button("Select all shown", on_click=_select, args=(keys,), type="tertiary")
    for name in worklist.divided_lesions:
        st.caption(
            f"Photographs of {escape_markdown(name)} stay apart, because different models read "
            "them. Upload them again to combine them."
        )


def accept_table(worklist: Worklist) -> None:
    """Accept a table that names the lesion of each photograph."""
    count = st.session_state.setdefault(_TABLE_COUNT, 0)
    st.file_uploader(
        "Table of lesions",
        type=["csv", "tsv", "txt"],
        key=f"{_TABLE}-{count}",
        help="A table with a column of file names or image ids, and a column lesion_id. "
        "Photographs with the same lesion id are read as one lesion, also those uploaded later.",
        on_change=_add_table,
        args=(f"{_TABLE}-{count}",),
    )
    show_stored_error(_ERROR)
    use = worklist.table_use
    if use is not None:
        st.html(render_table_use(use, len(worklist.entries)))


def clear_selection() -> None:
    """Select nothing."""
    _get_selected().clear()
    st.session_state[_NAME_ERROR] = ""
    # Boxes get new keys, since a box keeps its own state.
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1


def _offer_name(worklist: Worklist, selected: list[Lesion], label: str) -> None:
    keys = [lesion.key for lesion in selected]
    # A key per selection, so that the proposed name follows it.
    name_key = f"lesion-name-{'-'.join(map(str, sorted(keys)))}"
    with st.form(f"form-{name_key}", border=False):
        name = worklist.propose_name(keys)
        st.text_input("Name of the lesion", name, key=name_key, max_chars=_MAX_NAME_LENGTH)
        with st.container(horizontal=True):
            st.form_submit_button(
                label, type="primary", on_click=_combine, args=(worklist, keys, name_key)
            )
            st.form_submit_button("Clear selection", on_click=clear_selection)
    show_stored_error(_NAME_ERROR)


def _combine(worklist: Worklist, selected: list[int], name_key: str) -> None:
    with store_errors(_NAME_ERROR):
        worklist.combine(selected, st.session_state[name_key])
        clear_selection()


def _remove(worklist: Worklist, keys: list[int]) -> None:
    worklist.remove(keys)
    clear_selection()


def _select(keys: list[int]) -> None:
    clear_selection()
    _get_selected().update(keys)


def _toggle(key: int) -> None:
    st.session_state[_NAME_ERROR] = ""  # of another selection
    _get_selected().symmetric_difference_update({key})


def _add_table(key: str) -> None:
    # Imported here, so that the page is painted before pandas is imported.
    from melanoma_core.data.lesion_table import read_lesion_table

    table = st.session_state[key]
    with store_errors(_ERROR):
        get_worklist().assign_lesions(read_lesion_table(table.getvalue(), table.name))
    st.session_state[_TABLE_COUNT] += 1


def _get_selected() -> set[int]:
    """Return the keys of the selected rows."""
    selected: set[int] = st.session_state.setdefault(_SELECTED, set())
    return selected

"""Step through the rows of a list with the keys J and K, and go to its search with /."""

from pathlib import Path

import streamlit as st

_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")


def accept_row_keys(rows: str, search: str) -> None:
    """Let keys step through the links of a list, unless a person has switched that off.

    Args:
        rows: Key of the container with the rows, each of which has one link.
        search: Key of the text field of the search.
    """
    # People who dictate to the computer must be able to switch single keys off.
    is_on = st.checkbox(
        "Keys: J and K step through the list, Enter opens, / searches", value=True, key=f"{rows}-on"
    )
    # In every run: the registry is the server's, and this module outlives it in tests.
    mount = st.components.v2.component("row-keys", js=_SCRIPT, isolate_styles=False)
    mount(key=f"{rows}-keys", data={"rows": rows, "search": search, "on": is_on}, height="content")

"""Hand photographs from another page to the Reading page, within the session."""

import streamlit as st

_KEY = "handed-over"
_READING = "reading/page.py"  # from the navigation


def hand_over(name: str, content: bytes) -> None:
    """Open the Reading page, which will read a photograph.

    Args:
        name: Of the file.
        content: The bytes of the file.
    """
    st.session_state[_KEY] = [(name, content)]
    st.switch_page(_READING)


def take_over() -> list[tuple[str, bytes]]:
    """Return the names and contents that were handed over, once."""
    photographs: list[tuple[str, bytes]] = st.session_state.pop(_KEY, [])
    return photographs

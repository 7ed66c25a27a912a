"""Drag the picture of a row of the list onto another row: both become one lesion.

A convenience for a mouse. The boxes of the list do the same with the keyboard and by touch.
"""

from pathlib import Path

import streamlit as st

from melanoma_core.reading.worklist import Worklist

_KEY = "dragging"
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")


def accept_drops(worklist: Worklist) -> None:
    """Let rows be dragged, and put a row together with the one that it was dropped on."""

    def combine() -> None:
        keys = [lesion.key for lesion in worklist.lesions]
        # A browser sends it, so it may be anything.
        dropped = st.session_state[_KEY].get("dropped")
        if isinstance(dropped, list) and len(dropped) == 2 and all(key in keys for key in dropped):
            worklist.combine(dropped, "")

    # In every run: the registry is the server's, and this module outlives it in tests.
    mount = st.components.v2.component("drag-lesions", js=_SCRIPT, isolate_styles=False)
    mount(key=_KEY, on_dropped_change=combine, height="content")

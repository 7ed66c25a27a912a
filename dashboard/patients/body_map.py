"""The body map on the page: its points open lesions; a lesion is placed by click or by keys."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.patients.body_figure import MapMark, Placing, render_body_map

_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
_KEY = "body-map-script"

OnPlaced = Callable[[Mapping[str, Any]], None]


def show_body_map(marks: Iterable[MapMark]) -> None:
    """Show lesions on the body map; a click on one opens it, as its row of the list does."""
    with st.container(key="body-map"):
        st.html(render_body_map(marks))
    _mount("")


def show_placing_map(
    form: str, marks: Iterable[MapMark], placing: Placing, on_placed: OnPlaced
) -> None:
    """Show the body map on which a lesion is placed.

    Args:
        form: Name of the form of the lesion.
        marks: The other lesions.
        placing: Where it is now.
        on_placed: Is called with "view", "x" and "y" as the browser sends them.
    """
    with st.container(key="body-map"):
        st.html(render_body_map(marks, placing))
    _mount(form, on_placed)


def _mount(form: str, on_placed: OnPlaced | None = None) -> None:
    def place() -> None:
        placed = st.session_state[key].get("placed")
        if on_placed is not None and placed:
            on_placed(placed)

    key = f"{_KEY}-{form}"
    # In every run: the registry is the server's, and this module outlives it in tests.
    mount = st.components.v2.component("body-map", js=_SCRIPT, isolate_styles=False)
    mount(key=key, data={"form": form}, on_placed_change=place, height="content")

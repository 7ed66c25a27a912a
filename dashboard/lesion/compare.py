"""Compare two photographs of the lesion: what they show, what changed, and the probabilities."""

import streamlit as st

from dashboard.lesion.compare_cached import compare_pair
from dashboard.lesion.compare_choice import choose_photographs
from dashboard.lesion.compare_history import show_history
from dashboard.lesion.compare_markup import render_changes, render_registration
from dashboard.lesion.compare_viewer import show_pair
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.html import show_html


def show_compare(opened: OpenedLesion) -> None:
    """Show the view of an open lesion."""
    pair = choose_photographs(opened)
    if pair is not None:
        registration = show_pair(opened, pair)
        show_html(render_registration(registration))
        st.html("<h2>What changed</h2>")
        show_html(render_changes(compare_pair(opened, pair, registration)))
    show_history(opened)

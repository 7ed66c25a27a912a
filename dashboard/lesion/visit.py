"""The first view: the newest photographs, the loop at this visit, and the timeline."""

import streamlit as st

from dashboard.lesion.ai_reading import show_reading
from dashboard.lesion.first_read import note_sight
from dashboard.lesion.opened import OpenedLesion
from dashboard.lesion.photographs import show_newest
from dashboard.lesion.steps import show_receipts, show_steps
from dashboard.lesion.timeline import show_timeline


def show_visit(opened: OpenedLesion) -> None:
    """Show the photographs and the steps of the current visit, then the timeline."""
    note_sight(opened)
    with st.container(key="lesion-opened"):
        photographs, steps = st.columns([11, 9], gap="medium")
    with photographs:
        show_newest(opened)
        show_reading(opened)
    with steps:
        show_receipts(opened)
        show_steps(opened)
    show_timeline(opened)

"""The worklist of this browser session, and the process that computes heatmaps for all of them."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.login import find_own_key
from melanoma_core.reading.sessions import Sessions
from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:
    from melanoma_core.networks.explainer import Explainer


@st.cache_resource(show_spinner=False)
def get_explainer() -> "Explainer":
    """Return the process, shared by all sessions, that computes heatmaps with TensorFlow."""
    from melanoma_core.networks.explainer import Explainer

    return Explainer()


@st.cache_resource(show_spinner=False)
def get_sessions() -> Sessions:
    """Return the worklists of all browser sessions."""
    sessions = Sessions()
    sessions.start_sweeping()
    return sessions


def get_worklist() -> Worklist:
    """Return the worklist of this browser session, which outlives a reload of the page.

    Without a cookie, it goes with the page.
    """
    if "worklist" not in st.session_state:
        st.session_state["worklist"] = Worklist()
    own: Worklist = st.session_state["worklist"]
    key = find_own_key()
    if key:
        own = st.session_state["worklist"] = get_sessions().find(key, own)
    return own

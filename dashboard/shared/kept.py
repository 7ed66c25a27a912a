"""What is kept of a browser session through a reload of the page: a name, and what was typed.

It is in the memory of the server, under the key of the session (`session_key`), and goes twelve
hours after the last use. Without a cookie, it goes with the page.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.shared.login import find_own_key

HOURS_KEPT = 12
_MAX_SESSIONS = 1000
_OWN = "kept"


class KeptSessions:
    """Keeps a dictionary per browser session.

    Args:
        clock: Seconds since any moment.

    Example:
        >>> kept = KeptSessions()
        >>> kept.find("a key")["who"] = "dr.a"
        >>> kept.find("a key"), kept.find("another key")
        ({'who': 'dr.a'}, {})
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[dict[str, Any], float]] = {}  # with the last use, oldest first

    def find(self, key: str) -> dict[str, Any]:
        """Return what is kept under a key, to be added to, and count this as a use of it."""
        with self._lock:
            now = self._clock()
            content, _ = self._kept.pop(key, ({}, now))
            self._kept[key] = content, now
            oldest = now - HOURS_KEPT * 3600
            old = [each for each, (_, used) in self._kept.items() if used < oldest]
            for each in old or list(self._kept)[:-_MAX_SESSIONS]:
                del self._kept[each]
            return content


@st.cache_resource(show_spinner=False)
def _get_sessions() -> KeptSessions:
    return KeptSessions()


def get_kept() -> dict[str, Any]:
    """Return what is kept of this browser session, to be added to."""
    key = find_own_key()
    if key:
        return _get_sessions().find(key)
    own: dict[str, Any] = st.session_state.setdefault(_OWN, {})
    return own

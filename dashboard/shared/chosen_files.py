"""Files that were chosen in a form and went with a reload: their names, never their content."""

from collections.abc import Sequence

import streamlit as st

from dashboard.shared.kept import get_kept
from dashboard.shared.markup import render_error

_CHOSEN = "chosen-files"


def note_files(form: str, names: Sequence[str]) -> None:
    """Note which files are chosen, and say which ones a reload of the page has lost.

    The browser gives no page its files back, and none is kept before it is saved.

    Args:
        form: Name of the form.
        names: Of the files that are chosen now.
    """
    chosen: dict[str, list[str]] = get_kept().setdefault(_CHOSEN, {})
    key = f"{form}-{_CHOSEN}"  # in the page that chose them
    if names:
        chosen[form], st.session_state[key] = list(names), True
    elif st.session_state.get(key):
        chosen.pop(form, None)  # a person took them back
    elif form in chosen:
        lost = ", ".join(chosen[form])
        st.html(render_error(f"The page was reloaded. Choose these files again: {lost}."))


def forget_files(form: str) -> None:
    """Forget what was chosen in a form: it is saved."""
    get_kept().get(_CHOSEN, {}).pop(form, None)

"""Widgets whose value is in the address of the page, so that links can be sent and Back works.

Streamlit's own binding replaces the entry in the browser's history, so that Back would leave the
page. Here each value makes an entry. A value that is the default is left out of the address.
"""

from collections.abc import Collection
from typing import Any

import streamlit as st

_PAGE, _IS_NEW, _VISIT = "address-page", "address-is-new", "address-visit"


def begin_page(title: str) -> None:
    """Note which page runs. One that is opened without a value keeps that of the session."""
    is_new = st.session_state.get(_PAGE) != title
    st.session_state[_IS_NEW], st.session_state[_PAGE] = is_new, title
    st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + is_new


def opens_page() -> bool:
    """Return whether this run is the first one since the person came from another page."""
    return bool(st.session_state.get(_IS_NEW))


def follow_address(
    parameter: str, key: str, default: Any, options: Collection[Any] | None = None
) -> None:
    """Give a widget the value in the address, if a link or Back has changed it.

    Call it before the widget, and `write_address` after it.

    Args:
        parameter: In the address.
        key: Of the widget, unique in the dashboard.
        default: Where the address has no value, or one that is not an option.
        options: The possible values, which the address has as text; None for any text.
    """
    asked: Any = st.query_params.get(parameter)
    if options is not None:
        asked = {str(each): each for each in options}.get(asked)
    visit, seen = _recall(key)
    if asked is None and visit != st.session_state.get(_VISIT):
        asked = st.session_state.get(key)
    if asked is None or (options is not None and asked not in options):
        asked = default
    is_possible = options is None or st.session_state.get(key) in options
    if key not in st.session_state or asked != seen or not is_possible:
        st.session_state[key] = asked
    _note(key, asked)


def write_address(parameter: str, key: str, default: Any) -> None:
    """Write the value of a widget into the address, as one entry of the browser's history.

    Args:
        parameter: In the address.
        key: Of the widget.
        default: The value that the address leaves out.
    """
    value = st.session_state[key]
    _note(key, value)
    if str(value) == st.query_params.get(parameter, str(default)):
        return
    if value == default:
        del st.query_params[parameter]
    else:
        st.query_params[parameter] = str(value)


def follow_list(parameter: str, key: str, options: Collection[str]) -> None:
    """Give a widget of several values those in the address, as `follow_address` does for one.

    Args:
        parameter: In the address, once for each value.
        key: Of the widget, unique in the dashboard.
        options: The possible values; others in the address are ignored.
    """
    asked = st.query_params.get_all(parameter)
    visit, seen = _recall(key)
    if not asked and visit != st.session_state.get(_VISIT):
        asked = st.session_state.get(key, [])
    asked = [each for each in asked if each in options]
    if key not in st.session_state or asked != seen:
        st.session_state[key] = asked
    _note(key, asked)


def write_list(parameter: str, key: str) -> None:
    """Write the values of a widget of several values into the address.

    Args:
        parameter: In the address, once for each value; absent without any.
        key: Of the widget.
    """
    values = list(st.session_state[key])
    _note(key, values)
    if values != st.query_params.get_all(parameter):
        if values:
            st.query_params[parameter] = values
        else:
            leave_address(parameter)


def leave_address(parameter: str) -> None:
    """Take a parameter out of the address; its widget then takes its default."""
    if parameter in st.query_params:
        del st.query_params[parameter]


def _recall(key: str) -> tuple[int | None, Any]:
    """Return at which visit of a page a value was last noted, and the value."""
    recalled: tuple[int | None, Any] = st.session_state.get(_name(key), (None, None))
    return recalled


def _note(key: str, value: Any) -> None:
    st.session_state[_name(key)] = st.session_state.get(_VISIT), value


def _name(key: str) -> str:
    return f"address-{key}"

"""Who uses the record: a page says what it needs where no name was given."""

import pytest
from streamlit.testing.v1 import AppTest


def _show_asked() -> None:
    import streamlit as st

    from dashboard.shared.person import ask_who

    st.text(ask_who())


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_missing_name_is_asked_for_again_with_what_is_needed(typed: str):
    page = AppTest.from_function(_show_asked).run()
    assert not page.warning
    page.text_input[0].set_value(typed)
    page.button[0].click().run()
    (warning,) = page.warning
    assert warning.value.startswith("Found no name; needed are 1 to 80 characters.")
    assert not page.text


def test_a_name_is_asked_for_once():
    page = AppTest.from_function(_show_asked).run()
    page.text_input[0].set_value("  dr.  a ")
    page.button[0].click().run()
    assert page.text[0].value == "dr. a"
    assert not page.warning

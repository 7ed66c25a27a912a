from streamlit.testing.v1 import AppTest

SHOW = """
from dashboard.shared.html import show_html
show_html("")
show_html("<p>text</p>")
"""


def test_empty_html_shows_nothing_rather_than_an_exception():
    app = AppTest.from_string(SHOW).run()
    assert not app.exception
    assert [element.proto.body for element in app.get("html")] == ["<p>text</p>"]

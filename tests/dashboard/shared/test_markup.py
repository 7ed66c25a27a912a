import pytest

from dashboard.shared.markup import escape_markdown, render_error


def test_a_command_in_an_error_is_shown_literally():
    error = render_error("Found <none>. Use `git checkout -- assets`.")
    assert "Found &lt;none&gt;. Use <code>git checkout -- assets</code>." in error


def test_a_path_cannot_reverse_the_sentence_around_it():
    reversed_path = "a\u202egpj.exe\u2066"
    for shown in (render_error(reversed_path), escape_markdown(reversed_path)):
        assert "\u202e" not in shown
        assert "\u2066" not in shown
        assert "gpj" in shown


def test_markdown_shows_escaped_text_literally():
    assert escape_markdown("a_b*c[d](e) größer") == r"a\_b\*c\[d\]\(e\) größer"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("www.evil.example", "www\u2060\\.evil\\.example"),
        ("HTTP://evil", "HTTP\\:\u2060\\/\\/evil"),
        ("a@b.c", "a\\@\u2060b\\.c"),
        ("a -- b -> c", "a \\-\u2060\\- b \\-\u2060\\> c"),
        ("    code\n# head", "code \\# head"),
    ],
)
def test_markdown_makes_no_link_dash_or_second_line_of_escaped_text(text: str, shown: str):
    assert escape_markdown(text) == shown

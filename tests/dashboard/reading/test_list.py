"""The list of readings: search, filter, marks, removal and undo."""

import pytest
from streamlit.runtime.context import ContextProxy

from dashboard.reading.cached import get_sessions
from dashboard.shared.session_key import name_cookie
from melanoma_core.reading.removal import Limit
from tests.dashboard.reading.driver import (
    click,
    forget_all,
    html,
    list_rows,
    name_opened,
    upload_lesions,
    worklist,
)


def search(app, text: str):
    (field,) = (field for field in app.text_input if field.label == "Search")
    field.set_value(text).run()
    assert not app.exception
    return app


def show(app, label: str):
    app.button_group(key="list-filter").set_value([label]).run()
    assert not app.exception
    return app


def test_a_search_lists_what_has_all_its_words_and_says_what_is_hidden(open_dashboard):
    app = search(upload_lesions(open_dashboard(), 4), "basal CELL")
    assert len(list_rows(app)) == 1
    hidden = [caption.value for caption in (*app.caption, *app.warning)]
    assert any(text.startswith("3 hidden, ") for text in hidden)
    assert len(list_rows(search(app, ""))) == 4


def test_a_row_names_diagnosis_tier_and_file(open_dashboard):
    app = upload_lesions(open_dashboard(), 2)
    lesion = worklist(app).lesions[0]
    top = lesion.reading.top_diagnosis
    shown = html(app.sidebar)
    assert f'<p class="name">{lesion.name}</p>' in shown
    assert f"%, {top.tier}</p>" in shown


def test_what_was_opened_is_marked_and_the_mark_can_be_taken_back(open_dashboard):
    app = click(upload_lesions(open_dashboard(), 3), "Next")
    lesions = worklist(app).lesions
    assert worklist(app).looked_at == {lesions[0].key, lesions[1].key}
    assert html(app.sidebar).count("✓ looked at") == 2
    click(app, "Mark as not looked at")
    assert worklist(app).looked_at == {lesions[0].key}


def test_several_rows_are_removed_at_once_and_brought_back(open_dashboard):
    app = click(upload_lesions(open_dashboard(), 4), "Select all shown")
    app.checkbox(key=f"select-1-{worklist(app).lesions[3].key}").uncheck().run()
    last = worklist(app).lesions[3].name
    click(app, "Remove 3")
    assert name_opened(app) == last
    assert "3 photographs removed." in [caption.value for caption in app.caption]
    assert len(list_rows(click(app, "Undo"))) == 4


def test_forget_all_asks_first_and_is_undone(open_dashboard):
    app = click(upload_lesions(open_dashboard(), 3), "Forget all")
    assert len(worklist(app).entries) == 3
    click(app, "Keep them")
    assert len(worklist(app).entries) == 3
    forget_all(app)
    assert worklist(app).entries == []
    click(app, "Undo")
    assert len(worklist(app).entries) == 3


def test_a_reload_with_the_same_cookie_shows_the_same_photographs(open_dashboard, monkeypatch):
    name = name_cookie("localhost:8501")
    monkeypatch.setattr(ContextProxy, "cookies", {name: "a" * 43})
    app = upload_lesions(open_dashboard(), 2)
    again = open_dashboard()
    assert worklist(again) is worklist(app)
    assert len(list_rows(again)) == 2
    monkeypatch.setattr(ContextProxy, "cookies", {name: "b" * 43})
    assert worklist(open_dashboard()).entries == []
    get_sessions().find("a" * 43).clear()


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        (Limit.TIME, "your last action was 4 hours ago or earlier."),
        (Limit.MEMORY, "those of all people together reached the limit of 1,024 MiB"),
    ],
)
def test_photographs_that_a_limit_deleted_leave_a_message_until_it_is_dismissed(
    open_dashboard, limit, why
):
    app = upload_lesions(open_dashboard(), 2)
    worklist(app).lose(limit)
    app.run()
    assert not app.exception
    (warning,) = app.main.warning
    assert warning.value.startswith(f"2 photographs were deleted from memory: {why}")
    assert not list_rows(app)
    assert not click(app, "Dismiss").main.warning

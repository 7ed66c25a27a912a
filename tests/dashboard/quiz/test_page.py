"""The Quiz page: one case after the other, the truth, and the result."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.entities import Lesion
from melanoma_core.records.ledger import Action
from melanoma_core.records.log_search import LogQuery
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.settings import PROJECT_ROOT
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_loops import add_loop
from tests.dashboard.reading.driver import html

Open = Callable[..., AppTest]


@pytest.fixture
def open_quiz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page at an address, with the drawn dataset as its folder."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))

    def open_(kept: dict[str, object] | None = None, **address: str) -> AppTest:
        script = PROJECT_ROOT / "dashboard" / "navigation.py"
        app = AppTest.from_file(script, default_timeout=120).run()
        app.session_state["kept"] = {"who": "dr.a"} if kept is None else kept
        app.switch_page("quiz/page.py")
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return open_


def press(app: AppTest, *keys: str) -> None:
    for key in keys:
        app.button(key=f"quiz-{key}").click().run()
        assert not app.exception


def list_keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def test_without_a_record_drawn_lesions_are_asked_and_said_to_be(open_quiz: Open) -> None:
    app = open_quiz(seed="3", mix="half of them melanomas")
    page = html(app)
    assert "A program has drawn these lesions" in page
    assert re.search(r"Drawn from \d+ lesions of drawn lesions; \d+ of them are melanomas", page)
    assert "About half of the cases are melanomas." in page
    assert app.selectbox(key="quiz-from").options == ["A folder of images"]
    assert app.query_params == {"seed": "3", "mix": "half of them melanomas"}


def test_a_case_is_answered_and_explained_at_once(open_quiz: Open) -> None:
    app = open_quiz(seed="3")
    press(app, "start")
    press(app, "answer")
    assert "Choose a probability and a diagnosis, then answer." in html(app)
    press(app, "0.7", "MEL")
    assert app.button(key="quiz-0.7").label == "✓ 70%"
    press(app, "answer")
    page = html(app)
    assert re.search(r"<h2>(✓ Right|✗ Not right): ", page)
    assert "A drawn lesion." in page
    assert "<strong>You:</strong> melanoma; probability of melanoma 70%." in page
    assert re.search(r"<strong>Network:</strong> .*probability of melanoma", page)
    press(app, "next")
    assert "quiz-answer" in list_keys(app)
    assert app.button(key="quiz-0.7").label == "70%"  # nothing is chosen for the next case


def test_the_result_compares_student_and_network_on_the_same_cases(open_quiz: Open) -> None:
    app = open_quiz(seed="3", feedback="at the end", mix="half of them melanomas")
    press(app, "start")
    for number in range(10):
        press(app, f"{number / 10}", "MEL" if number % 2 else "NV", "answer")
    page = html(app)
    assert "You: sensitivity (melanoma named)" in page
    assert "Network: sensitivity (alert)" in page
    assert "Too few to say: " in page
    assert "The cases were: " in page
    assert page.count("<tr>") == 11
    assert "quiz-again" in list_keys(app)
    press(app, "again")
    assert "quiz-start" in list_keys(app)


def test_a_quiz_that_was_finished_early_can_go_on(open_quiz: Open) -> None:
    app = open_quiz(feedback="at the end")
    press(app, "start", "0.1", "NV", "answer", "finish")
    assert [header.value for header in app.header] == [
        "1 of 10 cases answered",
        "Which quiz",
        "Data",
    ]
    next(each for each in app.button if each.label == "Go on with the cases").click().run()
    assert "quiz-answer" in list_keys(app)


def test_the_address_names_the_case_and_opens_it_again(open_quiz: Open) -> None:
    kept: dict[str, object] = {"who": "dr.a"}
    app = open_quiz(kept)
    press(app, "start")
    assert app.query_params["case"] == "1"
    press(app, "0.5", "NV", "answer")
    assert app.query_params["case"] == "1"  # its truth
    press(app, "next")
    assert app.query_params["case"] == "2"

    reloaded = open_quiz(kept, case="2")
    assert "quiz-answer" in list_keys(reloaded)
    back = open_quiz(kept, case="1")
    assert "quiz-next" in list_keys(back)  # the truth of the first
    ahead = open_quiz(kept, case="5")
    assert "Case 5 of 10" in ahead.get("progress")[0].proto.text
    assert "Case 5 of 10" in open_quiz(kept, case="99").get("progress")[0].proto.text


def test_answers_outlive_the_page_and_other_quizzes(open_quiz: Open) -> None:
    app = open_quiz(seed="5", feedback="at the end")
    press(app, "start", "0.1", "NV", "answer")
    again = open_quiz(app.session_state["kept"], seed="5", feedback="at the end")
    assert "quiz-answer" in list_keys(again)
    again.number_input(key="quiz-seed").set_value(6).run()
    assert "quiz-start" in list_keys(again)
    again.number_input(key="quiz-seed").set_value(5).run()
    assert "quiz-answer" in list_keys(again)


def test_cases_of_a_record_are_noted_as_seen_and_show_how_they_were_confirmed(
    open_quiz: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path / "record"))
    record = Record.create(tmp_path / "record", by="dr.a")
    add_loop(record, "p-1", INVASIVE, Management.EXCISION)
    add_loop(record, "p-2", NEVUS, Management.EXCISION, "drawn-nevus.jpg")
    app = open_quiz()
    assert app.selectbox(key="quiz-from").value == "record"
    assert "Drawn from 2 lesions of this record; 1 of them are melanomas (50.0%)." in html(app)
    press(app, "start", "0.9", "MEL", "answer")
    assert "Confirmed by histopathology." in html(app)
    seen = record.search_log(LogQuery(actions=(Action.SEEN,))).rows
    assert [entry.kind for entry, _ in seen] == [Lesion.__name__]
    press(app, "next", "0.1", "NV", "answer", "next")
    assert record.search_log(LogQuery(actions=(Action.SEEN,))).total == 2
    assert "Your answers" in html(app)
    assert "p-1" not in html(app)
    record.close()


def test_an_empty_record_says_what_to_do(
    open_quiz: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path / "record"))
    Record.create(tmp_path / "record", by="dr.a").close()
    app = open_quiz()
    assert "A quiz needs at least 1. Choose another source." in html(app)
    app.selectbox(key="quiz-from").select("folder").run()
    assert "A program has drawn these lesions" in html(app)

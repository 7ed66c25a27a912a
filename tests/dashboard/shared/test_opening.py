"""Nothing is kept until a person opens a record; what is open stays so, and can be closed."""

import time
from pathlib import Path

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from melanoma_core.records.drawn_job import find_job
from melanoma_core.records.opened import Opened, find_folder, has_record, remember_opened
from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT, load_settings
from tests.dashboard.reading.driver import click, html, upload_lesions

CREATE, CLOSE = "Create a record", "Close the record"
DEMONSTRATION = "Open the demonstration record"


def open_page(page: str = "today", who: str = "") -> AppTest:
    script = PROJECT_ROOT / "dashboard" / "navigation.py"
    app = AppTest.from_file(script, default_timeout=60).run()
    if who:
        app.session_state["kept"] = {"who": who}
    app.switch_page(f"{page}/page.py").run()
    assert not app.exception
    return app


def list_buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def create(app: AppTest, who: str = "dr.a") -> AppTest:
    app.text_input(key="creator").set_value(who)
    return click(app, CREATE)


@pytest.mark.parametrize("page", ["today", "patients", "lesion", "performance"])
def test_every_page_of_the_record_says_that_nothing_is_kept(page: str):
    app = open_page(page)

    assert "No record is open: nothing is kept" in html(app)
    assert str(find_folder(load_settings(), Opened.CLINIC)) in html(app)
    assert list_buttons(app) == [CREATE, DEMONSTRATION]
    assert not load_settings().records_dir.exists()


def test_a_record_is_created_by_a_person_with_a_name():
    app = create(open_page(), " ")

    assert "Give your name or initials." in html(app)
    assert not has_record(load_settings(), Opened.CLINIC)

    app = create(app)
    assert "<strong>Nothing waits.</strong>" in html(app)
    record = Record.open(find_folder(load_settings(), Opened.CLINIC))
    assert [entry.by for entry in record.list_log()] == ["dr.a"]
    record.close()


def test_it_is_open_in_a_later_session_until_it_is_closed_and_nothing_is_deleted():
    create(open_page())

    app = open_page(who="dr.b")
    assert "Nothing waits." in html(app)

    app = click(app, CLOSE)
    assert list_buttons(app) == ["Open the record", DEMONSTRATION]

    app.text_input(key="creator").set_value("dr.b")
    assert "Nothing waits." in html(click(app, "Open the record"))


def test_the_setting_names_the_record_and_a_page_does_not_close_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "clinic <b>"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    app = open_page()
    assert "clinic &lt;b&gt;" in html(app)

    app = create(app)

    assert "Nothing waits." in html(app)
    assert CLOSE not in list_buttons(app)
    assert (folder / "record.sqlite").is_file()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "letter.txt").write_text("Dear …")
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path))

    app = create(open_page())

    assert "has files in it, such as" in html(app)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".sqlite"] == []


def test_an_open_record_that_is_gone_says_so_and_can_be_closed():
    remember_opened(load_settings(), Opened.CLINIC)

    app = open_page()

    assert "There is no record in" in html(app)
    assert list_buttons(click(app, CLOSE)) == [CREATE, DEMONSTRATION]


def test_a_damaged_note_of_what_is_open_opens_nothing():
    folder = load_settings().records_dir
    folder.mkdir()
    (folder / "opened.json").write_text("[]")

    assert "nothing is kept" in html(open_page())


def test_a_person_elsewhere_is_offered_no_page_of_the_record(monkeypatch: pytest.MonkeyPatch):
    create(open_page())
    monkeypatch.setattr(
        ContextProxy, "headers", {"host": "localhost:8501", "x-forwarded-for": "192.0.2.1"}
    )
    script = PROJECT_ROOT / "dashboard" / "navigation.py"
    app = upload_lesions(AppTest.from_file(script, default_timeout=60).run(), 1)

    assert "Keep in the record" not in list_buttons(app)
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        app.switch_page("today/page.py")


def test_a_lesion_is_offered_to_be_kept_only_where_a_record_is_open():
    app = upload_lesions(open_page("reading"), 1)
    assert "Keep in the record" not in list_buttons(app)

    Record.create(find_folder(load_settings(), Opened.CLINIC), by="dr.a").close()
    remember_opened(load_settings(), Opened.CLINIC)
    assert "Keep in the record" in list_buttons(app.run())


@pytest.mark.slow
def test_drawing_the_demonstration_can_be_cancelled_and_leaves_nothing():
    app = click(open_page(), DEMONSTRATION)
    assert "Cancel" in list_buttons(app)
    assert find_job(load_settings()).is_running

    app = click(app, "Cancel")

    assert DEMONSTRATION in list_buttons(app.run())
    assert not find_job(load_settings()).is_running
    assert not has_record(load_settings(), Opened.DEMONSTRATION)


@pytest.mark.slow
def test_the_demonstration_opens_when_it_is_drawn_and_says_so():
    app = click(open_page(), DEMONSTRATION)
    last = time.monotonic() + 600
    while find_job(load_settings()).is_running and time.monotonic() < last:
        time.sleep(1)

    app = app.run()
    assert "a program has drawn every photograph here" in html(app)
    assert "visitor" in app.markdown[0].value
    assert len(app.get("page_link")) > 5

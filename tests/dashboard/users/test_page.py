"""A steward sees who has logged in, and sets roles; each change is logged."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.access.people import remember
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import Subject
from melanoma_core.settings import PROJECT_ROOT
from tests.dashboard.reading.driver import html


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MELANOMA_ACCESS_DIR", str(tmp_path / "access"))
    return tmp_path / "access"


def open_page() -> AppTest:
    app = AppTest.from_file(PROJECT_ROOT / "dashboard" / "users" / "page.py", default_timeout=60)
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def test_without_people_the_page_has_empty_tables():
    app = open_page()

    assert not app.selectbox
    assert not app.checkbox


def test_roles_are_set_and_given_back_to_the_login(folder: Path):
    remember(folder, Subject("auth0|5f", "Ada <b>", frozenset({Role.READER})))
    app = open_page()
    assert [box.value for box in app.checkbox] == [True, False, False, False]
    assert "Ada &lt;b&gt;" in html(app)

    app.checkbox[1].check()
    app = press(app, "Set these roles")
    assert "Roles set, and the change is logged." in html(app)
    assert [box.value for box in app.checkbox] == [True, True, False, False]
    assert "those of the login" in html(app)

    app = press(app, "Use the roles of the login")
    assert [box.value for box in app.checkbox] == [True, False, False, False]

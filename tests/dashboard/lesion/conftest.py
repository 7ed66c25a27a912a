"""A record with one drawn lesion, and the page that shows it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT
from tests.drawn_record import DrawnLesion, add_drawn_lesion

OpenLesion = Callable[..., AppTest]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    return Record.create(folder, by="dr.a")


@pytest.fixture
def lesion(record: Record) -> DrawnLesion:
    return add_drawn_lesion(record)


@pytest.fixture
def open_lesion(lesion: DrawnLesion) -> OpenLesion:
    """Open the page of the lesion as a person, at an address."""

    def open_(who: str = "dr.a", kept: dict[str, object] | None = None, **address: str) -> AppTest:
        app = AppTest.from_file(
            PROJECT_ROOT / "dashboard" / "navigation.py", default_timeout=60
        ).run()
        app.session_state["kept"] = {"who": who} if kept is None else kept
        app.switch_page("lesion/page.py")
        for name, value in ({"lesion": lesion.lesion_id} | address).items():
            app.query_params[name] = value
        return app.run()

    return open_

"""A record that is open, and the Today page."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT

OpenToday = Callable[..., AppTest]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Return a record that the settings name, so that it is open."""
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    record = Record.create(folder, by="dr.a")
    yield record
    record.close()


@pytest.fixture
def open_today() -> OpenToday:
    """Open the page as a person, at an address."""

    def open_(who: str = "dr.a", **address: str) -> AppTest:
        script = PROJECT_ROOT / "dashboard" / "navigation.py"
        app = AppTest.from_file(script, default_timeout=60).run()
        app.session_state["kept"] = {"who": who}
        app.switch_page("today/page.py")
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return open_

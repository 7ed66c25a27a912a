"""An empty record, and the page that shows its patients."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT

OpenPatients = Callable[..., AppTest]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    return Record.create(folder, by="dr.a")


@pytest.fixture
def open_patients(record: Record) -> OpenPatients:  # noqa: ARG001  # the record that is open
    """Open the page as a person, at an address."""

    def open_(who: str = "dr.a", **address: str) -> AppTest:
        script = PROJECT_ROOT / "dashboard" / "navigation.py"
        app = AppTest.from_file(script, default_timeout=60).run()
        app.session_state["kept"] = {"who": who}
        app.switch_page("patients/page.py")
        for name, value in address.items():
            app.query_params[name] = value
        return app.run()

    return open_

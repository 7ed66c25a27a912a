"""What the tests of the pages share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.settings import PROJECT_ROOT

Open = Callable[[], AppTest]


@pytest.fixture
def open_dashboard() -> Iterator[Open]:
    """Open the dashboard as one more person, with no network loaded yet."""

    def open_() -> AppTest:
        app = AppTest.from_file(PROJECT_ROOT / "dashboard" / "app.py", default_timeout=60).run()
        assert [title.value for title in app.title] == ["Reading"]
        return app

    st.cache_resource.clear()
    yield open_
    st.cache_resource.clear()


@pytest.fixture
def other_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a copy of the bundled model that reads in its place, to be spoilt."""
    folder = tmp_path / "other"
    folder.mkdir()
    for name in ("card.json", "model.onnx"):
        folder.joinpath(name).write_bytes(BUNDLED.joinpath(name).read_bytes())
    card = folder / "card.json"
    model_id = load_card(BUNDLED).model_id
    card.write_text(card.read_text("utf-8").replace(model_id, "other-model"), "utf-8")
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("MELANOMA_MODEL", "other-model")
    return folder

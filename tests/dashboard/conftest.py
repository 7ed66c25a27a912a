"""Fixtures for the tests of all pages."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import NoveltyLimit, load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.settings import PROJECT_ROOT

Open = Callable[[], AppTest]


@pytest.fixture(scope="session", autouse=True)
def _scan_components_once() -> Iterator[None]:
    """Let Streamlit look for installed components once, not in every new session (0.1 s)."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def _sit_at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the requests of `AppTest`, which pass no server, what a browser sends first."""
    monkeypatch.setattr(ContextProxy, "headers", {"host": "localhost:8501"})
    monkeypatch.setattr(ContextProxy, "cookies", {})


@pytest.fixture(autouse=True)
def _keep_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no record be open that a person has opened on this machine."""
    monkeypatch.setenv("MELANOMA_RECORDS_DIR", str(tmp_path / "kept-records"))
    monkeypatch.delenv("MELANOMA_RECORD", raising=False)
    monkeypatch.delenv("MELANOMA_RECORD_URL", raising=False)


@pytest.fixture
def open_dashboard() -> Open:
    """Open the dashboard in a new session.

    Streamlit's caches are kept from test to test, so that the model is loaded once. Their keys hold
    the content of what they were computed from.
    """

    def open_() -> AppTest:
        script = PROJECT_ROOT / "dashboard" / "navigation.py"
        app = AppTest.from_file(script, default_timeout=60).run()
        assert [title.value for title in app.title] == ["Reading"]
        return app

    return open_


@pytest.fixture
def other_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the bundled model, selected for reading; may be damaged."""
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


@pytest.fixture
def guarded_model(other_model: Path) -> Path:
    """Return the folder of a model, selected for reading, that refuses every photograph."""
    figure = Figure(0.01, 0.0, 0.03, 1, 100, 90)
    limit = NoveltyLimit(0.001, "validation", 0.005, {"test": figure}, "untuned MobileNetV2")
    replace(load_card(other_model), novelty=limit).save(other_model)
    return other_model

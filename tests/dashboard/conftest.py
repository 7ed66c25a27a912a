"""Fixtures for the tests of all pages."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import NoveltyLimit, load_card
from melanoma_core.models.classifier import NOVELTY_NAMES
from melanoma_core.models.registry import BUNDLED
from melanoma_core.settings import PROJECT_ROOT

Open = Callable[[], AppTest]


@pytest.fixture
def open_dashboard() -> Open:
    """Open the dashboard in a new session.

    Streamlit's caches are kept from test to test, so that the model is loaded once. Their keys hold
    the content of what they were computed from.
    """

    def open_() -> AppTest:
        app = AppTest.from_file(PROJECT_ROOT / "dashboard" / "app.py", default_timeout=60).run()
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
    network = onnx.load(other_model / "model.onnx")
    if NOVELTY_NAMES[0] in {output.name for output in network.graph.output}:
        return set_novelty_limit(other_model, 0.001)
    for name, value in zip(NOVELTY_NAMES, ([31.0], [[0.0]]), strict=True):
        array = np.array(value, np.float32)
        constant = onnx.numpy_helper.from_array(array)
        network.graph.node.append(onnx.helper.make_node("Constant", [], [name], value=constant))
        network.graph.output.append(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
        )
    onnx.save(network, other_model / "model.onnx")
    return set_novelty_limit(other_model, 24.0)


def set_novelty_limit(folder: Path, distance: float) -> Path:
    """Set the out-of-distribution limit of a model whose network computes the distance."""
    figure = Figure(0.01, 0.0, 0.03, 1, 100, 90)
    limit = NoveltyLimit(
        distance, "validation", 0.005, {"test": figure}, "features of an untuned backbone"
    )
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    card = replace(load_card(folder), novelty=limit)
    replace(card, files=card.files | {"model.onnx": digest}).save(folder)
    return folder

"""The choice of images on the Training page, and the table of left-out collections."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.runs import control
from melanoma_core.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose runs stay queued without a process."""
    for name in ("CACHE", "RUNS", "MODELS"):
        monkeypatch.setenv(f"MELANOMA_{name}_DIR", str(tmp_path / name.lower()))
    for name in ("MELANOMA_DATA_DIR", "MLFLOW_TRACKING_URI", "MELANOMA_MAX_RUNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(control, "start_detached", lambda *_: 0)
    return load_settings()


def write_image(path: Path, seed: int) -> None:
    """Write another picture for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def page(open_dashboard, settings: Settings, tmp_path: Path) -> AppTest:  # noqa: ARG001
    """The Training page with a folder of three collections."""
    seed = 0
    for collection in ("clinic", "archive", "third"):
        for name, count in (("melanoma", 12), ("nevus", 24)):
            for _ in range(count):
                seed += 1
                write_image(tmp_path / "data" / collection / name / f"{seed:03}.png", seed)
    app = open_dashboard().switch_page("training/page.py").run()
    app.text_input(key="folder-path").set_value(str(tmp_path / "data")).run()
    assert not app.exception
    return app


def find(app: AppTest, kind: str, label: str):
    return next(widget for widget in app.get(kind) if widget.proto.label == label)


def launch(app: AppTest) -> AppTest:
    find(app, "button", "Launch").click().run()
    assert not app.exception
    return app


def test_the_collections_of_the_folder_are_offered(page: AppTest):
    assert find(page, "selectbox", "Collection left out").options == [
        "none",
        "each in turn, one run per collection",
        "archive",
        "clinic",
        "third",
    ]
    assert find(page, "multiselect", "Collections for training alone").options == [
        "archive",
        "clinic",
        "third",
    ]
    card = load_card(BUNDLED)
    assert card.model_id in find(page, "selectbox", "Keep the split of a model").options


def test_a_run_is_launched_with_the_chosen_images(page: AppTest, settings: Settings):
    find(page, "multiselect", "Collections for training alone").set_value(["archive"]).run()
    find(page, "toggle", "Skip the tests of heatmaps and robustness").set_value(True).run()
    find(page, "selectbox", "Collection left out").set_value("clinic").run()

    launch(page)

    (run,) = control.list_runs(settings)
    assert run.spec.data["left_out"] == "clinic"
    assert run.spec.data["train_only"] == ["archive"]
    assert run.spec.skips_tests
    assert run.spec.series is None


def test_an_id_that_does_not_exist_is_an_error_and_no_run(page: AppTest, settings: Settings):
    find(page, "text_input", "Image ids not used").set_value("ISIC_7, 007").run()

    launch(page)

    shown = "".join(element.proto.body for element in page.get("html"))
    assert "neither a collection nor an image ISIC_7 to train without" in shown
    assert control.list_runs(settings) == []


def test_each_collection_is_left_out_in_turn_and_the_table_is_shown(
    page: AppTest, settings: Settings
):
    find(page, "selectbox", "Collection left out").set_value("each").run()
    assert find(page, "toggle", "Skip the tests of heatmaps and robustness").disabled
    find(page, "text_input", "Name of the run").set_value("mine").run()

    launch(page)

    runs = control.list_runs(settings)
    assert [run.name for run in reversed(runs)] == [
        "mine without archive",
        "mine without clinic",
        "mine without third",
    ]
    assert all(run.spec.skips_tests for run in runs)
    assert page.query_params["run"] == runs[-1].run_id
    page.session_state["training-view"] = "Sources"
    page.run()
    assert not page.exception
    (table,) = [each.value for each in page.dataframe if "Left out" in each.value.columns]
    assert table["Left out"].tolist() == ["archive", "clinic", "third"]
    assert table["Images"].tolist() == ["36", "36", "36"]
    assert "0 of 3 runs are over." in [each.value for each in page.caption]


def test_without_a_series_the_tab_says_what_to_do(open_dashboard, settings: Settings):  # noqa: ARG001
    app = open_dashboard().switch_page("training/page.py")
    app.session_state["training-view"] = "Sources"
    app.run()

    assert "No collection has been left out in turn yet." in [each.value for each in app.caption]

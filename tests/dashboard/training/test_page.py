import subprocess
import sys
from contextlib import ExitStack

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.training.fields import RECIPE_FIELDS
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.runs import control
from melanoma_core.runs.queue import open_queue
from melanoma_core.runs.run import RunState
from melanoma_core.settings import PROJECT_ROOT, load_settings
from melanoma_core.training.recipe import PRESETS
from tests.dashboard.children import wait_for_children
from tests.written_runs import RunWriter


@pytest.fixture(autouse=True)
def settings(tmp_path, tmp_path_factory, monkeypatch):
    """Keep runs in a folder of the test, and the cache longer, so that lesions are drawn once."""
    cache = tmp_path_factory.getbasetemp() / "training-page-cache"
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    for name in ("MELANOMA_DATA_DIR", "MLFLOW_TRACKING_URI", "MELANOMA_MAX_RUNS"):
        monkeypatch.delenv(name, raising=False)
    return load_settings()


@pytest.fixture
def show(open_dashboard):
    """Open a tab of the Training page, with a run selected if one is given."""

    def show_(view: str = "Runs", run_id: str = "") -> AppTest:
        app = open_dashboard().switch_page("training/page.py")
        app.session_state["training-view"] = view
        if run_id:
            app.query_params["run"] = run_id
        app.run()
        assert [title.value for title in app.title] == ["Training"]
        assert not app.exception
        return app

    return show_


@pytest.fixture
def write_run(settings, empty_store):
    """Write a queued or ended run into the tracking store, as its process would."""
    return RunWriter(settings, empty_store)


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def find(app: AppTest, kind: str, label: str):
    return next(widget for widget in app.get(kind) if widget.proto.label == label)


def click(app: AppTest, label: str) -> AppTest:
    find(app, "button", label).click().run()
    assert not app.exception
    return app


def list_buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


# The recipe.


def test_every_preset_is_shown_unchanged(show):
    app = show()
    for preset in PRESETS:
        app.selectbox(key="preset").set_value(preset).run()
        assert not app.exception
        assert f"The preset {preset}, unchanged." in captions(app)
        assert ("Warning: a deliberate mistake" in html(app)) == (preset == "leaky")


def test_a_changed_field_is_named_and_reset_with_one_button(show):
    app = show()
    find(app, "number_input", "Epochs").set_value(3).run()
    assert "Epochs\\: 3 instead of 20" in captions(app)
    app = click(app, "Reset to the preset")
    assert find(app, "number_input", "Epochs").value == 20
    assert "The preset baseline, unchanged." in captions(app)


def test_the_value_of_the_preset_is_beside_each_field(show):
    app = show("Recipe")
    assert html(app).count('class="preset"') == len(RECIPE_FIELDS)
    find(app, "number_input", "Epochs").set_value(3).run()
    assert '<p class="preset changed">Changed. Preset: 20</p>' in html(app)
    click(app, "Change the recipe")
    assert app.session_state["training-view"] == "Recipe"


def test_the_recipe_is_in_the_address_and_survives_a_reload(open_dashboard, show):
    app = show()
    app.selectbox(key="preset").set_value("transfer").run()
    find(app, "number_input", "Epochs").set_value(3).run()
    find(app, "selectbox", "Loss").set_value("focal").run()
    assert app.query_params["preset"] in ("transfer", ["transfer"])
    assert app.query_params["set"] == ["epochs=3", "loss=focal"]
    reloaded = open_dashboard().switch_page("training/page.py")
    reloaded.query_params["preset"] = "transfer"
    reloaded.query_params["set"] = ["epochs=3", "loss=focal"]
    reloaded.run()
    assert not reloaded.exception
    assert reloaded.selectbox(key="preset").value == "transfer"
    assert find(reloaded, "number_input", "Epochs").value == 3
    assert find(reloaded, "selectbox", "Loss").value == "focal"
    assert not find(reloaded, "number_input", "Focal loss gamma").disabled


@pytest.mark.parametrize("change", ["epochs=0", "epochs=99999", "hello=1", "zoom=abc"])
def test_an_address_with_an_impossible_recipe_shows_an_error(open_dashboard, change):
    app = open_dashboard().switch_page("training/page.py")
    app.query_params["set"] = [change]
    app.run()
    assert not app.exception
    assert 'class="error"' in html(app)
    assert change.partition("=")[0] in html(app)
    assert "The preset baseline, unchanged." in captions(app)


def test_a_field_without_effect_is_disabled(show):
    app = show()
    for label in ("Head-only epochs", "Focal loss gamma", "Images per class after oversampling"):
        assert find(app, "number_input", label).disabled, label
    assert not find(app, "toggle", "Batch normalisation").disabled
    find(app, "selectbox", "Loss").set_value("focal").run()
    assert not find(app, "number_input", "Focal loss gamma").disabled
    app.selectbox(key="preset").set_value("transfer").run()
    assert find(app, "toggle", "Batch normalisation").disabled
    assert not find(app, "number_input", "Head-only epochs").disabled


def test_an_invalid_recipe_shows_an_error_and_cannot_be_launched(show):
    app = show()
    app.selectbox(key="preset").set_value("leaky").run()
    share = find(app, "number_input", "Share held out image by image")
    share.set_value(0.0).run()
    assert not app.exception
    assert "It must be above 0 to leak into" in html(app)
    assert find(app, "button", "Launch").disabled


def test_a_weights_file_can_be_chosen_on_the_same_machine_only(show, monkeypatch):
    app = show()
    app.selectbox(key="preset").set_value("transfer").run()
    sources = find(app, "radio", "Initial weights")
    assert sources.options == ["ImageNet", "random initialisation", "file"]
    sources.set_value("file").run()
    assert "Found no path of a weights file" in html(app)
    find(app, "text_input", "Path of the weights file").set_value("/w.h5").run()
    assert "Initial weights\\: \\/w\\.h5 instead of ImageNet" in captions(app)
    monkeypatch.setattr("dashboard.training.recipe.is_local", lambda: False)
    options = find(show(), "radio", "Initial weights").options
    assert options == ["ImageNet", "random initialisation"]


# The runs.


def test_without_runs_the_page_says_what_to_do(show):
    app = show()
    assert "There are no runs yet." in html(app)
    app.session_state["training-view"] = "Compare"
    assert "No run matches." in html(app.run())
    app.session_state["training-view"] = "Study"
    assert "There are no studies yet." in captions(app.run())


@pytest.mark.slow
def test_a_launched_run_is_queued_selected_stopped_and_deleted(show, settings):
    queue = open_queue(settings)
    with ExitStack() as stack:
        queue.draw("another")
        assert queue.begin(stack.enter_context(queue.take("another")), 1)
        app = show()
        find(app, "text_input", "Name of the run").set_value("mine").run()
        assert find(app, "button", "Launch").disabled  # the lesions are drawn
        find(app, "checkbox", "Train on drawn lesions").check().run()
        app = click(app, "Launch")
        (run,) = control.list_runs(settings)
        assert (run.name, run.state) == ("mine", RunState.QUEUED)
        assert run.spec.recipe == PRESETS["baseline"]
        assert app.query_params["run"] == run.run_id
        assert "Queued, next" in html(app)
        app = click(app, "Stop")
        assert "Stopped" in html(app)
        wait_for_children(run.run_id)
    app = click(app, "Delete this run")
    assert control.list_runs(settings) == []
    assert "There are no runs yet." in html(app)


def test_a_running_run_shows_its_progress(show, write_run):
    with write_run.keep_running():
        app = show()
    page = html(app)
    assert '<p class="verdict">Running</p>' in page
    assert "<dt>Time left</dt><dd>about 3 minutes</dd>" in page
    assert "<dt>Images per second</dt><dd>83.2</dd>" in page
    assert "<dt>Memory</dt><dd>1.3 GB</dd>" in page
    assert [bar.proto.text for bar in app.get("progress")] == [
        "Epoch 8 of 20",
        "Training the network: batch 5 of 20",
    ]
    assert "Stop" in list_buttons(app)
    assert "Still learning: both losses fall" in page
    assert len(app.get("plotly_chart")) == 8
    assert "Undefined for lack of such images: Melanoma ROC AUC." in captions(app)


def test_a_run_in_its_first_epoch_shows_the_loss_of_its_batches(show, write_run):
    app = show(run_id=write_run(RunState.STOPPED, num_epochs=0))
    assert len(app.get("plotly_chart")) == 1
    assert 'class="fit"' not in html(app)


def test_a_finished_run_shows_its_metrics_and_model(show, write_run):
    model_id = load_card(BUNDLED).model_id
    page = html(show(run_id=write_run(model_id=model_id)))
    assert f"Kept as the model <strong>{model_id}</strong>" in page
    assert "<dt>Accuracy</dt><dd>100.0% " in page
    assert "On 18 held-out test images" in page


def test_the_page_says_why_a_network_was_not_kept(show, write_run):
    page = html(show(run_id=write_run(not_kept="It leaks.", preset="leaky")))
    assert "Not kept as a model. It leaks." in page
    assert "Its published metrics are inflated" in page


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.STOPPED, RunState.INTERRUPTED])
def test_a_run_that_ended_early_shows_the_cause_and_can_be_resumed(show, write_run, state):
    app = show(run_id=write_run(state, message="The disk is full. Free some space."))
    assert f"{state.capitalize()}</p><p>The disk is full. Free some space.</p>" in html(app)
    assert "Resume" in list_buttons(app)


def test_a_run_that_died_in_the_queue_is_shown_as_interrupted(show, write_run):
    app = show(run_id=write_run(RunState.QUEUED))
    assert "Its process ended without an error message" in html(app)
    assert "Resume" in list_buttons(app)


def test_the_run_in_the_address_is_selected_unless_it_no_longer_exists(show, write_run):
    first, _ = write_run(name="first"), write_run(name="second")
    assert [each.value for each in show(run_id=first).main.header] == ["first"]
    assert [each.value for each in show().main.header] == ["second"]
    assert "This run no longer exists" in html(show(run_id="gone"))


def test_a_hostile_name_is_shown_as_text(show, write_run):
    name = "<img src=x> **b**"
    app = show(run_id=write_run(name=name, num_epochs=1))
    assert "<img" not in html(app)
    assert any(r"\*\*b\*\*" in label for label in list_buttons(app))


def test_many_runs_are_paged(show, write_run):
    for number in range(10):
        write_run(name=f"run {number}", num_epochs=0)
    names = [label.partition("  \n")[0] for label in list_buttons(show())]
    assert [name for name in names if name.startswith("run")] == [
        f"run {number}" for number in range(9, 1, -1)
    ]


def test_an_unreadable_tracking_store_is_an_error_on_the_page(show, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "file" / "runs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/nowhere/mlflow.db")
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / "mlflow.db").write_text("")
    assert 'class="error"' in html(show())


# The comparison.


def test_the_table_of_runs_has_metrics_and_intervals(show, write_run):
    write_run(name="good")
    write_run(RunState.FAILED, name="bad", preset="transfer")
    table = show("Compare").dataframe[0].value
    assert list(table["Run"]) == ["bad", "good"]
    assert list(table.columns)[:5] == [
        "Run",
        "State",
        "Melanoma sensitivity",
        "Melanoma specificity",
        "Melanoma ROC AUC",
    ]
    assert table["Melanoma ROC AUC"].fillna("").to_list()[1].strip() == "1.000 (0.158–1.000)"
    assert list(table["State"]) == ["✕ failed", "✓ finished"]
    assert table["Accuracy"].fillna("").str.partition(" (")[0].to_list() == ["", "100.0%"]
    assert table["Test images"].to_list()[1] == 18


def test_runs_can_be_filtered(show, write_run):
    write_run(name="good")
    write_run(RunState.FAILED, name="bad")
    app = show("Compare")
    app.multiselect(key="compare-State").set_value(["failed"]).run()
    assert list(app.dataframe[0].value["Run"]) == ["bad"]


def test_the_compared_runs_and_their_duration(show, write_run):
    model_id = load_card(BUNDLED).model_id
    write_run(name="good", model_id=model_id, started_at="2026-11-20T12:04:00.000+00:00")
    table = show("Compare").dataframe[0].value
    figure = load_card(BUNDLED).metrics["test"]["sensitivity"]
    assert table["Melanoma sensitivity"][0].strip().startswith(f"{figure.value:.1%} (")
    assert table["Duration"].to_list() == ["1 hour 30 minutes"]


COMPARE = """
from dashboard.training.comparison import compare_runs
from dashboard.training.cached_runs import get_runs
from melanoma_core.settings import load_settings
compare_runs(get_runs(load_settings()))
"""


def test_selected_runs_are_compared_on_the_same_test_images(write_run):
    write_run(name="one")
    write_run(name="two", preset="augmented")
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert not app.exception
    differing, figures = (frame.value for frame in app.dataframe)
    assert differing["Field"].to_list() == [
        "Dropout rate",
        "Mirroring",
        "Rotation, max. °",
        "Zoom, max.",
        "Shift, max.",
    ]
    assert differing["two"].to_list() == ["0.2", "on", "36", "0.1", "0.05"]
    assert figures["Run"].to_list() == ["two", "one"]
    assert len(app.get("plotly_chart")) == 3
    assert "The melanoma ROC AUC of one is 0.000 higher than that of two" in html(app)
    assert "The melanoma recall (top-1) of one is 0.0 percentage points higher" in html(app)


def test_metrics_on_different_test_images_are_not_compared(write_run):
    write_run(name="one")
    write_run(name="two", test_sha256="another")
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert "evaluated on different test images" in html(app)
    assert len(app.get("plotly_chart")) == 1


def test_unfinished_runs_are_compared_by_their_curves(write_run):
    write_run(RunState.STOPPED, name="one")
    write_run(RunState.FAILED, name="two", num_epochs=0)
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert not app.exception
    assert "Without test metrics, not finished: two\\, one." in captions(app)


def test_two_runs_of_one_name_get_the_start_of_their_ids(write_run):
    ids = [write_run(RunState.STOPPED, name="same") for _ in range(2)]
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert f"same \\({ids[1][:6]}\\)\\, same \\({ids[0][:6]}\\)" in captions(app)


# The study.


def test_the_study_tab_shows_recipes_metrics_and_errors(show, write_run):
    write_run(preset="baseline", study="s-1")
    write_run(preset="leaky", study="s-1")
    write_run(RunState.FAILED, preset="augmented", study="s-1", message="The disk is full.")
    app = show("Study")
    assert "augmented failed. The disk is full." in html(app)
    assert "2 of 3 recipes have finished." in html(app)
    assert app.dataframe[0].value["Recipe"].to_list() == ["baseline", "augmented", "leaky*"]
    assert len(app.get("plotly_chart")) == 1


def test_a_study_without_a_finding_shows_its_metrics(show, write_run):
    write_run(preset="baseline", study="s-1")  # nothing was held out image by image
    app = show("Study")
    assert app.dataframe[0].value["Recipe"].to_list() == ["baseline"]
    assert app.query_params.get("tab") in ("Study", ["Study"])


@pytest.mark.slow
def test_a_study_is_launched_on_the_chosen_folder(show, settings):
    queue = open_queue(settings)
    with ExitStack() as stack:
        queue.draw("another")
        assert queue.begin(stack.enter_context(queue.take("another")), 1)
        app = show("Study")
        assert "This trains 10 runs of" in html(app)
        assert find(app, "button", "Train these presets").disabled  # the lesions are drawn
        app.checkbox(key="drawn-study").check().run()
        app.multiselect(key="study-recipes").set_value(["baseline", "augmented"]).run()
        click(app, "Train these presets")
        found = control.list_runs(settings)
        assert sorted(run.spec.recipe.name for run in found) == ["augmented", "baseline"]
        assert len({run.spec.study for run in found}) == 1
        for run in found:
            control.stop_run(settings, run.run_id)
        for run in found:
            wait_for_children(run.run_id)


def test_the_page_imports_nothing_heavy_before_it_is_painted():
    modules = ["comparison", "launch", "recipe", "runs", "study"]
    imports = ", ".join(f"dashboard.training.{module}" for module in modules)
    heavy = {"pandas", "sklearn", "scipy", "mlflow", "sqlalchemy", "tensorflow", "keras"}
    code = f"import sys, {imports}; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"

import json
import math
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.training.fields import RECIPE_FIELDS, Group, describe_changes, read_chosen
from dashboard.training.markup import (
    describe_duration,
    describe_epochs,
    describe_memory,
    describe_steps,
    render_conclusion,
    render_leads,
)
from dashboard.training.titles import PRESET_TITLES
from melanoma_core.data.cache import FactCache
from melanoma_core.data.catalogue import open_demonstration
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import split_dataset
from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.runs import control
from melanoma_core.runs.folder import find_folder, hash_test
from melanoma_core.runs.queue import Queue, open_queue
from melanoma_core.runs.record import Measurement, open_record
from melanoma_core.runs.run import Progress, Run, RunSpec, RunState
from melanoma_core.runs.study import LOOKS, STUDY_RECIPES, Study, StudyRow
from melanoma_core.settings import PROJECT_ROOT, load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.observer import Phase
from melanoma_core.training.predictions import (
    select_held_out,
    tabulate_predictions,
    write_predictions,
)
from melanoma_core.training.recipe import PRESETS, Recipe

NAMES = tuple(str(label) for label in Diagnosis)
TIME = "2026-11-20T13:34:00.000+00:00"


@pytest.fixture(autouse=True)
def settings(tmp_path, tmp_path_factory, monkeypatch):
    """Runs in a folder of the test; the cache outlives it, so that lesions are drawn once."""
    cache = tmp_path_factory.getbasetemp() / "training-page-cache"
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    for name in ("MELANOMA_DATA_DIR", "MLFLOW_TRACKING_URI", "MELANOMA_MAX_RUNS"):
        monkeypatch.delenv(name, raising=False)
    return load_settings()


@pytest.fixture
def show(open_dashboard):
    """Open a tab of the Training page, following a run where one is named."""

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
def split(settings):
    opened = open_folder(open_demonstration(settings), FactCache(settings.cache_dir))
    return split_dataset(merge_records(opened.records).table, 0)


@pytest.fixture
def write_run(settings, split, empty_store):
    """Write a run that is over, or waits, into the record, as its process would."""
    settings.runs_dir.mkdir()
    shutil.copy(empty_store, settings.runs_dir)

    def write(
        state=RunState.FINISHED, preset="baseline", name=None, num_epochs=7, study=None, **tags
    ) -> str:
        record = open_record(settings)
        spec = RunSpec(PRESETS[preset], NAMES, "drawn lesions", {}, study)
        run_id = record.create(
            name or f"{preset} 1",
            {key: str(value) for key, value in asdict(spec.recipe).items()},
            {
                "state": state,
                "class_names": json.dumps(NAMES),
                "data_name": spec.data_name,
                "study": study or "",
                "split_sha256": split.sha256,
                "test_sha256": hash_test(split),
                "ended_at": TIME,
                **tags,
            },
        )
        folder = find_folder(settings, run_id)
        folder.write(spec, split)
        folder.log.write_text("2026-11-20 13:30:00 Waiting for its turn\n", "utf-8")
        for epoch in range(1, num_epochs + 1):
            record.log(run_id, measure_epoch(epoch), {})
        if state is RunState.FINISHED:
            rows = select_held_out(split.table)
            likely = np.array(
                [[0.9 if label == name else 0.01 for name in NAMES] for label in rows["label"]]
            )
            write_predictions(tabulate_predictions(rows, likely, NAMES), folder.predictions)
        if state.is_over:
            record.set_state(run_id, state, {})
        return run_id

    return write


def measure_epoch(epoch: int) -> list[Measurement]:
    values = {"learning_rate": 1e-3}
    for subset, loss in (("train", 2 / epoch), ("validation", 2.1 / epoch)):
        shares = ("accuracy", "balanced_accuracy", "melanoma_sensitivity", "melanoma_specificity")
        values |= {f"{subset}/loss": loss} | {f"{subset}/{name}": 0.5 for name in shares}
        values |= {f"{subset}/roc_auc": math.nan} | {f"{subset}/recall/{n}": 0.5 for n in NAMES}
    return [Measurement(name, epoch, value, epoch) for name, value in values.items()]


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


def wait_until_gone(queue: Queue, run_id: str) -> None:
    """Wait until the process of a run that was stopped in the queue has ended."""
    while any(ticket.run_id == run_id for ticket in queue.list_tickets()):
        time.sleep(0.1)


def list_buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


# The recipe.


def test_every_field_of_a_recipe_can_be_set_and_is_explained():
    assert set(RECIPE_FIELDS) == {field.name for field in fields(Recipe)} - {"name"}
    assert {field.group for field in RECIPE_FIELDS.values()} == set(Group)
    assert all(field.label and field.told.endswith(".") for field in RECIPE_FIELDS.values())


def test_every_preset_is_told_in_a_sentence_and_lies_within_the_limits():
    assert list(PRESET_TITLES) == list(PRESETS)
    for recipe in PRESETS.values():
        for name, value in read_chosen(recipe).items():
            field = RECIPE_FIELDS[name]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                assert field.least <= value <= (field.most or math.inf), name


def test_a_preset_that_leaks_is_marked_as_a_warning_in_words():
    assert [name for name, told in PRESET_TITLES.items() if told.startswith("Warning")] == ["leaky"]


def test_what_was_changed_is_said_in_words():
    preset = PRESETS["baseline"]
    assert describe_changes(read_chosen(preset), preset) == ""
    changed = replace(preset, epochs=7, mirror=True, weights="imagenet")
    assert describe_changes(read_chosen(changed), preset) == (
        "It starts from: ImageNet instead of at random; Epochs of the whole network: 7 instead of "
        "20; Mirror: on instead of off"
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_shown_as_it_is(show, preset):
    app = show()
    app.selectbox(key="preset").set_value(preset).run()
    assert not app.exception
    assert f"As the preset {preset} has it." in captions(app)
    assert ("Warning: a mistake" in html(app)) == (preset == "leaky")


def test_a_changed_field_is_told_and_undone_with_one_button(show):
    app = show()
    find(app, "number_input", "Epochs of the whole network").set_value(3).run()
    assert "Epochs of the whole network\\: 3 instead of 20" in captions(app)
    app = click(app, "Back to the preset")
    assert find(app, "number_input", "Epochs of the whole network").value == 20
    assert "As the preset baseline has it." in captions(app)


def test_a_field_that_changes_nothing_is_disabled(show):
    app = show()
    for label in ("Epochs of the head alone", "Focal loss, gamma", "Images per class"):
        assert find(app, "number_input", label).disabled, label
    assert not find(app, "toggle", "Batch normalisation").disabled
    find(app, "selectbox", "Loss").set_value("focal").run()
    assert not find(app, "number_input", "Focal loss, gamma").disabled
    app.selectbox(key="preset").set_value("transfer").run()
    assert find(app, "toggle", "Batch normalisation").disabled
    assert not find(app, "number_input", "Epochs of the head alone").disabled


def test_a_recipe_that_asks_for_the_impossible_says_so_and_cannot_be_launched(show):
    app = show()
    app.selectbox(key="preset").set_value("leaky").run()
    share = find(app, "number_input", "Held out as published projects do, share")
    share.set_value(0.0).run()
    assert not app.exception
    assert "It must be above 0 to leak into" in html(app)
    assert find(app, "button", "Launch").disabled


def test_a_file_of_weights_can_be_named_on_ones_own_machine_alone(show, monkeypatch):
    app = show()
    app.selectbox(key="preset").set_value("transfer").run()
    starts = find(app, "radio", "It starts from")
    assert starts.options == ["ImageNet", "at random", "a file"]
    starts.set_value("file").run()
    assert "Found no file of weights to start from" in html(app)
    find(app, "text_input", "Path of the file of weights").set_value("/w.h5").run()
    assert "It starts from\\: \\/w\\.h5 instead of ImageNet" in captions(app)
    monkeypatch.setattr("dashboard.training.recipe.is_local", lambda: False)
    assert find(show(), "radio", "It starts from").options == ["ImageNet", "at random"]


# The runs.


def test_where_nothing_was_trained_the_page_says_what_to_do(show):
    app = show()
    assert "Nothing was trained here yet" in html(app)
    assert "There is no such run" in html(show("Compare"))
    assert "No study was launched here yet." in captions(show("Study"))


def test_a_launched_run_waits_is_followed_and_stopped_and_deleted(show, settings):
    queue = open_queue(settings)
    with ExitStack() as stack:
        queue.draw("another")
        assert queue.begin(stack.enter_context(queue.take("another")), 1)
        app = show()
        find(app, "text_input", "Name of the run").set_value("mine").run()
        app = click(app, "Launch")
        (run,) = control.list_runs(settings)
        assert (run.name, run.state) == ("mine", RunState.QUEUED)
        assert run.spec.recipe == PRESETS["baseline"]
        assert app.query_params["run"] == run.run_id
        assert "Queued, next" in html(app)
        app = click(app, "Stop")
        assert "Stopped" in html(app)
        wait_until_gone(queue, run.run_id)
    app = click(app, "Delete this run")
    assert control.list_runs(settings) == []
    assert "Nothing was trained here yet" in html(app)


def test_a_running_run_shows_where_it_stands(show, settings, write_run):
    queue, record = open_queue(settings), open_record(settings)
    run_id = write_run(RunState.QUEUED)
    progress = Progress(Phase.NETWORK, 5, 20, 8, 20, 1.25, 83.2, 200.0, 1_320_000_000)
    told = {"progress": json.dumps(asdict(progress)), "started_at": TIME}
    with ExitStack() as stack:
        queue.draw(run_id)
        assert queue.begin(stack.enter_context(queue.take(run_id)), 1)
        record.set_state(run_id, RunState.RUNNING, told)
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
    assert len(app.get("plotly_chart")) == 9


def test_a_finished_run_shows_its_figures_and_leads_to_its_card(show, write_run):
    model_id = load_card(BUNDLED).model_id
    page = html(show(run_id=write_run(model_id=model_id)))
    assert f"Kept as the model <strong>{model_id}</strong>" in page
    assert "<dt>Accuracy</dt><dd>100.0% " in page
    assert "On 18 test photographs" in page


def test_why_a_network_was_not_kept_is_said(show, write_run):
    page = html(show(run_id=write_run(not_kept="It leaks.", preset="leaky")))
    assert "Not kept as a model. It leaks." in page
    assert "too good to be true" in page


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.STOPPED, RunState.INTERRUPTED])
def test_a_run_that_ended_too_soon_says_what_happened_and_can_be_resumed(show, write_run, state):
    app = show(run_id=write_run(state, message="The disk is full. Free some space."))
    assert f"{state.capitalize()}</p><p>The disk is full. Free some space.</p>" in html(app)
    assert "Resume" in list_buttons(app)


def test_a_run_that_died_in_the_queue_is_shown_as_interrupted(show, write_run):
    app = show(run_id=write_run(RunState.QUEUED))
    assert "Its process ended without a word" in html(app)
    assert "Resume" in list_buttons(app)


def test_the_run_in_the_address_is_followed_and_one_that_is_gone_said_to_be(show, write_run):
    first, _ = write_run(name="first"), write_run(name="second")
    assert [each.value for each in show(run_id=first).main.subheader] == ["first"]
    assert [each.value for each in show().main.subheader] == ["second"]
    assert "There is no such run any more" in html(show(run_id="gone"))


def test_a_hostile_name_is_shown_as_text(show, write_run):
    name = "<img src=x> **b**"
    app = show(run_id=write_run(name=name, num_epochs=1))
    assert "<img" not in html(app)
    assert any(r"\*\*b\*\*" in label for label in list_buttons(app))


def test_many_runs_are_shown_in_pages(show, write_run):
    for number in range(10):
        write_run(name=f"run {number}", num_epochs=0)
    names = [label.partition("  \n")[0] for label in list_buttons(show())]
    assert [name for name in names if name.startswith("run")] == [
        f"run {number}" for number in range(9, 1, -1)
    ]


def test_a_record_that_cannot_be_opened_is_one_sentence_on_the_page(show, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "file" / "runs"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/nowhere/mlflow.db")
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / "mlflow.db").write_text("")
    assert 'class="error"' in html(show())


# The comparison.


def test_all_runs_stand_in_a_table_with_figures_and_intervals(show, write_run):
    write_run(name="good")
    write_run(RunState.FAILED, name="bad", preset="transfer")
    table = show("Compare").dataframe[0].value
    assert list(table["Run"]) == ["bad", "good"]
    assert list(table["State"]) == ["✕ failed", "✓ finished"]
    assert table["Accuracy"].fillna("").str.partition(" (")[0].to_list() == ["", "100.0%"]
    assert table["Test photographs"].to_list()[1] == 18


def test_runs_can_be_filtered(show, write_run):
    write_run(name="good")
    write_run(RunState.FAILED, name="bad")
    app = show("Compare")
    app.multiselect(key="compare-State").set_value(["failed"]).run()
    assert list(app.dataframe[0].value["Run"]) == ["bad"]


COMPARE = """
from dashboard.training.comparison import compare_runs
from dashboard.training.cached import get_runs
compare_runs(get_runs())
"""


def test_chosen_runs_are_compared_on_the_same_test_photographs(write_run):
    write_run(name="one")
    write_run(name="two", preset="augmented")
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert not app.exception
    differing, figures = (frame.value for frame in app.dataframe)
    assert differing["Field"].to_list() == [
        "Dropout, share",
        "Mirror",
        "Rotate, up to °",
        "Zoom, up to",
        "Shift, up to",
    ]
    assert differing["two"].to_list() == ["0.2", "on", "36", "0.1", "0.05"]
    assert figures["Run"].to_list() == ["two", "one"]
    assert len(app.get("plotly_chart")) == 3
    assert "one is 0.0 points of accuracy ahead of two on the same 18 photographs" in html(app)


def test_figures_of_other_test_photographs_are_not_compared(write_run):
    write_run(name="one")
    write_run(name="two", test_sha256="another")
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert "not measured on the same test images" in html(app)
    assert len(app.get("plotly_chart")) == 1


def test_runs_that_are_not_finished_are_compared_by_their_curves_alone(write_run):
    write_run(RunState.STOPPED, name="one")
    write_run(RunState.FAILED, name="two", num_epochs=0)
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert not app.exception
    assert "Not finished, and so not measured: two\\, one." in captions(app)


def test_two_runs_of_one_name_are_told_apart(write_run):
    ids = [write_run(RunState.STOPPED, name="same") for _ in range(2)]
    app = AppTest.from_string(COMPARE, default_timeout=60).run()
    assert f"same \\({ids[1][:6]}\\)\\, same \\({ids[0][:6]}\\)" in captions(app)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.07, "(95% interval of the difference +1.0 to +7.0): more than chance."),
        (-0.01, 0.07, "(95% interval of the difference -1.0 to +7.0): chance may explain it."),
        (math.nan, math.nan, "on the same 18 photographs."),
    ],
)
def test_a_lead_is_told_with_its_interval_and_a_verdict(low, high, verdict):
    told = render_leads({"b": Figure(0.031, low, high, None, 18, 9)}, "a")
    assert told.startswith("<p>b is 3.1 points of accuracy ahead of a")
    assert told.endswith(f"{verdict}</p>")


# The study.


def make_study(**rows) -> Study:
    """A study of recipes with the accuracies of each look: value, low, high."""
    made = []
    for name, looks in rows.items():
        spec = RunSpec(PRESETS[name], NAMES, "isic9", {}, "s")
        state = RunState.FINISHED if looks else RunState.FAILED
        run = Run(
            name,
            name,
            state,
            "" if looks else "The disk is full.",
            spec,
            "",
            "",
            TIME,
            TIME,
            TIME,
            None,
            None,
            None,
            "",
            True,
            False,
            False,
        )
        figures = {
            look: {"accuracy": Figure(*each, round(100 * each[0]), 100, 90)}
            for look, each in zip(LOOKS, looks, strict=False)
        }
        made.append(StudyRow(run, figures))
    return Study("s", "isic9", tuple(made))


def test_a_study_concludes_that_leakage_flatters_where_the_intervals_do_not_touch():
    told = render_conclusion(
        make_study(
            baseline=[(0.6, 0.5, 0.7), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6), (0.4, 0.3, 0.5)],
            leaky=[(0.9, 0.85, 0.95), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6), (0.45, 0.35, 0.55)],
        )
    )
    assert "leaky has an accuracy of 90.0%" in told
    assert (
        "55.0%. The two intervals do not touch: chance does not explain these 35.0 points" in told
    )
    assert "reads the most" not in told  # of one recipe that is no warning


def test_a_study_claims_nothing_where_the_intervals_overlap():
    looks = [(0.6, 0.5, 0.7), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6)]
    told = render_conclusion(
        make_study(baseline=[*looks, (0.4, 0.3, 0.5)], augmented=[*looks, (0.6, 0.45, 0.7)])
    )
    assert "chance may explain the difference" in told
    assert "augmented reads the most Test photographs right: 60 of 100" in told
    assert "Its interval overlaps that of baseline" in told


def test_a_study_says_how_many_recipes_have_finished():
    assert render_conclusion(make_study(baseline=[], augmented=[])) == (
        "<p>0 of 2 recipes have finished.</p>"
    )


def test_the_study_tab_shows_recipes_figures_and_reasons(show, write_run):
    write_run(preset="baseline", study="s-1")
    write_run(preset="leaky", study="s-1")
    write_run(RunState.FAILED, preset="augmented", study="s-1", message="The disk is full.")
    app = show("Study")
    assert "augmented failed. The disk is full." in html(app)
    assert "2 of 3 recipes have finished." in html(app)
    assert app.dataframe[0].value["Recipe"].to_list() == ["baseline", "augmented", "leaky*"]
    assert len(app.get("plotly_chart")) == 1


def test_a_study_is_launched_on_the_chosen_folder(show, settings):
    queue = open_queue(settings)
    with ExitStack() as stack:
        queue.draw("another")
        assert queue.begin(stack.enter_context(queue.take("another")), 1)
        click(show("Study"), "Train every preset on one split")
        found = control.list_runs(settings)
        assert sorted(run.spec.recipe.name for run in found) == sorted(STUDY_RECIPES)
        assert len({run.spec.study for run in found}) == 1
        for run in found:
            control.stop_run(settings, run.run_id)
        for run in found:
            wait_until_gone(queue, run.run_id)


# In words.


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (math.nan, "not known yet"),
        (0, "about 5 seconds"),
        (41, "about 45 seconds"),
        (70, "about 1 minute"),
        (719, "about 12 minutes"),
        (3600, "about 1 hour"),
        (7990, "about 2 hours 15 minutes"),
    ],
)
def test_a_time_is_told_as_exactly_as_an_estimate_is(seconds, told):
    assert describe_duration(seconds) == told


def test_memory_is_told_in_gigabytes_and_unknown_as_unknown():
    assert describe_memory(1_420_000_000) == "1.4 GB"
    assert describe_memory(0) == "not known yet"


def test_epochs_and_steps_are_told_in_each_phase():
    unknown = Progress(Phase.STARTING, 0, 0, 0, 0, *[math.nan] * 3, 0)
    assert describe_epochs(unknown) == (0.0, "0 of 1 epochs are done")
    assert describe_steps(unknown) == (0.0, "Starting")
    decoding = replace(unknown, phase=Phase.DECODING, done=1200, total=2400, num_epochs=20)
    assert describe_steps(decoding) == (0.5, "Decoding photographs: 1,200 of 2,400")
    assert describe_epochs(decoding) == (0.0, "0 of 20 epochs are done")
    training = replace(decoding, phase=Phase.NETWORK, epoch=11, done=40, total=80)
    assert describe_epochs(training) == (pytest.approx(0.525), "Epoch 11 of 20")
    assert describe_steps(training) == (0.5, "Training the network: batch 40 of 80")
    assert describe_epochs(replace(training, phase=Phase.MEASURING)) == (0.55, "Epoch 11 of 20")
    assert describe_epochs(replace(training, phase=Phase.RELEASING, epoch=20)) == (
        1.0,
        "20 of 20 epochs are done",
    )


def test_the_page_imports_nothing_heavy_before_it_is_painted():
    modules = ["launch", "recipe_form", "run_comparison", "run_results", "runs", "study"]
    imports = ", ".join(f"dashboard.{module}" for module in modules)
    heavy = {"pandas", "sklearn", "scipy", "mlflow", "sqlalchemy", "tensorflow", "keras"}
    code = f"import sys, {imports}; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"

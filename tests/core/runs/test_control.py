"""Runs in real processes on drawn lesions: one is killed, one waits, one is stopped."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from melanoma_core.errors import RecipeError, RunError
from melanoma_core.models.card import load_card
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.predictions import list_classes
from melanoma_core.runs import control
from melanoma_core.runs.queue import open_queue
from melanoma_core.runs.run import Run, RunState
from melanoma_core.settings import Settings
from melanoma_core.training.observer import Phase
from tests.held_runs import Hold

pytestmark = pytest.mark.tensorflow

EPOCHS = 4


@dataclass(frozen=True)
class Story:
    """Three runs launched at once, of which one trains at a time."""

    settings: Settings
    begun: Run  # the first, after its second epoch
    waiting: Run  # the second, at that time
    stopped: Run  # the third, just after it was asked to stop
    killed: Run  # the first, after kill -9
    resumed: Run  # the first, at its end
    kept_curves: pd.DataFrame  # of the first, when it was killed
    finished: Run  # the second, when it was over
    workers: tuple[psutil.Process, ...]  # of the first, of the second, of the first resumed


@pytest.fixture(scope="module")
def story(
    house: Settings,
    make_task,
    wait_until: Callable[..., Run],
    find_worker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Story:
    with pytest.MonkeyPatch.context() as patch:
        hold = Hold(tmp_path_factory.mktemp("hold"), 2)
        for name, value in hold.environment.items():
            patch.setenv(name, value)
        first = control.launch(house, *make_task("baseline", f"epochs={EPOCHS}"))
    second = control.launch(house, *make_task("leaky", "epochs=1", "images_per_class=8"))
    third = control.launch(house, *make_task("baseline", "epochs=1"), name="mine")
    wait_until(house, first, lambda _: has_epochs(house, first, 2))
    begun, waiting = control.load_run(house, first), control.load_run(house, second)
    control.stop_run(house, third)
    stopped = control.load_run(house, third)

    workers = [find_worker(house, first), find_worker(house, second)]
    workers[0].kill()
    killed = wait_until(house, first, lambda run: run.state.is_over)
    kept_curves = control.read_curves(house, first)
    control.resume_run(replace(house, max_runs=2), first)  # beside the second, which has begun
    workers.append(find_worker(house, first))
    finished = wait_until(house, second, lambda run: run.state.is_over)
    resumed = wait_until(house, first, lambda run: run.state.is_over)
    return Story(
        house, begun, waiting, stopped, killed, resumed, kept_curves, finished, tuple(workers)
    )


def has_epochs(settings: Settings, run_id: str, number: int) -> bool:
    curves = control.read_curves(settings, run_id)
    return bool((curves["metric"] == "learning_rate").sum() >= number)


def select(curves: pd.DataFrame, subset: str, metric: str) -> pd.DataFrame:
    return curves[(curves["subset"] == subset) & (curves["metric"] == metric)]


def test_listing_an_empty_folder_creates_no_file(house: Settings, tmp_path: Path):
    empty = replace(
        house, runs_dir=tmp_path / "runs", tracking_uri=f"sqlite:///{tmp_path / 'runs' / 'a.db'}"
    )

    assert control.list_runs(empty) == []
    assert list(tmp_path.iterdir()) == []


def test_a_training_run_reports_its_progress(story: Story):
    run = story.begun

    assert (run.state, run.message, run.queue_position) == (RunState.RUNNING, "", None)
    assert re.fullmatch(r"baseline \d+", run.name)  # other tests launch here too
    assert run.is_own
    assert run.progress is not None
    assert run.progress.phase in {Phase.NETWORK, Phase.MEASURING}
    assert run.progress.num_epochs == EPOCHS
    assert run.progress.memory_bytes > 100 * 2**20
    assert run.started_at is not None
    assert run.ended_at is None


def test_a_second_run_waits_for_the_first(story: Story):
    run = story.waiting

    assert (run.state, run.queue_position, run.progress) == (RunState.QUEUED, 1, None)
    assert run.started_at is None


def test_a_waiting_run_is_stopped_at_once(story: Story):
    run = story.stopped

    assert (run.name, run.state, run.is_stopping) == ("mine", RunState.STOPPED, False)
    assert run.message == "Stopped before its turn came."


def test_a_killed_run_is_interrupted_with_possible_causes(story: Story):
    run = story.killed

    assert run.state is RunState.INTERRUPTED
    assert "it was killed, memory ran out, or the machine was restarted" in run.message
    (epochs,) = select(story.kept_curves, "", "learning_rate")["epoch"].agg(["max"])
    assert run.message.endswith(f"Resume continues from epoch {epochs + 1:.0f}.")
    assert run.ended_at is not None


def test_the_run_behind_a_killed_one_is_untouched_and_finishes(story: Story):
    run = story.finished

    assert (run.state, run.message) == (RunState.FINISHED, "")
    assert run.model_id is None
    assert "never becomes a model" in run.not_kept
    assert run.queue_position is run.progress is None


def test_a_killed_and_resumed_run_produces_a_model(story: Story):
    run = story.resumed

    assert (run.state, run.message, run.not_kept) == (RunState.FINISHED, "", "")
    assert run.run_id == story.killed.run_id
    assert run.model_id is not None
    card = load_card(story.settings.models_dir / run.model_id)
    assert card.recipe["epochs"] == EPOCHS
    assert card.data["sha256"] == run.split_sha256


def test_the_evidence_pack_holds_every_epoch_of_the_run(story: Story):
    evidence = read_evidence(story.settings.models_dir / str(story.resumed.model_id))

    assert evidence is not None
    assert evidence.training is not None
    assert evidence.training.run_id == story.resumed.run_id
    assert evidence.training.started_at == story.resumed.started_at
    losses = [row for row in evidence.training.curves if row["metric"] == "loss"]
    epochs = [row["epoch"] for row in losses if row["subset"] == "validation"]
    assert epochs == list(range(1, EPOCHS + 1))


def test_curves_continue_through_an_interruption_with_each_epoch_once(story: Story):
    curves = control.read_curves(story.settings, story.resumed.run_id)

    whole = list(range(1, EPOCHS + 1))
    for subset, metric in (("train", "loss"), ("validation", "recall/MEL"), ("", "learning_rate")):
        assert select(curves, subset, metric)["epoch"].tolist() == whole
    before = select(story.kept_curves, "validation", "loss")
    after = select(curves, "validation", "loss")
    assert after["value"].tolist()[: len(before)] == before["value"].tolist()
    within = select(curves, "batch", "loss")["epoch"]
    assert within.is_monotonic_increasing
    assert within.is_unique
    assert within.between(0, EPOCHS).all()


def test_a_finished_run_has_predictions_for_every_held_out_image(story: Story):
    predictions = control.read_predictions(story.settings, story.resumed.run_id)

    assert predictions["subset"].value_counts().to_dict() == {"test": 18, "validation": 7}
    assert list_classes(predictions) == story.resumed.spec.class_names
    leaky = control.read_predictions(story.settings, story.finished.run_id)
    assert "published" in set(leaky["subset"])


def test_missing_predictions_are_an_error(story: Story):
    with pytest.raises(RunError, match=r"Found no predictions\.csv"):
        control.read_predictions(story.settings, story.stopped.run_id)


def test_the_log_ends_with_the_outcome(story: Story):
    lines = control.read_log(story.settings, story.resumed.run_id, 3)

    assert len(lines) == 3
    assert "The run is finished." in lines[-1]
    assert control.read_log(story.settings, "no-such-run", 3) == []


def test_the_newest_run_comes_first_and_names_count_up(story: Story):
    names = [run.name for run in control.list_runs(story.settings)]

    assert names.index("mine") < names.index(story.waiting.name) < names.index(story.begun.name)


def test_runs_on_the_same_test_images_have_equal_hashes(story: Story):
    listed = {run.run_id: run for run in control.list_runs(story.settings)}

    one, other = listed[story.resumed.run_id], listed[story.finished.run_id]
    assert one.test_sha256 == other.test_sha256
    assert one.split_sha256 == other.split_sha256


def test_a_run_whose_folder_is_gone_is_listed_with_its_recipe_and_cannot_be_resumed(
    story: Story,
):
    settings, run_id = story.settings, story.stopped.run_id
    folder = settings.runs_dir / run_id
    away = folder.rename(settings.runs_dir / "away")
    try:
        run = control.load_run(settings, run_id)

        assert not run.is_own
        assert run.spec.recipe == story.stopped.spec.recipe
        assert run.spec.class_names == story.stopped.spec.class_names
        with pytest.raises(RunError, match="are not in"):
            control.resume_run(settings, run_id)
    finally:
        away.rename(folder)


def test_a_finished_run_cannot_be_resumed_and_stopping_it_changes_nothing(story: Story):
    run_id = story.finished.run_id

    control.stop_run(story.settings, run_id)
    with pytest.raises(RunError, match='Run "leaky 1" is finished'):
        control.resume_run(story.settings, run_id)

    assert control.load_run(story.settings, run_id) == story.finished


def test_runs_are_found_by_id_by_its_beginning_and_by_name(story: Story):
    run_id = story.stopped.run_id

    for text in (run_id, run_id[:12], "mine"):
        assert control.find_run(story.settings, text).run_id == run_id
    for text in ("", "yours"):
        with pytest.raises(RunError, match=r"Found 0 runs .*leaky 1"):
            control.find_run(story.settings, text)


def test_a_run_that_does_not_exist_is_named(story: Story):
    with pytest.raises(RunError, match='Found no run "0123"'):
        control.load_run(story.settings, "0123")


def test_missing_weights_are_refused_before_the_run_is_recorded(story: Story, make_task):
    number = len(control.list_runs(story.settings))

    with pytest.raises(RecipeError, match="Found no file of weights /no/such"):
        control.launch(story.settings, *make_task("quick", "weights=/no/such.h5"))

    assert len(control.list_runs(story.settings)) == number


def test_no_process_remains(story: Story):
    assert open_queue(story.settings).list_tickets() == []
    deadline = time.monotonic() + 60  # the process of a run ends shortly after the run
    while any(worker.is_running() for worker in story.workers) and time.monotonic() < deadline:
        control.list_runs(story.settings)  # collects ended processes
        time.sleep(0.2)

    assert len(story.workers) == 3
    # psutil counts a zombie as running, so an uncollected process would be found.
    assert [worker for worker in story.workers if worker.is_running()] == []


def test_many_sessions_may_read_at_once(story: Story):
    seen: list[int] = []

    def read() -> None:
        for _ in range(5):
            seen.append(len(control.list_runs(story.settings)))
            control.read_curves(story.settings, story.resumed.run_id)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [len(control.list_runs(story.settings))] * 20


def test_a_run_is_deleted_with_its_folder_while_its_model_stays(story: Story):
    settings, run_id = story.settings, story.resumed.run_id

    control.delete_run(settings, run_id)

    assert run_id not in {run.run_id for run in control.list_runs(settings)}
    assert not (settings.runs_dir / run_id).exists()
    assert (settings.models_dir / str(story.resumed.model_id)).is_dir()
    with pytest.raises(RunError, match="Found no run"):
        control.read_curves(settings, run_id)

"""The record in a real MLflow store."""

import math
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from melanoma_core.deployment.versions import read_versions
from melanoma_core.errors import RunError
from melanoma_core.runs import control
from melanoma_core.runs import recorder as recorder_module
from melanoma_core.runs.record import (
    Measurement,
    Record,
    has_record,
    name_metric,
    open_record,
)
from melanoma_core.runs.recorder import Recorder
from melanoma_core.runs.run import RunState
from melanoma_core.settings import Settings

pytestmark = pytest.mark.slow

PARAMS = {"name": "baseline", "epochs": "3"}
TAGS = {"state": "queued", "data_name": "lesions"}


@pytest.fixture(scope="module")
def record(house: Settings) -> Record:
    return open_record(house)


@pytest.fixture(scope="module")
def client(house: Settings) -> MlflowClient:
    """What any other tool sees."""
    return MlflowClient(house.tracking_uri)


def test_there_may_be_runs_where_there_is_a_file_or_a_server(house: Settings, tmp_path: Path):
    absent = replace(house, tracking_uri=f"sqlite:///{tmp_path / 'none.db'}")
    server = replace(house, tracking_uri="http://127.0.0.1:1")

    assert not has_record(absent)
    assert has_record(server)


def test_a_record_is_opened_once(house: Settings, record: Record):
    assert open_record(house) is record


def test_a_run_is_recorded_as_mlflow_shows_it(record: Record, client: MlflowClient):
    run_id = record.create("recorded", PARAMS, TAGS)

    found = client.get_run(run_id)
    assert found.info.run_name == "recorded"
    assert found.info.status == "SCHEDULED"
    assert found.data.params == PARAMS
    assert found.data.tags.items() >= TAGS.items()
    assert record.get(run_id).params == PARAMS
    assert record.search()[0] == record.get(run_id)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RunState.RUNNING, "RUNNING"),
        (RunState.FINISHED, "FINISHED"),
        (RunState.FAILED, "FAILED"),
        (RunState.STOPPED, "KILLED"),
        (RunState.INTERRUPTED, "KILLED"),
        (RunState.QUEUED, "SCHEDULED"),
    ],
)
def test_mlflow_shows_the_same_state(
    record: Record, client: MlflowClient, state: RunState, status: str
):
    run_id = record.create("a run", PARAMS, TAGS)

    record.set_state(run_id, state, {"message": "why"})

    assert client.get_run(run_id).info.status == status
    assert record.get(run_id).tags["state"] == state
    assert record.get(run_id).tags["message"] == "why"


def test_a_curve_comes_back_with_what_is_undefined(record: Record):
    run_id = record.create("a curve", PARAMS, TAGS)
    values = [("validation/recall/MEL", 1, 0.5, 10), ("validation/recall/MEL", 2, float("nan"), 20)]

    record.log(run_id, [Measurement(*value) for value in values], {})

    latest = record.get(run_id).latest
    assert latest == {"validation/recall/MEL": (2, 20)}
    first, second = sorted(record.read_history(run_id, "validation/recall/MEL", None))
    assert first == (10, 1, 0.5)
    assert second[:2] == (20, 2)
    assert math.isnan(second[2])


def test_any_name_of_a_class_or_file_is_recorded(record: Record):
    name = name_metric("validation", "recall", "Ångström/nævus (\udce9, 5 mm²)" + 300 * "x")

    run_id = record.create("no text: \udce9", PARAMS | {"weights": "/\udce9"}, TAGS)
    record.log(run_id, [Measurement(name, 1, 0.5, 10)], {"message": "no file /\udce9.jpg"})

    assert list(record.get(run_id).latest) == [name]
    assert name.startswith("validation/recall/Ångström_nævus ___ 5 mm²_xxx")
    assert record.get(run_id).tags["message"] == "no file /\\udce9.jpg"


def test_thousands_of_values_are_written_in_one_call(record: Record):
    run_id = record.create("a long curve", PARAMS, TAGS)

    record.log(run_id, [Measurement("loss", step, 1.0, step) for step in range(2500)], {})

    assert len(record.read_history(run_id, "loss", None)) == 2500


def test_a_run_that_another_process_begins_or_ends_is_seen_at_once(
    record: Record, client: MlflowClient
):
    record.search()
    other = client.get_experiment_by_name("melanoma")
    assert other is not None
    run_id = client.create_run(other.experiment_id, run_name="elsewhere").info.run_id

    assert record.search()[0].run_id == run_id
    client.set_tag(run_id, "state", "running")
    assert record.search()[0].tags["state"] == "running"
    client.set_tag(run_id, "state", "finished")
    client.set_terminated(run_id)
    assert record.search()[0].tags["state"] == "finished"
    record.delete(run_id)


def test_a_run_that_is_deleted_is_gone(record: Record):
    run_id = record.create("a mistake", PARAMS, TAGS)

    record.delete(run_id)

    assert run_id not in {run.run_id for run in record.search()}
    with pytest.raises(RunError, match=f'Found no run "{run_id}"'):
        record.get(run_id)


def test_a_file_is_stored_with_its_run(record: Record, tmp_path: Path):
    run_id = record.create("a file", PARAMS, TAGS)
    (tmp_path / "predictions.csv").write_text("a,b\n")

    record.keep_file(run_id, tmp_path / "predictions.csv")

    assert record.fetch_file(run_id, "predictions.csv").read_text() == "a,b\n"
    with pytest.raises(RunError, match=r"Found no other\.csv"):
        record.fetch_file(run_id, "other.csv")


def test_an_unreachable_server_is_named_without_its_password(
    house: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = replace(house, tracking_uri="http://someone:secret@127.0.0.1:9/")

    with pytest.raises(RunError, match=r"http://…@127\.0\.0\.1:9.* MLFLOW_TRACKING_URI") as caught:
        open_record(away)

    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_created_is_named_with_a_remedy(house: Settings, tmp_path: Path):
    (tmp_path / "file").write_text("")
    wrong = replace(house, runs_dir=tmp_path / "file" / "runs")

    with pytest.raises(RunError, match="Set MELANOMA_RUNS_DIR"):
        open_record(wrong)


def test_mlflow_sends_no_usage_statistics(record: Record):
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert record
    assert is_telemetry_disabled()


def test_measurements_during_an_outage_are_written_afterwards(house: Settings, record: Record):
    run_id = record.create("an outage", PARAMS, TAGS)
    recorder = Recorder(record, run_id)
    database = house.tracking_uri.removeprefix("sqlite:///")

    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE latest_metrics RENAME TO broken")
        connection.commit()
        with recorder:
            recorder.add([Measurement("loss", 1, 0.9, 10)], {"progress": "half"})
            with pytest.raises(RunError, match="Cannot use the run history"):
                recorder.announce(RunState.FINISHED, {}, patience_seconds=-1)
            recorder.add([Measurement("loss", 2, 0.8, 20)], {})
        connection.execute("ALTER TABLE broken RENAME TO latest_metrics")
        connection.commit()
    recorder.announce(RunState.FINISHED, {"message": ""}, patience_seconds=5)

    assert sorted(record.read_history(run_id, "loss", None)) == [(10, 1, 0.9), (20, 2, 0.8)]
    tags = record.get(run_id).tags
    assert (tags["state"], tags["progress"]) == ("finished", "half")


def test_a_recorder_writes_in_the_background_with_a_heartbeat(
    record: Record, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder_module, "_INTERVAL_SECONDS", 0.05)
    run_id = record.create("alive", PARAMS, TAGS)

    with Recorder(record, run_id) as recorder:
        recorder.add([Measurement("loss", 1, 0.5, 1)], {})
        deadline = time.monotonic() + 60
        while "loss" not in record.get(run_id).latest:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert record.get(run_id).tags["heartbeat"] > "2026"


@pytest.mark.parametrize("seed", range(6))
def test_damaged_pages_of_the_database_become_sentences(
    house: Settings, record: Record, tmp_path: Path, seed: int
):
    run_id = record.create("before the damage", PARAMS, TAGS)
    record.log(run_id, [Measurement("loss", step, 1.0, step) for step in range(900)], {})
    file = tmp_path / "mlflow.db"
    content = bytearray(Path(house.tracking_uri.removeprefix("sqlite:///")).read_bytes())
    file.write_bytes(content)
    settings = replace(house, runs_dir=tmp_path, tracking_uri=f"sqlite:///{file}")
    if seed % 2:  # opened before the damage
        open_record(settings)
    rng = random.Random(seed)
    for page in rng.sample(range(1, len(content) // 4096), len(content) // 4096 // 2):
        content[page * 4096 : (page + 1) * 4096] = rng.randbytes(4096)
    file.write_bytes(content)

    for ask in (
        lambda: control.list_runs(settings),
        lambda: control.read_curves(settings, run_id),
        lambda: read_versions(open_record(settings)),
        lambda: open_record(settings).create("after", PARAMS, TAGS),
    ):
        with pytest.raises(RunError, match=r"Cannot use the run history at .* Check that it can"):
            ask()


def test_a_run_with_rubbish_in_its_tags_is_shown_or_left_out(house: Settings, record: Record):
    known = record.create("known", PARAMS, TAGS | {"class_names": '["MEL", "NV"]'})
    rubbish = {"heartbeat": "yesterday", "progress": "{half", "started_at": "?"}
    record.log(known, [], {"state": "finished", **rubbish})
    foreign = record.create("foreign", PARAMS, TAGS)
    record.log(foreign, [], {"state": "sleeping", "class_names": "[", "host": "?"})

    runs = {run.run_id: run for run in control.list_runs(house)}

    assert (runs[known].state, runs[known].progress) == (RunState.FINISHED, None)
    assert foreign not in runs
    record.delete(known)
    record.delete(foreign)

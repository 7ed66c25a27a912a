"""Tracking stores that do not answer, and what they may cost."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.errors import RunError
from melanoma_core.runs import control
from melanoma_core.runs.folder import RunFolder
from melanoma_core.runs.patience import PAUSE_SECONDS, Pause, wait_for
from melanoma_core.runs.record import open_record
from melanoma_core.runs.worker import LogFormatter, explain_failure
from melanoma_core.settings import Settings, load_settings


@pytest.fixture
def silent_server(tmp_path: Path) -> Iterator[Settings]:
    """Settings with the address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        port = server.getsockname()[1]
        yield replace(
            load_settings(),
            runs_dir=tmp_path / "runs",
            tracking_uri=f"http://ada:hunter2@127.0.0.1:{port}/",
        )


@pytest.mark.slow
def test_a_server_that_never_answers_costs_seconds_once_for_all_sessions(
    silent_server: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    pytest.importorskip("mlflow.tracking")  # its import takes seconds too
    messages: list[str] = []

    def ask() -> None:
        for _ in range(3):
            try:
                control.list_runs(silent_server)
            except RunError as error:
                messages.append(str(error))

    started = time.monotonic()
    sessions = [threading.Thread(target=ask) for _ in range(4)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()

    assert time.monotonic() - started < PAUSE_SECONDS + 3
    assert len(messages) == 12
    (message,) = set(messages)
    assert message.startswith("Cannot use the run history at http://…@127.0.0.1:")
    assert "hunter2" not in message
    assert message.endswith(
        "Check that it can be reached and written, or set MLFLOW_TRACKING_URI to another store."
    )


def test_mlflow_waits_for_seconds_unless_a_person_sets_more(house: Settings):
    from mlflow import environment_variables as variables

    open_record(house)

    request = variables.MLFLOW_HTTP_REQUEST_TIMEOUT.get()
    tries = 1 + variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES.get()
    assert request * tries <= 10
    assert variables.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get() == 0


@pytest.mark.parametrize(
    "address", ["no-such-database://ada:hunter2@server/runs", "mysql+none://ada:hunter2@s/x"]
)
def test_an_address_of_no_known_kind_is_explained(tmp_path: Path, address: str):
    settings = replace(load_settings(), runs_dir=tmp_path, tracking_uri=address)

    with pytest.raises(RunError, match="Cannot use the run history at") as caught:
        open_record(settings)
    assert "hunter2" not in str(caught.value)


def test_work_that_takes_too_long_is_left_alone():
    with pytest.raises(TimeoutError, match="found no answer within 0 seconds"):
        wait_for(lambda: time.sleep(5), 0.05)
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 // 0, 5.0)


def test_only_a_failure_that_took_long_pauses(monkeypatch: pytest.MonkeyPatch):
    pause, clock = Pause(), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def fail(seconds: float) -> None:
        with pause.watch():
            clock[0] += seconds
            raise RunError("no answer")

    for _ in range(2):
        with pytest.raises(RunError):
            fail(0.1)
        with pause.watch():
            pass
    with pytest.raises(RunError):
        fail(5.0)
    with pytest.raises(RunError, match="no answer"), pause.watch():
        raise AssertionError("must not ask")
    clock[0] += PAUSE_SECONDS
    with pause.watch():
        pass


def test_neither_logs_nor_pages_show_a_password(tmp_path: Path):
    address = "http://ada:hunter2@server/"
    try:
        raise ValueError(f"no answer from {address}")
    except ValueError:
        failure = sys.exc_info()
    line = logging.LogRecord("x", logging.ERROR, "x", 1, "Ended: %s", (address,), failure)
    folder = RunFolder(tmp_path)
    folder.log.write_text(f"a library says: {address}\n")

    assert "hunter2" not in LogFormatter("%(message)s").format(line)
    assert folder.tail_log(5) == ["a library says: http://…@server/"]
    assert "hunter2" not in explain_failure(ValueError(address), tmp_path, 2**40)[0]

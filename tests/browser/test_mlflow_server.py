"""Runs on a real MLflow server over HTTP, and the page when that server is gone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from melanoma_core.runs.record import open_record
from melanoma_core.settings import Settings, load_settings
from tests.browser.conftest import Open, run_server
from tests.conftest import need
from tests.dashboard.servers import find_port
from tests.written_runs import RunWriter

pytestmark = pytest.mark.slow

_START_SECONDS = 240  # its import alone takes ten seconds on an idle machine
_IMPORT_MS = 240_000  # MLflow's client and pandas, on a machine that may be busy
_NEEDED = ("flask", "flask_cors", "aiohttp")  # of the server alone; the rest is in mlflow-skinny


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("mlflow")
    return replace(
        load_settings(),
        runs_dir=folder / "MELANOMA_RUNS_DIR",
        cache_dir=folder / "cache",
        tracking_uri=f"http://127.0.0.1:{find_port()}",
    )


@pytest.fixture(scope="module")
def tracking(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """An MLflow server with a database and a folder of artifacts of its own."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    need(not missing, f"there is no {', '.join(missing)}, which MLflow's server needs")
    folder = settings.runs_dir.parent
    port = settings.tracking_uri.rpartition(":")[2]
    store = ["--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    options = [*store, "--artifacts-destination", str(folder / "kept"), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
    )
    try:
        _wait_until_up(process, settings.tracking_uri)
        yield process
    finally:
        _end(process)


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=10).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError(f"MLflow's server is not up; its status is {process.poll()}.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server with its workers, which are of its session."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()


@pytest.fixture(scope="module")
def run_id(settings: Settings, tracking: subprocess.Popen[bytes], empty_store: Path) -> str:  # noqa: ARG001
    """A run that was recorded on that server."""
    return RunWriter(settings, empty_store)(name="over http")


@pytest.fixture(scope="module")
def server(settings: Settings, run_id: str) -> Iterator[str]:  # noqa: ARG001
    """A dashboard whose runs are on that server."""
    with run_server(settings.runs_dir.parent, MLFLOW_TRACKING_URI=settings.tracking_uri) as url:
        yield url


def test_a_run_is_recorded_there(settings: Settings, run_id: str, tmp_path: Path):
    record, note = open_record(settings), tmp_path / "note.txt"
    note.write_text("an artifact")
    record.keep_file(run_id, note)

    assert [run.name for run in record.search()] == ["over http"]
    assert len(record.read_history(run_id, "validation/loss", 1)) == 7
    assert record.fetch_file(run_id, "note.txt").read_text() == "an artifact"
    assert list((settings.runs_dir.parent / "kept").rglob("note.txt"))  # on the server's side


def test_the_page_shows_it_and_stays_when_the_server_is_gone(
    open_page: Open, tracking: subprocess.Popen[bytes]
):
    page = open_page()
    page.get_by_role("link", name="Training").click()
    page.get_by_role("tab", name="Runs").click()
    expect(page.get_by_text("over http").first).to_be_visible(timeout=_IMPORT_MS)
    _end(tracking)
    page.reload()

    expect(page.get_by_text("Cannot use the run history at http://127.0.0.1").first).to_be_visible()
    expect(page.get_by_text("or set MLFLOW_TRACKING_URI to another store").first).to_be_visible()
    page.get_by_role("link", name="Reading").click()
    expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from melanoma_core.errors import DatasetError, FolderError
from melanoma_core.processes import (
    BackgroundJob,
    JobState,
    JobStatus,
    reap_children,
    run_job,
    start_detached,
)
from melanoma_core.progress import Progress
from melanoma_core.settings import load_settings

TIME_LIMIT_SECONDS = 60
# A module of this test's folder, which writes its process id and works until it is ended.
WORKER = """
import sys, time
from pathlib import Path
from melanoma_core.processes import run_job

def work(request, progress):
    progress(1, 3)
    if request == "wait":
        time.sleep(600)
    return {"request": request}

sys.exit(run_job(Path(sys.argv[1]), work))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "sleeper.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "sleeper"


@pytest.fixture
def job(tmp_path: Path) -> BackgroundJob:
    return BackgroundJob(tmp_path / "job")


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + TIME_LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def write_request(folder: Path) -> None:
    folder.mkdir()
    (folder / "request.json").write_text('"a"')


def test_a_job_reports_its_progress_and_is_cancelled(job: BackgroundJob, module: str):
    job.start(load_settings(), module, "wait")
    wait_until(lambda: job.read_status().total)
    assert job.read_status() == JobStatus(JobState.RUNNING, 1, 3)

    job.cancel()

    assert job.read_status() == JobStatus(JobState.NONE)
    assert not job.result.parent.exists()


def test_a_killed_process_is_a_failed_job_at_once(job: BackgroundJob, module: str):
    job.start(load_settings(), module, "wait")
    wait_until(lambda: job.read_status().total)
    (process,) = (
        each for each in psutil.Process().children() if str(job.result.parent) in each.cmdline()
    )

    process.kill()

    wait_until(lambda: not job.is_running)
    status = job.read_status()
    assert status.state is JobState.FAILED
    assert "ended from outside" in status.message


def test_a_later_process_with_the_same_id_is_not_the_job(job: BackgroundJob, tmp_path: Path):
    write_request(tmp_path / "job")
    own = psutil.Process()
    identity = tmp_path / "job" / "process.json"

    identity.write_text(f'{{"pid": {own.pid}, "created": {own.create_time()}}}')
    assert job.is_running
    identity.write_text(f'{{"pid": {own.pid}, "created": {own.create_time() - 1}}}')
    assert not job.is_running


def test_a_damaged_identity_is_a_process_that_is_gone(job: BackgroundJob, tmp_path: Path):
    write_request(tmp_path / "job")
    (tmp_path / "job" / "process.json").write_text('{"pid": 1')

    assert job.read_status().state is JobState.FAILED


def test_the_work_gets_the_request_and_leaves_the_result(job: BackgroundJob, tmp_path: Path):
    write_request(tmp_path / "job")

    def work(request: str, progress: Progress) -> list[str]:
        progress(2, 2)
        return [request, "b"]

    assert run_job(tmp_path / "job", work) == 0
    assert job.read_status() == JobStatus(JobState.DONE, 2, 2)
    assert job.result.read_text() == '[\n  "a",\n  "b"\n]\n'


def test_an_expected_error_is_the_message_of_the_failure(job: BackgroundJob, tmp_path: Path):
    write_request(tmp_path / "job")

    def work(*_: object) -> None:
        raise DatasetError("Found no image. Add one.")

    assert run_job(tmp_path / "job", work) == 1
    assert job.read_status() == JobStatus(JobState.FAILED, message="Found no image. Add one.")


def test_a_bug_is_reported_as_one_and_raised_for_the_log(job: BackgroundJob, tmp_path: Path):
    write_request(tmp_path / "job")

    def work(*_: object) -> None:
        raise ZeroDivisionError("oops")

    with pytest.raises(ZeroDivisionError):
        run_job(tmp_path / "job", work)
    assert job.read_status().message.startswith("Internal error: ZeroDivisionError: oops.")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(FolderError, match=r"Cannot write .*file.*Check that you may write there"):
        BackgroundJob(tmp_path / "file" / "job").start(load_settings(), "none", "a")


def test_a_process_without_an_interpreter_is_one_sentence(
    job: BackgroundJob, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "executable", "/no/such/interpreter")

    with pytest.raises(FolderError, match="Cannot start a process for"):
        job.start(load_settings(), "none", "a")


def test_a_detached_process_finds_the_package_in_any_folder_and_leaves_no_zombie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    pid = start_detached(load_settings(), "melanoma_core.settings", [], tmp_path / "log")

    wait_until(lambda: reap_children() or not psutil.pid_exists(pid))
    assert (tmp_path / "log").read_text() == ""

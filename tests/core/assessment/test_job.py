import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from melanoma_core.assessment import worker
from melanoma_core.assessment.evaluate import EvaluationRequest
from melanoma_core.assessment.job import cancel, find_result, load_result, read_status, start
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.processes import JobState, JobStatus, run_job
from melanoma_core.settings import Settings, load_settings

pytestmark = pytest.mark.slow

TIME_LIMIT_SECONDS = 120


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(), cache_dir=tmp_path / "cache", models_dir=tmp_path / "models")


@pytest.fixture
def request_(tmp_path: Path, draw, bundled: Path) -> EvaluationRequest:
    folder = tmp_path / "--moles"  # looks like an option
    for number in range(4):
        draw(folder / ("melanoma" if number % 2 else "nevus") / f"{number}.png", number)
    return EvaluationRequest(folder, load_card(bundled).model_id, folder_key="key")


def wait(settings: Settings, request: EvaluationRequest) -> JobStatus:
    end = time.monotonic() + TIME_LIMIT_SECONDS
    while (status := read_status(settings, request)).state is JobState.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.05)
    return status


def test_an_evaluation_that_was_not_requested_has_no_status(
    settings: Settings, request_: EvaluationRequest
):
    assert read_status(settings, request_) == JobStatus(JobState.NONE)
    cancel(settings, request_)  # has no effect


def test_an_evaluation_runs_in_its_own_process_and_its_result_is_kept(
    settings: Settings, request_: EvaluationRequest
):
    start(settings, request_)
    assert read_status(settings, request_).state is JobState.RUNNING
    assert wait(settings, request_) == JobStatus(JobState.DONE, done=4, total=4)
    result = find_result(settings, request_)
    assert load_result(result).evaluation.num_images == 4

    written = result.stat().st_mtime_ns
    start(settings, request_)  # it is done
    assert wait(settings, request_).state is JobState.DONE
    assert result.stat().st_mtime_ns == written
    assert read_status(settings, replace(request_, folder_key="other")).state is JobState.NONE


def test_an_evaluation_waits_for_another_one_of_any_person(
    settings: Settings, request_: EvaluationRequest
):
    settings.cache_dir.mkdir()
    with FileLock(settings.cache_dir / worker.TURN_NAME):
        start(settings, request_)
        time.sleep(3)  # a process that does not wait is done in less
        assert read_status(settings, request_) == JobStatus(JobState.RUNNING)
    assert wait(settings, request_).state is JobState.DONE


def test_a_cancelled_evaluation_leaves_no_files_and_old_results_are_removed(
    settings: Settings, request_: EvaluationRequest
):
    folder = settings.cache_dir / "evaluations"
    for number in range(60):
        (folder / f"old-{number:02d}").mkdir(parents=True)
        os.utime(folder / f"old-{number:02d}", (number, number))

    start(settings, request_)
    kept = sorted(each.name for each in folder.glob("old-*"))
    assert (len(kept), kept[0]) == (49, "old-11")

    cancel(settings, request_)
    assert read_status(settings, request_).state is JobState.NONE
    assert not find_result(settings, request_).parent.exists()


def test_the_worker_reports_why_an_evaluation_failed(
    settings: Settings, request_: EvaluationRequest, monkeypatch: pytest.MonkeyPatch
):
    request = replace(request_, subset="validation")
    folder = find_result(settings, request).parent
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(to_jsonable(request)))
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(settings.cache_dir))

    assert run_job(folder, worker.evaluate) == 1

    status = read_status(settings, request)
    assert status.state is JobState.FAILED
    assert status.message.startswith("Found 0 images in")

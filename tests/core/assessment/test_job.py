import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.assessment.assessment import Assessment
from melanoma_core.assessment.job import Measurement, Request, State, call_off, start, watch
from melanoma_core.models.card import load_card
from melanoma_core.settings import Settings, load_settings

PATIENCE_SECONDS = 120


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(), cache_dir=tmp_path / "cache", models_dir=tmp_path / "models")


@pytest.fixture
def request_(tmp_path: Path, draw, bundled: Path) -> Request:
    folder = tmp_path / "--moles"  # as an option looks like
    for number in range(4):
        draw(folder / ("melanoma" if number % 2 else "nevus") / f"{number}.png", number)
    return Request(folder, "key", load_card(bundled).model_id, "", False)


def wait(settings: Settings, request: Request) -> Measurement:
    end = time.monotonic() + PATIENCE_SECONDS
    while (work := watch(settings, request)).state is State.RUNNING and time.monotonic() < end:
        time.sleep(0.05)
    return work


def test_what_nobody_asked_for_is_not_there(settings: Settings, request_: Request):
    assert watch(settings, request_).state is State.NONE
    call_off(settings, request_)  # changes nothing


def test_a_measurement_runs_in_its_own_process_and_its_result_is_kept(
    settings: Settings, request_: Request
):
    start(settings, request_)
    assert watch(settings, request_).state is State.RUNNING
    work = wait(settings, request_)
    assert (work.state, work.done, work.total, work.message) == (State.DONE, 4, 4, "")
    raw = json.loads(work.result.read_text("utf-8"))
    raw.pop("at_prevalence")
    assert from_jsonable(Assessment, raw).evaluation.num_images == 4

    written = work.result.stat().st_mtime_ns
    start(settings, request_)  # is there already
    assert wait(settings, request_).result.stat().st_mtime_ns == written
    assert watch(settings, replace(request_, folder_key="other")).state is State.NONE


def test_a_measurement_that_is_called_off_leaves_nothing(settings: Settings, request_: Request):
    start(settings, request_)
    call_off(settings, request_)
    work = watch(settings, request_)
    assert work.state is State.NONE
    assert not work.result.parent.exists()


def test_results_do_not_pile_up(settings: Settings, request_: Request):
    folder = settings.cache_dir / "evaluations"
    for number in range(60):
        (folder / f"old-{number:02d}").mkdir(parents=True)
        os.utime(folder / f"old-{number:02d}", (number, number))
    start(settings, request_)
    kept = sorted(place.name for place in folder.glob("old-*"))
    assert (len(kept), kept[0]) == (49, "old-11")
    call_off(settings, request_)


def test_a_measurement_that_fails_says_why(settings: Settings, request_: Request):
    request = replace(request_, subset="validation")
    start(settings, request)
    work = wait(settings, request)
    assert work.state is State.FAILED
    assert work.message.startswith("Found 0 photographs in")

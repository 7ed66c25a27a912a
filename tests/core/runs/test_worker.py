"""Workers that meet what happens: each run ends in a state that says what to do."""

import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.data.dataset import hash_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import RunError
from melanoma_core.runs import control
from melanoma_core.runs.run import Run, RunState
from melanoma_core.settings import PROJECT_ROOT, Settings
from melanoma_core.training.observer import Estimate, Phase


@pytest.fixture(scope="module")
def ended(
    house: Settings, make_task, wait_until: Callable[..., Run], tmp_path_factory, find_worker
) -> dict[str, Run]:
    """Three runs at once: a photograph vanishes, the disk is full, the worker is terminated."""
    settings = replace(house, max_runs=3)
    ids = {}
    spec, split = make_task("baseline", "epochs=1")
    copied = copy_photographs(split, tmp_path_factory.mktemp("copied"))
    ids["vanished"] = control.launch(settings, spec, copied)
    Path(copied.subset("train")["path"].iloc[0]).unlink()

    # No file may grow beyond this: the database fits, the checkpoint does not.
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**20, unlimited[1]))
    try:
        ids["full"] = control.launch(settings, *make_task("baseline", "epochs=1", "image_size=96"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    ids["ended"] = control.launch(settings, *make_task("baseline", "epochs=500"))
    wait_until(
        settings, ids["ended"], lambda run: run.progress and run.progress.phase is Phase.NETWORK
    )
    find_worker(settings, ids["ended"]).send_signal(signal.SIGTERM)
    return {
        name: wait_until(settings, run_id, lambda run: run.state.is_over)
        for name, run_id in ids.items()
    }


def copy_photographs(split: Split, folder: Path) -> Split:
    paths = [shutil.copy(path, folder / f"{i}.jpg") for i, path in enumerate(split.table["path"])]
    table = split.table.assign(path=[str(path) for path in paths])
    return Split(table, split.seed, hash_table(table))


def test_a_worker_that_waits_holds_no_library_but_those_of_the_queue():
    code = (
        "import sys\n"
        "import melanoma_core.runs.worker\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'mlflow', 'keras', 'tensorflow', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_a_vanished_photograph_is_named_and_no_fault_of_the_program(ended: dict[str, Run]):
    run = ended["vanished"]

    assert (run.state, run.is_bug, run.is_stopping) == (RunState.FAILED, False, False)
    assert ".jpg" in run.message


def test_a_full_disk_is_told_with_the_folder_and_what_to_do(ended: dict[str, Run]):
    run = ended["full"]

    assert (run.state, run.is_bug) == (RunState.FAILED, False)
    assert run.run_id in run.message
    assert "Free some space" in run.message
    assert "resume the run" in run.message


def test_a_worker_that_is_asked_to_end_stops_as_by_the_button(ended: dict[str, Run]):
    run = ended["ended"]

    assert (run.state, run.is_bug) == (RunState.STOPPED, False)
    assert run.message.startswith("Stopped as requested. Resume continues from epoch ")


def test_all_of_them_can_go_on(ended: dict[str, Run]):
    assert [run.state.can_resume for run in ended.values()] == [True] * 3
    assert [run.model_id for run in ended.values()] == [None] * 3


def test_an_estimate_is_measured_once_by_a_process_and_one_that_is_killed_is_told(
    house: Settings, make_task, find_worker
):
    measured = control.start_estimate(house, *make_task("baseline", "epochs=10"))
    waiting = control.start_estimate(house, *make_task("baseline", "epochs=20"))
    assert control.read_estimate(house, measured) is None

    wait_for_ticket(house, waiting)  # what has none yet is given a minute to start
    find_worker(house, f"estimates/{waiting}").kill()
    with pytest.raises(RunError, match=r"was killed, or memory ran out\..*estimate again"):
        wait_for_estimate(house, waiting)
    estimate = wait_for_estimate(house, measured)

    assert estimate.images_per_second > 0
    assert estimate.total_seconds > 10 * estimate.seconds_per_epoch > 0
    assert estimate.memory_bytes > 100 * 2**20
    assert control.start_estimate(house, *make_task("baseline", "epochs=10")) == measured
    assert control.read_estimate(house, measured) is not None


def wait_for_ticket(settings: Settings, key: str) -> None:
    deadline = time.monotonic() + 60
    while not list(settings.runs_dir.glob(f"estimates/queue/*-{key}.taken")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_estimate(settings: Settings, key: str) -> Estimate:
    deadline = time.monotonic() + 240
    while (estimate := control.read_estimate(settings, key)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return estimate

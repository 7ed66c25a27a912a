"""Runs that fail or are stopped: each ends in a state that explains what to do."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from melanoma_core.data.dataset import hash_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import RunError
from melanoma_core.models.evidence import read_evidence
from melanoma_core.runs import control, worker
from melanoma_core.runs.folder import find_folder
from melanoma_core.runs.queue import Queue
from melanoma_core.runs.record import Record
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.settings import PROJECT_ROOT, Settings
from melanoma_core.training.observer import Estimate, Phase

RUN_FOLDER = "?" * 32  # its name is an id of MLflow


@pytest.fixture
def run_here(house: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Run]]:
    """Return a function that does the work of a run in this process."""
    monkeypatch.setattr(control, "start_detached", lambda *_: 0)
    handler = signal.getsignal(signal.SIGTERM)

    def run(spec: RunSpec, split: Split, prepare: Callable[[], object] = bool) -> Run:
        run_id = control.launch(house, spec, split)
        prepare()
        worker._run(find_folder(house, run_id), house)
        return control.load_run(house, run_id)

    yield run
    signal.signal(signal.SIGTERM, handler)


def copy_photographs(split: Split, folder: Path) -> Split:
    paths = [shutil.copy(path, folder / f"{i}.jpg") for i, path in enumerate(split.table["path"])]
    table = split.table.assign(path=[str(path) for path in paths])
    return Split(table, split.seed, hash_table(table))


def test_a_waiting_worker_and_the_control_of_runs_import_no_library_of_training():
    code = (
        "import sys\n"
        "import melanoma_core.runs.worker\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'mlflow', 'keras', 'tensorflow', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "import melanoma_core.runs.control\n"
        "print(sorted({'mlflow', 'keras', 'tensorflow', 'streamlit'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n[]\n"


@pytest.mark.tensorflow
def test_a_missing_photograph_is_named_and_is_no_bug(
    run_here: Callable[..., Run], make_task, tmp_path: Path
):
    spec, split = make_task("baseline", "epochs=1")
    copied = copy_photographs(split, tmp_path)

    run = run_here(spec, copied, Path(copied.subset("train")["path"].iloc[0]).unlink)

    assert (run.state, run.is_bug, run.is_stopping) == (RunState.FAILED, False, False)
    assert ".jpg" in run.message
    assert (run.state.can_resume, run.model_id) == (True, None)


@pytest.mark.tensorflow
def test_a_network_that_cannot_become_a_model_fails_before_its_first_epoch(
    house: Settings, run_here: Callable[..., Run], make_task, monkeypatch: pytest.MonkeyPatch
):
    from keras.src.applications import efficientnet_v2

    from melanoma_core.networks import export

    for stage in efficientnet_v2.DEFAULT_BLOCKS_ARGS["efficientnetv2-b0"]:
        monkeypatch.setitem(stage, "num_repeat", 1)  # more blocks add no operator
    monkeypatch.setattr(export, "make_exportable", lambda network: network)

    run = run_here(*make_task("transfer-efficientnet", "weights=none", "head_epochs=1", "epochs=1"))

    assert (run.state, run.is_bug, run.can_resume) == (RunState.FAILED, False, False)
    assert "in the ONNX form of EfficientNetV2B0, which can therefore not become" in run.message
    assert control.read_curves(house, run.run_id).empty
    with pytest.raises(RunError, match="failed for a reason that stays: Found"):
        control.resume_run(house, run.run_id)


@pytest.mark.tensorflow
def test_a_run_killed_before_it_recorded_its_model_does_not_write_it_twice(
    house: Settings, run_here: Callable[..., Run], make_task, monkeypatch: pytest.MonkeyPatch
):
    class KilledError(BaseException):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_conclude", lambda run: (worker._train(run), kill())[1])
        with pytest.raises(KilledError):
            run_here(*make_task("baseline", "epochs=1"))
    (run,) = [run for run in control.list_runs(house) if run.state is RunState.INTERRUPTED][:1]
    control.resume_run(house, run.run_id)
    worker._run(find_folder(house, run.run_id), house)

    finished = control.load_run(house, run.run_id)
    evidence = [read_evidence(path.parent) for path in house.models_dir.glob("*/card.json")]
    written = [e for e in evidence if e and e.training and e.training.run_id == run.run_id]
    assert (finished.state, len(written)) == (RunState.FINISHED, 1)
    assert (house.models_dir / str(finished.model_id)).is_dir()


@pytest.mark.parametrize("write", ["create", "rename", "draw", "set_state"])
@pytest.mark.slow
def test_a_launch_killed_at_any_write_leaves_no_run(house: Settings, make_task, write: str):
    place = {"create": Record, "set_state": Record, "draw": Queue, "rename": Path}[write]
    before = {run.run_id for run in control.list_runs(house)}
    folders = set(house.runs_dir.glob(RUN_FOLDER))
    process = os.fork()
    if not process:
        do = getattr(place, write)

        def die(*arguments: object) -> object:
            do(*arguments)
            os._exit(0 if write != "set_state" else 1)

        setattr(place, write, die)
        control.start_detached = lambda *_: 0  # type: ignore[assignment]
        control.launch(house, *make_task("baseline"))
        os._exit(2)
    assert os.waitpid(process, 0)[1] == (0 if write != "set_state" else 256)
    for path in house.runs_dir.glob("queue/*.drawn"):  # a minute passes
        os.utime(path, (1, 1))

    after = {run.run_id: run for run in control.list_runs(house)}

    new = after.keys() - before
    if write == "set_state":  # then it is whole: it waits in vain for its process
        (run_id,) = new
        assert after[run_id].state is RunState.INTERRUPTED
        assert after[run_id].can_resume
        control.delete_run(house, run_id)
    else:
        assert not new
    assert set(house.runs_dir.glob(RUN_FOLDER)) == folders
    assert not list(house.runs_dir.glob(".draft-*"))


@pytest.mark.tensorflow
def test_a_full_disk_is_explained_with_the_folder_and_what_to_do(
    run_here: Callable[..., Run], make_task
):
    # No file may grow beyond this: the database fits, the checkpoint does not.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**20, limits[1]))
    try:
        run = run_here(*make_task("baseline", "epochs=1", "image_size=96"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (run.state, run.is_bug) == (RunState.FAILED, False)
    assert run.run_id in run.message
    assert "Free some space" in run.message
    assert "resume the run" in run.message
    assert (run.state.can_resume, run.model_id) == (True, None)


@pytest.mark.tensorflow
def test_a_terminated_worker_stops_its_run(
    house: Settings, make_task, wait_until: Callable[..., Run], find_worker
):
    run_id = control.launch(house, *make_task("baseline", "epochs=500"))
    wait_until(house, run_id, lambda run: run.progress and run.progress.phase is Phase.NETWORK)

    find_worker(house, run_id).send_signal(signal.SIGTERM)

    run = wait_until(house, run_id, lambda run: run.state.is_over)
    assert (run.state, run.is_bug) == (RunState.STOPPED, False)
    assert run.message.startswith("Stopped as requested. Resume continues from epoch ")
    assert (run.state.can_resume, run.model_id) == (True, None)


@pytest.mark.tensorflow
def test_an_estimate_is_made_once_and_a_killed_one_is_reported(
    house: Settings, make_task, find_worker
):
    measured = control.start_estimate(house, *make_task("baseline", "epochs=10"))
    waiting = control.start_estimate(house, *make_task("baseline", "epochs=20"))
    assert control.read_estimate(house, measured) is None

    wait_for_ticket(house, waiting)  # a process without one is given a minute to start
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

"""Settings, tiny datasets and waiting functions for the tests of runs."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.runs import control
from melanoma_core.runs.run import Run, RunSpec
from melanoma_core.settings import Settings, load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.recipe import make_recipe

_TIME_LIMIT_SECONDS = 240  # on a busy machine

MakeTask = Callable[..., tuple[RunSpec, Split]]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Settings]:
    """Settings whose runs and models are in a folder of the tests, which ends all processes."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "runs").mkdir()
    shutil.copy(empty_store, folder / "runs")
    settings = replace(
        load_settings(),
        runs_dir=folder / "runs",
        models_dir=folder / "models",
        cache_dir=folder / "cache",
        weights_dir=None,
        max_runs=1,
        tracking_uri=f"sqlite:///{folder / 'runs' / 'mlflow.db'}",
    )
    yield settings
    for worker in find_workers(settings):
        worker.kill()


@pytest.fixture(scope="session")
def make_task(tmp_path_factory: pytest.TempPathFactory) -> MakeTask:
    """Return a function that makes the task of training a small network on drawn lesions."""
    folder = tmp_path_factory.mktemp("drawn")
    opened = open_folder(
        write_demonstration_dataset(folder / "lesions"), FactCache(folder / "cache")
    )
    dataset = merge_records(opened.records)
    split = split_dataset(dataset.table, seed=1)

    def make(preset: str = "baseline", *changes: str) -> tuple[RunSpec, Split]:
        recipe = make_recipe(preset, ["image_size=32", "batch_size=8", *changes])
        data = describe_data(dataset, split)
        return RunSpec(recipe, tuple(Diagnosis), "lesions", data), split

    return make


def find_workers(settings: Settings, run_id: str = "") -> list[psutil.Process]:
    """Return the processes that work or wait for one run, or for any."""
    place = os.fspath(settings.runs_dir / run_id)
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(part.startswith(place) for part in process.info["cmdline"] or ())
    ]


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Run]:
    """Return a function that waits until a condition holds for a run, and returns the run."""

    def wait(settings: Settings, run_id: str, holds: Callable[[Run], object]) -> Run:
        deadline = time.monotonic() + _TIME_LIMIT_SECONDS
        while not holds(run := control.load_run(settings, run_id)):
            log = "\n".join(control.read_log(settings, run_id, 20))
            is_in_vain = run.state.is_over or time.monotonic() > deadline
            assert not is_in_vain, f"{run}\n{log}"
            time.sleep(0.1)
        return run

    return wait


@pytest.fixture(scope="session")
def find_worker() -> Callable[[Settings, str], psutil.Process]:
    """Return a function that finds the process of a run."""

    def find(settings: Settings, run_id: str) -> psutil.Process:
        (worker,) = find_workers(settings, run_id)
        return worker

    return find

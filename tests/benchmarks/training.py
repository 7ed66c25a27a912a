"""Training: the pace of its steps, the head on kept features, the start of a run, the page.

Each way runs in a process of its own, since TensorFlow keeps its threads and its memory.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
from playwright.sync_api import Page, sync_playwright

from melanoma_core.data.cache import FactCache
from melanoma_core.data.opening import open_folder
from melanoma_core.runs import control
from melanoma_core.runs.run import RunSpec
from melanoma_core.runs.study import plan_study
from melanoma_core.settings import PROJECT_ROOT, Settings, load_settings
from melanoma_core.training.observer import Phase
from melanoma_core.training.recipe import PRESETS, Recipe
from tests.benchmarks.page import serve
from tests.benchmarks.timing import Row, milliseconds

_DATA = PROJECT_ROOT.parent / "shared" / "data"
_NUM_ROUNDS = 2
_NUM_COPIES = 3  # of the 30 originals, for batches to be more than one
_WINDOW_SECONDS = 15.0


def measure() -> Iterable[Row]:
    """Epochs of `baseline` beside the usual way, the head on kept features, a run and its page."""
    if not _DATA.is_dir():
        yield "training", "missing: ../shared/data", "–", "–", "–"
        return
    isic9 = _DATA / "isic9"
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        originals = scratch / "originals"
        _sort_originals(originals)
        yield _compare_epochs("isic9, 180×180", isic9 / "Train", scratch)
        yield _compare_epochs("full_resolution, up to 3072×2304", originals, scratch)
        yield _compare_head(isic9 / "Train", scratch)
        yield from _follow_run(isic9, scratch)


def _sort_originals(folder: Path) -> None:
    """Copy the photographs of `full_resolution` into a folder per class, as both ways need them."""
    source = _DATA / "full_resolution"
    labels = pd.read_csv(source / "labels.csv")
    for row in labels.itertuples(index=False):
        place = folder / str(row.diagnosis)
        place.mkdir(parents=True, exist_ok=True)
        for number in range(_NUM_COPIES):
            shutil.copy(source / f"{row.image_id}.jpg", place / f"{row.image_id}-{number}.jpg")


def _compare_epochs(what: str, folder: Path, scratch: Path) -> Row:
    pace = _run_in_turn(["baseline", "usual"], folder, scratch)
    here, usual = pace["baseline"]["later"], pace["usual"]["later"]
    return (
        f"`baseline`, steps of an epoch after the first, {what}",
        f"{here:,.0f} images/s",
        "`image_dataset_from_directory` without a cache, and `fit`",
        f"{usual:,.0f} images/s",
        f"{here / usual:.2f} times as fast",
    )


def _compare_head(folder: Path, scratch: Path) -> Row:
    pace = _run_in_turn(["head", "frozen"], folder, scratch, num_rounds=1)
    kept, again = pace["head"]["later"], pace["frozen"]["later"]
    return (
        "`transfer`, steps of an epoch of the head, from features computed once (isic9)",
        f"{kept:,.0f} images/s",
        "running the frozen MobileNetV2 in every epoch",
        f"{again:,.0f} images/s",
        f"{kept / again:.0f} times as fast",
    )


def _run_in_turn(
    ways: list[str], folder: Path, scratch: Path, num_rounds: int = _NUM_ROUNDS
) -> dict[str, dict[str, float]]:
    """Return the median over rounds of what each way measures, in processes of their own."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(num_rounds):
        for way in ways:
            own = scratch / f"{folder.name}-{way}-{number}"
            own.mkdir()
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.training_ways", way, folder, own],
                cwd=PROJECT_ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                check=True,
            )
            found[way].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        way: {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        for way, rounds in found.items()
    }


def _follow_run(folder: Path, scratch: Path) -> Iterable[Row]:
    """Start a run of one endless epoch, and let a page follow it now and then."""
    # What the server that is started, and its page, read.
    os.environ |= {"MELANOMA_RUNS_DIR": str(scratch / "runs")}
    settings = load_settings()
    opened = open_folder(folder, FactCache(scratch / "cache"))
    plan = plan_study(opened, seed=0)
    recipe = replace(PRESETS["baseline"], images_per_epoch=10_000_000)
    started = time.perf_counter()
    run_id = control.launch(settings, RunSpec(recipe, plan.class_names, "isic9", {}), plan.split)
    try:
        _wait_for_step(settings, run_id)
        yield _compare_start(time.perf_counter() - started, folder / "Train", scratch)
        yield from _compare_page(settings, run_id, recipe)
    finally:
        control.stop_run(settings, run_id)
        while not control.load_run(settings, run_id).state.is_over:
            time.sleep(0.1)


def _compare_start(seconds: float, folder: Path, scratch: Path) -> Row:
    started = time.time()
    usual = _run_in_turn(["begin"], folder, scratch, num_rounds=1)["begin"]["begun"] - started
    return (
        "run of `baseline` on isic9, from Launch to its first steps on the page",
        f"{seconds:.1f} s",
        "a script that starts, opens the folder and does the first step of `fit`",
        f"{usual:.1f} s",
        f"{seconds / usual:.2f} times as long",
    )


def _compare_page(settings: Settings, run_id: str, recipe: Recipe) -> Iterable[Row]:
    alone, followed, server_shares, refreshes = [], [], [], []
    with sync_playwright() as playwright, serve(PROJECT_ROOT / "dashboard" / "app.py") as server:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(_NUM_ROUNDS + 1):
            alone.append(_measure_pace(settings, run_id, recipe))
            with _open_page(browser.new_page(), f"{server.url}/training?run={run_id}"):
                used = _read_cpu_seconds(server.process.pid)
                began = time.perf_counter()
                followed.append(_measure_pace(settings, run_id, recipe))
                seconds = time.perf_counter() - began
                server_shares.append((_read_cpu_seconds(server.process.pid) - used) / seconds)
                refreshes.append(2 * server_shares[-1])  # one in two seconds
        browser.close()
    # The first round warms up.
    slower = 1 - statistics.median(
        here / there for here, there in zip(followed[1:], alone[1:], strict=True)
    )
    share = statistics.median(server_shares[1:]) / (os.cpu_count() or 1)
    yield (
        "images per second of a run that the page follows, browser on the same machine",
        f"{statistics.median(followed[1:]):,.0f} images/s",
        "no browser following it",
        f"{statistics.median(alone[1:]):,.0f} images/s",
        f"{slower:.1%} slower",
    )
    yield (
        "processor time of the dashboard per refresh of the page, every 2 s",
        milliseconds(statistics.median(refreshes[1:])),
        f"2 s of {os.cpu_count()} cores",
        f"{2 * (os.cpu_count() or 1)} s",
        f"{share:.1%} of them",
    )


def _read_cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextmanager
def _open_page(page: Page, url: str) -> Iterator[None]:
    page.goto(url)
    page.wait_for_selector(".js-plotly-plot, [data-testid=stProgress]")
    time.sleep(3)  # what a first look costs is no refresh
    try:
        yield
    finally:
        page.close()


def _measure_pace(settings: Settings, run_id: str, recipe: Recipe) -> float:
    """Return images per second over a window, from one sign of progress to another."""
    since, first = _wait_for_step(settings, run_id)
    now, last = since, first
    while now - since < _WINDOW_SECONDS:
        now, last = _wait_for_step(settings, run_id, last)
    return (last - first) * recipe.batch_size / (now - since)


def _wait_for_step(settings: Settings, run_id: str, after: int | None = None) -> tuple[float, int]:
    """Return when the record's number of steps changed, and to what."""
    while True:
        progress = control.load_run(settings, run_id).progress
        now = time.perf_counter()
        done = progress.done if progress and progress.phase is Phase.NETWORK else 0
        after = done if after is None and done else after
        if done and done != after:
            return now, done
        time.sleep(0.05)

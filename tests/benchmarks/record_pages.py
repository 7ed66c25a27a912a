"""Today, Patients and a lesion of a large drawn record, in a real Chromium with a real server.

The record is that of `records`; all its photographs are one shared drawn file. Nothing is cached
for a lesion: each round opens another one.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.page import DASHBOARD, IDLE, serve
from tests.benchmarks.records import make_record
from tests.benchmarks.timing import Row

KEPT = "MELANOMA_BENCH_RECORD"
"""Environment variable: a folder that holds the record already, or keeps it for the next time."""

_NUM_ROUNDS = 5
_TARGET = 0.3  # seconds
_PATIENCE_MS = 120_000
_ROWS, _PATIENTS = ".st-key-today-rows a", ".st-key-patients-rows a"
_PICTURE = ".st-key-layer-photograph img"
# Resolves in the frame in which an element is shown; pictures when they are loaded: a viewer shows
# them in its own place.
_WAIT = """([selector, text]) => new Promise(done => {
  const isShown = each => each.tagName === "IMG"
    ? each.complete && each.naturalWidth
    : each.textContent.includes(text) && each.clientHeight;
  const look = () => [...document.querySelectorAll(selector)].some(isShown)
    ? done() : requestAnimationFrame(look);
  look();
})"""


_HOLDS_ONLY = """text => {
  const all = [...document.querySelectorAll(".task-row .what")];
  return all.length > 0 && all.every(each => each.textContent.includes(text));
}"""

Seconds = dict[str, tuple[float, float]]


def measure() -> Iterable[Row]:
    """Each step a doctor takes from Today to a lesion; the medians of a warm server."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(os.environ.get(KEPT) or Path(temporary) / "record")
        if not folder.is_dir():
            make_record(folder).close()
        os.environ["MELANOMA_RECORD"] = str(folder)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with serve(DASHBOARD) as server:
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(f"{server.url}/today")
            page.get_by_label("Your name or initials").fill("benchmark")
            page.get_by_role("button", name="Continue").click()
            page.locator(_ROWS).first.wait_for()
            process = psutil.Process(server.process.pid)
            rounds = [_go_round(page, number, process) for number in range(_NUM_ROUNDS + 1)]
        browser.close()
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    for what in rounds[0]:
        first = rounds[0][what][0]
        median, busy = (
            statistics.median(some)
            for some in zip(*(each[what] for each in rounds[1:]), strict=True)
        )
        yield (
            f"{what}, {load}",
            f"{median:.2f} s with {busy:.2f} s of the server's processor, first {first:.2f} s",
            "the target",
            f"{_TARGET:.2f} s",
            f"{median / _TARGET:.1f} of it",
        )


def _go_round(page: Page, number: int, server: psutil.Process) -> Seconds:
    """Return how long each step of one round takes, and how long the server computes for it."""

    def follow(name: str) -> Callable[[], None]:
        return page.get_by_role("link", name=name, exact=True).first.click

    def choose(name: str) -> Callable[[], None]:
        return page.locator("button", has_text=name).first.click

    def show(what: str) -> Callable[[], object]:
        return lambda: page.evaluate(_WAIT, [what, ""])

    seconds: Seconds = {}

    def measure_step(what: str, action: Callable[[], None], *ends: Callable[[], object]) -> None:
        started, busy = time.perf_counter(), sum(server.cpu_times()[:2])
        action()
        for end in ends:
            end()
        elapsed = time.perf_counter() - started
        page.wait_for_selector(IDLE)
        seconds[what] = elapsed, sum(server.cpu_times()[:2]) - busy

    measure_step("Patients, to its rows", follow("Patients"), show(_PATIENTS))
    measure_step("Today, to its rows", follow("Today"), show(_ROWS))
    measure_step(
        "a filter of Today, to its rows",
        choose("Histology due ("),
        lambda: page.wait_for_function(_HOLDS_ONLY, arg="Histology due"),
    )
    choose("All (")()
    page.wait_for_function(f"!({_HOLDS_ONLY})('Histology due')")
    page.wait_for_selector(IDLE)
    measure_step(
        "a row of Today, to head and picture of its lesion",
        page.locator(_ROWS).nth(number).click,
        show(".st-key-lesion-head h2"),
        show(_PICTURE),
    )
    return seconds

"""Clicks on rows of a list of 60 readings, in a real Chromium, and the memory of the server."""

import os
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
from PIL import Image, ImageOps
from playwright.sync_api import Page, sync_playwright

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.reading.sessions import MAX_BYTES
from melanoma_core.reading.worklist import UNDO_SECONDS
from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.page import DASHBOARD, IDLE, go_when_up, serve
from tests.benchmarks.timing import Row, milliseconds

_REAL = PROJECT_ROOT.parent / "shared" / "data" / "full_resolution"
_NUM_PHOTOGRAPHS = 63  # of the real ones, a few are refused
_NUM_CLICKS, _NUM_WARMUPS = 60, 5
_SIZE = (4000, 3000)  # px
_PATIENCE_MS = 600_000
_TARGET = 0.3  # seconds
_ROW = '[class*="st-key-lesion-row-"]'
_POLL_SECONDS = 0.1
# Follows images through canvases, so that it is known which photograph the viewer has painted.
_FOLLOW = """
(() => {
  const sources = new WeakMap();
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    const source = image.currentSrc || image.src || sources.get(image);
    if (source) {
      sources.set(this.canvas, source);
      if (this.canvas.isConnected) (window.painted ??= new Map()).set(source, performance.now());
    }
    return draw.call(this, image, ...rest);
  };
})()
"""
# Resolves with the milliseconds from the next click to the opened reading.
_WATCH = """
([name, verdict]) => new Promise((resolve) => {
  const source = () => document.querySelector(".st-key-layer-photograph img")?.src;
  const before = source();
  let start = null;
  const look = () => {
    const isThere =
      document.querySelector(".st-key-steps .name")?.textContent === name &&
      document.querySelector(".banner .verdict")?.textContent === verdict &&
      source() !== before && (window.painted?.get(source()) ?? 0) > start;
    if (isThere) resolve(performance.now() - start);
    else requestAnimationFrame(look);
  };
  window.addEventListener("click", (event) => {
    start = event.timeStamp;
    requestAnimationFrame(look);
  }, { capture: true, once: true });
  window.watching = true;
})
"""


def measure() -> Iterable[Row]:
    """From a click to its answer and picture; then the memory before, with and without them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        paths = _make_photographs(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with serve(DASHBOARD) as server:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(_PATIENCE_MS)
            page.add_init_script(_FOLLOW)
            go_when_up(page, server.url)
            process = psutil.Process(server.process.pid)
            empty = _read_one(page, process, paths[0])
            count = _upload(page, paths)
            full = process.memory_info().rss
            before, load = process.cpu_times(), os.getloadavg()[0]
            seconds = _click_rows(page)
            after = process.cpu_times()
            opened = process.memory_info().rss
            _forget(page)
            forgotten = process.memory_info().rss
        browser.close()
    spent = (after.user + after.system - before.user - before.system) / len(seconds)
    ordered = sorted(seconds[_NUM_WARMUPS:])
    median, late = statistics.median(ordered), ordered[int(0.95 * len(ordered))]
    origin = "real" if _REAL.is_dir() else "drawn (../shared is missing)"
    yield (
        f"click on a row of {count} readings, {origin} photographs of 12 megapixels, to its "
        f"answer and picture: median (95th percentile) of {len(ordered)} clicks at a load of "
        f"{load:.1f}",
        f"{milliseconds(median)} ({milliseconds(late)})",
        "the target for the median",
        milliseconds(_TARGET),
        f"{median / _TARGET:.2f} of it",
    )
    yield (
        "processor time of the server per click",
        milliseconds(spent),
        "–",
        "–",
        "–",
    )
    yield (
        f"resident memory with the {count} in the list, beyond that with one photograph read",
        f"{(opened - empty) / 2**20:.0f} MiB",
        "what photographs of all sessions may take",
        f"{MAX_BYTES / 2**20:.0f} MiB",
        f"{(opened - empty) / MAX_BYTES:.2f} of it",
    )
    yield (
        "resident memory after Forget all and its time to undo",
        f"{forgotten / 2**20:.0f} MiB",
        "with one photograph read; with all read; after the clicks",
        ", ".join(f"{each / 2**20:.0f} MiB" for each in (empty, full, opened)),
        f"{forgotten / empty:.2f} times as much",
    )


def _make_photographs(folder: Path) -> list[Path]:
    """Return JPEG files of 12 megapixels: real photographs as they are and mirrored."""
    sources = sorted(_REAL.glob("*.jpg")) or [lesion.path for lesion in DEMONSTRATION_LESIONS]
    paths = []
    for number in range(_NUM_PHOTOGRAPHS):
        turn, place = divmod(number, len(sources))
        image = Image.open(sources[place]).convert("RGB").resize(_SIZE)
        image = ImageOps.mirror(image) if turn % 2 else image
        image = image.rotate(180 * (turn // 2))
        paths.append(folder / f"{number:02d}.jpg")
        image.save(paths[-1], quality=90)
    return paths


def _read_one(page: Page, process: psutil.Process, path: Path) -> int:
    """Read a photograph, so that everything is imported, and forget it."""
    _choose(page, [path])
    page.get_by_role("button", name="Forget all").wait_for()
    page.wait_for_selector(IDLE)
    _forget(page)
    return process.memory_info().rss


def _upload(page: Page, paths: list[Path]) -> int:
    """Return how many were read."""
    _choose(page, paths)
    page.get_by_text("most suspicious first").wait_for()
    page.get_by_role("button", name="Cancel remaining").wait_for(state="detached")
    page.wait_for_selector(IDLE)
    return int(page.get_by_text("most suspicious first").inner_text().split()[0])


def _choose(page: Page, paths: list[Path]) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(paths)


def _click_rows(page: Page) -> list[float]:
    """Click on rows at random, and turn the page of the list at random."""
    generator = random.Random(0)
    seconds = []
    while len(seconds) < _NUM_WARMUPS + _NUM_CLICKS:
        if len(seconds) % 6 == 0:
            _turn_page(page, generator)
        opened = page.locator(".st-key-steps .name").inner_text()
        rows = page.locator(_ROW)
        row = rows.nth(generator.randrange(rows.count()))
        name = row.locator(".name").inner_text()
        if name == opened:
            continue
        button = row.get_by_role("button")
        verdict = button.inner_text().split(maxsplit=1)[1]
        button.scroll_into_view_if_needed()
        page.evaluate(f"arguments => {{ window.outcome = ({_WATCH})(arguments) }}", [name, verdict])
        button.click()
        seconds.append(page.evaluate("() => window.outcome") / 1000)
        page.wait_for_selector(IDLE)
        time.sleep(_POLL_SECONDS)
    return seconds


def _turn_page(page: Page, generator: random.Random) -> None:
    numbers = page.get_by_test_id("stSidebar").get_by_role("button", name=re.compile(r"^Page \d"))
    numbers.nth(generator.randrange(numbers.count())).click()
    page.wait_for_timeout(500)
    page.wait_for_selector(IDLE)


def _forget(page: Page) -> None:
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Forget them").click()
    page.get_by_text("left to undo").wait_for()
    page.get_by_text("left to undo").wait_for(state="detached")
    time.sleep(UNDO_SECONDS / 4)  # the timer of the worklist frees what could be undone

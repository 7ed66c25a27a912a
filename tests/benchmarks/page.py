"""From starting the dashboard to its pages painted, in a real Chromium."""

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.timing import Row, time_in_turn

DASHBOARD = PROJECT_ROOT / "dashboard" / "app.py"
IDLE = '[data-test-script-state="notRunning"]'
_PAGES = ("Reading", "Dataset", "Training", "Models", "Evaluation")
_NUM_ROUNDS = 3
_PATIENCE_MS = 120_000
_FIRST_PAINT = (
    """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN"""
)


def measure() -> Iterable[Row]:
    """The landing page beside a Streamlit page that says hello; then each page, cold and warm."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        hello = Path(folder) / "hello.py"
        hello.write_text("import streamlit as st\nst.title('Hello')\n")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        seconds = time_in_turn(
            {
                "here": lambda: _paint(browser, DASHBOARD, "[data-testid=stFileUploader]"),
                "bare": lambda: _paint(browser, hello, "h1"),
            },
            num_rounds=7,
            num_warmups=1,
        )
        opened = {name: [_open(browser, name) for _ in range(_NUM_ROUNDS)] for name in _PAGES}
        browser.close()
    yield (
        "dashboard, from start to first page painted",
        f"{seconds['here']:.2f} s",
        "a bare Streamlit page with one title",
        f"{seconds['bare']:.2f} s",
        f"{seconds['here'] / seconds['bare']:.2f} times as long",
    )
    for name, rounds in opened.items():
        (cold_paint, cold), (warm_paint, warm) = (
            (statistics.median(paints), statistics.median(ends))
            for paints, ends in (zip(*each, strict=True) for each in zip(*rounds, strict=True))
        )
        yield (
            f"{name} page of a server that has shown none, first paint and ready",
            f"{cold_paint:.2f} s, {cold:.2f} s",
            "the same page again, in a new browser session",
            f"{warm_paint:.2f} s, {warm:.2f} s",
            f"{cold / warm:.1f} times as long until ready",
        )


def _open(browser: Browser, name: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the seconds until a page is painted and ready, with a new server and once more."""
    with serve(DASHBOARD) as server:
        address = server.url if name == _PAGES[0] else f"{server.url}/{name.lower()}"
        return _visit(browser, name, address), _visit(browser, name, address)


def _visit(browser: Browser, name: str, address: str) -> tuple[float, float]:
    page = browser.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    started = time.perf_counter()
    page.goto(address)
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
    page.wait_for_selector(IDLE)
    seconds = time.perf_counter() - started
    painted: float = page.evaluate(_FIRST_PAINT)
    page.close()
    return painted / 1000, seconds


def _paint(browser: Browser, script: Path, selector: str) -> None:
    with serve(script, wait=False) as server:
        page = browser.new_page()
        go_when_up(page, server.url)
        page.wait_for_selector(selector)
        page.close()


@dataclass(frozen=True)
class Server:
    """A Streamlit server of its own."""

    url: str
    process: subprocess.Popen


@contextmanager
def serve(script: Path, *, wait: bool = True) -> Iterator[Server]:
    """Start a Streamlit server on a free port, and end it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    options = ["--server.headless=true", f"--server.port={port}", "--logger.level=error"]
    process = subprocess.Popen(command + options, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)
    try:
        while wait and not _listens(port):
            time.sleep(0.05)
        yield Server(f"http://localhost:{port}", process)
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def go_when_up(page: Page, url: str, patience_seconds: float = 60.0) -> None:
    """Open an address as soon as a server answers there."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            page.goto(url)
        except PlaywrightError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return

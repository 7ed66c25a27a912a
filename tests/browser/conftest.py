"""One real server and one real browser for all tests of a session."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests.conftest import need

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
_POLL_SECONDS = 0.05
FIND_BROKEN = """() => [...document.images]
  .filter(image => image.complete && !image.naturalWidth)
  .map(image => image.src)"""

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the dashboard, started as by `make run` but without a browser."""
    with run_server(tmp_path_factory.mktemp("server")) as url:
        yield url


@contextmanager
def run_server(folder: Path, port: int | None = None, **more: str) -> Iterator[str]:
    """Run the dashboard with runs and models in a folder; at the end, stop the runs left over.

    Args:
        folder: Of runs, models and records.
        port: Where it listens; None for a free one.
        more: Further variables of its environment, such as MELANOMA_RECORD.
    """
    names = ("MELANOMA_RUNS_DIR", "MELANOMA_MODELS_DIR", "MELANOMA_RECORDS_DIR")
    places = {name: str(folder / name) for name in names} | more
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port once more
        probe.bind(("localhost", port or 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.headless=true", f"--server.port={port}", "--logger.level=error"]
    process = subprocess.Popen(
        command + options,
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        env=os.environ | places,
    )
    url = f"http://localhost:{port}"
    try:
        _wait_until_up(process, url)
        yield url
    finally:
        process.terminate()
        process.wait()
        for spec in folder.glob("*/*/spec.json"):
            spec.with_name("stop").touch()


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health").close()
        except (urllib.error.URLError, ConnectionError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_SECONDS)
            continue
        return
    pytest.fail(f"The server exited with status {process.returncode} before it was ready.")


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Return the system's Chromium."""
    path = shutil.which("chromium")
    need(path is not None, "there is no chromium on the PATH")
    browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(chromium: Browser, server: str) -> Iterator[Open]:
    """Open the dashboard in a new browser context; errors in the browser fail the test."""
    contexts, problems = [], []

    def open_(
        width: int = 1440, height: int = 900, color_scheme: str = "light", has_touch: bool = False
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            has_touch=has_touch,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.extend(_find_problems(message)))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.extend(_find_external(request.url, server)))
        page.goto(server)
        expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
        return page

    expect.set_options(timeout=PATIENCE_MS)
    yield open_
    for context in contexts:
        for page in context.pages:
            problems.extend(f"Broken image: {url}" for url in page.evaluate(FIND_BROKEN))
        context.close()
    assert problems == []


def _find_problems(message: ConsoleMessage) -> list[str]:
    # Opened at the address of a page, Streamlit first looks for its server below that address.
    is_probe = message.location["url"].endswith(("/_stcore/health", "/_stcore/host-config"))
    # Streamlit drops an image as soon as a rerun replaces it, while a slow browser may still
    # request it. An image that stays broken is found at the end.
    is_replaced = "/media/" in message.location["url"] or "Image source error" in message.text
    is_expected = is_probe or is_replaced
    return [message.text] if message.type == "error" and not is_expected else []


def _find_external(url: str, server: str) -> list[str]:
    allowed = (server, server.replace("http", "ws", 1), "data:", "blob:")
    return [] if url.startswith(allowed) else [f"Request to another host: {url}"]

"""From a fresh clone to the first painted page: `make run` on a machine that has nothing yet.

It downloads about 1 GB twice, so it runs only when it is named:
`python -m tests.benchmarks first_start`.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.page import go_when_up
from tests.benchmarks.timing import Row

BEFORE = "b36f265"  # the last commit that installed with pip
_UPLOAD = "[data-testid=stFileUploader]"
_KEPT = ("PIP_", "UV_", "SSL_", "REQUESTS_", "PYENV_")  # how this machine reaches its packages
_PATIENCE_SECONDS = 900.0


def measure() -> Iterable[Row]:
    """Start this commit and an earlier one, each with a home and package caches of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        before, _ = _start(browser, BEFORE)
        here, num_bytes = _start(browser, "HEAD")
        browser.close()
    yield (
        "`make run`, from a fresh clone to the first painted page, "
        f"{num_bytes / 1e9:.1f} GB installed, package caches empty",
        f"{here:.0f} s",
        f"the same at commit {BEFORE}",
        f"{before:.0f} s",
        f"{here / before:.2f} times as long",
    )


def _start(browser: Browser, commit: str) -> tuple[float, int]:
    """Return the seconds until the page is painted, and the bytes of the environment."""
    with tempfile.TemporaryDirectory() as folder:
        home, checkout = Path(folder) / "home", Path(folder) / "project"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", PROJECT_ROOT, checkout], check=True)
        subprocess.run(["git", "-C", checkout, "checkout", "-q", commit], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        environment |= {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        environment |= {"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_PORT": str(port)}
        started = time.perf_counter()
        process = subprocess.Popen(
            ["make", "run"],
            cwd=checkout,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            page = browser.new_page()
            go_when_up(page, f"http://localhost:{port}", _PATIENCE_SECONDS)
            page.wait_for_selector(_UPLOAD)
            seconds = time.perf_counter() - started
            page.close()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        files = (path for path in (checkout / ".venv").rglob("*") if not path.is_symlink())
        return seconds, sum(path.stat().st_size for path in files if path.is_file())

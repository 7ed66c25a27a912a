"""`melanoma serve`: the pages and the API of one real server."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from melanoma_core.access.rights import Role
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.service.tokens import create_token
from melanoma_core.settings import PROJECT_ROOT
from tests.dashboard.servers import Server, find_port, list_pages, run_page, wait_until_up

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def token(folder: Path) -> str:
    return create_token(folder / "tokens.json", "page", [Role.READER], None)[0]


@pytest.fixture(scope="module")
def server(folder: Path, token: str) -> Iterator[Server]:  # noqa: ARG001 - made before
    port = find_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard", "serve", "--port", str(port), "--readers", "2"],
            cwd=PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=os.environ | {"MELANOMA_ACCESS_DIR": str(folder)},
        )
    server = Server(port, process)
    try:
        wait_until_up(server)
        yield server
    finally:
        process.terminate()
        process.wait()


def read(server: Server, token: str, **headers: str) -> requests.Response:
    return requests.post(
        f"{server.url}/v1/readings",
        files={"photograph": ("a.jpg", DEMONSTRATION_LESIONS[0].path.read_bytes())},
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=60,
    )


def test_both_are_on_one_port(server: Server, token: str):
    assert read(server, token).json()["status"] == "read"
    assert requests.get(f"{server.url}/readyz", timeout=60).json()["status"] == "ready"
    page = requests.get(server.url, headers={"Host": server.host}, timeout=60)
    assert page.text.lstrip().startswith("<!")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "Reading" in list_pages(run_page(server, {"Host": server.host}))


def test_a_proxy_reaches_the_api_with_a_token(server: Server, token: str):
    assert read(server, token, **{"X-Forwarded-For": "192.0.2.1"}).ok
    assert read(server, "wrong", **{"X-Forwarded-For": "192.0.2.1"}).status_code == 401
    page = requests.get(server.url, headers={"X-Forwarded-For": "192.0.2.1"}, timeout=60)
    assert page.status_code == 403  # there is no login


def test_the_api_answers_while_the_page_is_busy(server: Server, token: str):
    stop = threading.Event()
    runs: list[int] = []

    def keep_busy() -> None:
        while not stop.is_set():
            runs.append(len(run_page(server, {"Host": server.host})))

    threads = [threading.Thread(target=keep_busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    answers = [read(server, token).json()["status"] for _ in range(10)]
    stop.set()
    for thread in threads:
        thread.join()
    assert answers == ["read"] * 10
    assert len(runs) >= 4


def test_it_ends_with_all_of_its_processes_and_logs_lines_of_json(server: Server, folder: Path):
    children = psutil.Process(server.process.pid).children(recursive=True)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert psutil.wait_procs(children, timeout=10)[1] == []
    lines = (folder / "log").read_text().splitlines()
    assert [line for line in lines if not line.startswith('{"time": ')] == []


@pytest.mark.parametrize("options", [["--host", "0.0.0.0"], ["--name", "clinic.example"]])
def test_a_server_for_others_without_a_login_does_not_start(options: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", "dashboard", "serve", "--port", str(find_port()), *options],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "would answer other machines, and has no login" in done.stderr

"""A real server of the API in a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from melanoma_core.access.rights import Role
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.service.tokens import create_token
from melanoma_core.settings import PROJECT_ROOT

_PATIENCE_SECONDS = 60
DRAWN = DEMONSTRATION_LESIONS[0].path


@dataclass(frozen=True)
class Server:
    """A server of the API.

    Attributes:
        port: Where it listens, on this machine.
        process: Its process.
        folder: Of its tokens and its log.
        tokens: By role.
    """

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    tokens: Mapping[Role, str] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def list_events(self) -> list[dict[str, Any]]:
        # An interpreter that ends while its parent does may write a line of its own.
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def authorise(self, role: Role = Role.READER) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[role]}"}

    def ask(self, path: str, role: Role = Role.AUDITOR) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self.authorise(role), timeout=60)

    def read(
        self, content: bytes, name: str = "lesion.jpg", role: Role = Role.READER, **fields: str
    ) -> requests.Response:
        """Send a photograph."""
        return requests.post(
            f"{self.url}/v1/readings",
            files={"photograph": (name, content)},
            data=fields,
            headers=self.authorise(role),
            timeout=60,
        )

    def measure(self, name: str) -> float:
        """Return the value of a metric."""
        text = self.ask("/metrics").text
        (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
        return float(line.split()[1])

    def list_readers(self) -> list[psutil.Process]:
        """Return the processes that read."""
        children = psutil.Process(self.process.pid).children()
        return [each for each in children if "LokyProcess" in " ".join(each.cmdline())]


Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def serve_api(tmp_path_factory: pytest.TempPathFactory, unguarded: Path) -> Serve:
    """Serve the API with two models, the bundled one and `unguarded`, until the block ends."""

    @contextmanager
    def serve(*options: str, **environment: str) -> Iterator[Server]:
        folder = tmp_path_factory.mktemp("service")
        path = folder / "tokens.json"
        tokens = {role: create_token(path, f"a {role}", [role], None)[0] for role in Role}
        port = _find_port()
        command = [
            sys.executable,
            "-m",
            "melanoma_core",
            "serve",
            "--api-only",
            "--port",
            f"{port}",
        ]
        settings = {
            "MELANOMA_ACCESS_DIR": str(folder),
            "MELANOMA_MODELS_DIR": str(unguarded.parent),
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *options],
                cwd=PROJECT_ROOT,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=os.environ | settings | environment,
            )
        server = Server(port, process, folder, tokens)
        try:
            _wait_until_up(server)
            yield server
        finally:
            process.terminate()
            process.wait()

    return serve


@pytest.fixture(scope="session")
def api(serve_api: Serve) -> Iterator[Server]:
    """One server for all tests that leave it as it was."""
    with serve_api("--readers", "2") as server:
        yield server


@pytest.fixture
def drawn() -> bytes:
    """The content of a demonstration lesion."""
    return DRAWN.read_bytes()


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_up(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            requests.get(f"{server.url}/healthz", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"The server is not up; its status is {server.process.poll()}.")

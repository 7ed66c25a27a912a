"""A real FHIR R4 server on loopback (`server/server.mjs`), and a record with a read lesion."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from tests.conftest import need
from tests.core.records.made_cases import INVASIVE
from tests.core.records.made_loops import add_loop

_FOLDER = Path(__file__).with_name("server")
TOKEN = "a.token-of+tests/="


@dataclass(frozen=True)
class Server:
    """The server.

    Attributes:
        url: Its base address.
    """

    url: str

    def ask(self, path: str, content: bytes | None = None) -> Any:
        """Return what it answers to a GET, or to a POST of a content."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
        request = urllib.request.Request(f"{self.url}/{path}", content, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def validate(self, content: bytes) -> list[str]:
        """Return what both validators have against a Bundle."""
        return [
            f"{each['details']['text']} {each.get('expression')}"
            for each in self.ask("$validate", content)["issue"]
        ]

    def count(self, kind: str) -> int:
        """Return how many resources of a type it has."""
        return self.ask(f"{kind}?_total=accurate")["total"]

    def find(self, kind: str, query: str) -> list[Any]:
        """Return resources of a type."""
        return [each["resource"] for each in self.ask(f"{kind}?{query}").get("entry", [])]


@pytest.fixture
def server(running: Server) -> Server:
    """An empty server."""
    running.ask("$forget", b"{}")
    return running


@pytest.fixture(scope="session")
def running() -> Generator[Server, None, None]:
    """A server, which ends with its standard input."""
    node = shutil.which("node")
    is_installed = (_FOLDER / "node_modules").is_dir()
    need(
        node is not None and is_installed,
        f"needs Node.js 20 and `npm ci --ignore-scripts` in {_FOLDER.name}/ of these tests",
    )
    process = subprocess.Popen(
        [str(node), "server.mjs"],
        cwd=_FOLDER,
        env={"PATH": "", "FHIR_TOKEN": TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = process.stdout.readline().decode().strip()
        assert port, "the server did not start"
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record, None, None]:
    """A record with one lesion that went through the whole loop."""
    made = Record.create(tmp_path / "record", "dr.a")
    add_loop(made, "drawn-1", INVASIVE, Management.EXCISION)
    yield made
    made.close()

"""A real server of the dashboard, and what a browser says to it."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from melanoma_core.settings import PROJECT_ROOT

_PATIENCE_SECONDS = 60
T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """A server in a process of its own.

    Attributes:
        port: Where it listens, on every address that it was given.
        process: Its process.
    """

    port: int
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serve(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run the dashboard as `make run` does, without a browser, until the block ends."""
    port = find_port()
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", *options]
    process = subprocess.Popen(
        [*command, "--server.headless=true", f"--server.port={port}", "--logger.level=error"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        env=os.environ | dict(environment or {}),
    )
    server = Server(port, process)
    try:
        wait_until_up(server)
        yield server
    finally:
        process.terminate()
        process.wait()


def find_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_up(server: Server) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            requests.get(f"{server.url}/_stcore/health", headers={"Host": server.host}, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"The server is not up; its status is {server.process.poll()}.")


def open_socket(server: Server, headers: Mapping[str, str]) -> connect:
    """Return the WebSocket of a session, to be entered with `async with`.

    Args:
        server: The server.
        headers: With "Host", and "Origin" where a browser sends it.
    """
    others = {name: value for name, value in headers.items() if name not in {"Host", "Origin"}}
    return connect(
        f"ws://{headers['Host']}/_stcore/stream",
        host="127.0.0.1",
        port=server.port,
        origin=headers.get("Origin"),  # type: ignore[arg-type]
        additional_headers=others,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
        proxy=None,
    )


def run_page(server: Server, headers: Mapping[str, str], page: str = "") -> Sequence[ForwardMsg]:
    """Run a page in a new session and return all that the browser is sent.

    Args:
        server: The server.
        headers: Of the handshake.
        page: Address of the page; empty for the first one.
    """

    async def run() -> Sequence[ForwardMsg]:
        async with open_socket(server, headers) as connection:
            return await start_session(connection, page)

    return run_apart(asyncio.wait_for(run(), _PATIENCE_SECONDS))


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: Playwright's event loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def start_session(connection: ClientConnection, page: str = "") -> Sequence[ForwardMsg]:
    """Ask for a page and return the messages until its script has finished."""
    request = BackMsg()
    request.rerun_script.page_name = page
    await connection.send(request.SerializeToString())
    messages = []
    while not messages or messages[-1].WhichOneof("type") != "script_finished":
        message = ForwardMsg()
        data = await connection.recv()
        assert isinstance(data, bytes)
        message.ParseFromString(data)
        messages.append(message)
    return messages


def list_pages(messages: Sequence[ForwardMsg]) -> list[str]:
    """Return the titles of the pages that a session is offered."""
    (navigation,) = [m.navigation for m in messages if m.WhichOneof("type") == "navigation"]
    return [page.page_name for page in navigation.app_pages]


def list_headings(messages: Sequence[ForwardMsg]) -> list[str]:
    """Return the titles of the pages that were run."""
    elements = [m.delta.new_element for m in messages if m.WhichOneof("type") == "delta"]
    return [
        element.heading.body
        for element in elements
        if element.WhichOneof("type") == "heading" and element.heading.tag == "h1"
    ]

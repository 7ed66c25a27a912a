"""The API under a steady load: readings a minute, memory, and `predict` on the same photographs."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from melanoma_core.access.rights import Role
from melanoma_core.data.drawn.lesions import write_demonstration
from melanoma_core.service.tokens import create_token
from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.timing import Row, milliseconds

_NUM_READINGS = 1000
_EARLY = 100  # readings until memory is measured first
_NUM_SENDERS = 4
_PER_MINUTE = 200
_STEADY_SECONDS = 60


def measure() -> Iterable[Row]:
    """Readings with as many senders as it takes, then 200 a minute, then `predict`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs = [path.read_bytes() for path in write_demonstration(folder / "drawn")]
        with _serve(folder) as (url, process):
            seconds, early, late = _read_all(url, process, photographs)
            steady = _read_steadily(url, photographs)
        predicted = _predict(folder / "drawn", len(photographs))
    rate = 60 * _NUM_READINGS / seconds
    yield (
        f"HTTP API: readings of 600×450 JPEGs a minute, {_NUM_SENDERS} senders",
        f"{rate:.0f}",
        "`predict` of the same files in one process",
        f"{predicted:.0f}",
        f"{rate / predicted:.2f} times as many",
    )
    yield (
        f"HTTP API: memory of all its processes after {_NUM_READINGS:,} readings",
        f"{late / 2**20:.0f} MiB",
        f"after {_EARLY}",
        f"{early / 2**20:.0f} MiB",
        f"{late / early:.3f} times as much",
    )
    usual, slow = statistics.median(steady), sorted(steady)[int(0.95 * len(steady))]
    yield (
        f"HTTP API: answer at {_PER_MINUTE} readings a minute, median of {len(steady)}",
        milliseconds(usual),
        "its 95th percentile",
        milliseconds(slow),
        f"{slow / usual:.1f} times as long",
    )


@contextmanager
def _serve(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text, _ = create_token(folder / "tokens.json", "benchmark", [Role.READER], 1)
    _HEADERS["Authorization"] = f"Bearer {text}"
    process = subprocess.Popen(
        [*(sys.executable, "-m", "melanoma_core", "serve", "--api-only"), "--port", str(port)],
        cwd=PROJECT_ROOT,
        env=os.environ | {"MELANOMA_ACCESS_DIR": str(folder)},
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


_HEADERS: dict[str, str] = {}


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            if requests.get(f"{url}/readyz", timeout=60).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError("The server is not ready.")


def _read(url: str, content: bytes) -> float:
    started = time.perf_counter()
    answer = requests.post(
        f"{url}/v1/readings",
        files={"photograph": ("lesion.jpg", content)},
        headers=_HEADERS,
        timeout=60,
    )
    assert answer.json()["status"] == "read", answer.text
    return time.perf_counter() - started


def _read_all(
    url: str, process: psutil.Process, photographs: list[bytes]
) -> tuple[float, int, int]:
    """Return the seconds of all but the first readings; the memory after those, and after all."""
    contents = [photographs[n % len(photographs)] for n in range(_EARLY + _NUM_READINGS)]
    with ThreadPoolExecutor(_NUM_SENDERS) as pool:
        list(pool.map(lambda content: _read(url, content), contents[:_EARLY]))
        early, started = _measure_memory(process), time.perf_counter()
        list(pool.map(lambda content: _read(url, content), contents[_EARLY:]))
        return time.perf_counter() - started, early, _measure_memory(process)


def _read_steadily(url: str, photographs: list[bytes]) -> list[float]:
    """Return the seconds of each answer, where photographs come at equal intervals."""
    number = _PER_MINUTE * _STEADY_SECONDS // 60
    started = time.perf_counter()

    def read(place: int) -> float:
        time.sleep(max(0.0, started + place * 60 / _PER_MINUTE - time.perf_counter()))
        return _read(url, photographs[place % len(photographs)])

    with ThreadPoolExecutor(_NUM_SENDERS) as pool:
        return list(pool.map(read, range(number)))


def _measure_memory(process: psutil.Process) -> int:
    family = (process, *process.children(recursive=True))
    return sum(each.memory_info().rss for each in family)


def _predict(folder: Path, num_photographs: int) -> float:
    """Return the readings a minute of one `predict`, without its start."""
    seconds = {}
    for times in (1, 40):
        files = [str(path) for path in sorted(folder.iterdir())] * times
        started = time.perf_counter()
        command = [sys.executable, "-m", "melanoma_core", "predict", *files, "--json"]
        done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True)
        seconds[times] = time.perf_counter() - started
        assert len(json.loads(done.stdout)) == times * num_photographs
    return 60 * 39 * num_photographs / (seconds[40] - seconds[1])

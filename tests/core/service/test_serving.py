"""A real server of the API under load, with people who leave, and when it is asked to end."""

import io
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
from PIL import Image

from melanoma_core.access.rights import Role
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import Classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.reading import Reading, read_content
from melanoma_core.service.tokens import create_token, revoke_token
from melanoma_core.settings import PROJECT_ROOT
from tests.core.service.conftest import Serve, Server

pytestmark = pytest.mark.slow
_PATIENCE_SECONDS = 60
_BOUNDARY = "boundary"


def draw(seed: int, side: int = 160) -> bytes:
    """Return a photograph that is another one for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def make_request(server: Server, content: bytes, role: Role = Role.READER) -> bytes:
    """Return the bytes of a request."""
    disposition = 'Content-Disposition: form-data; name="photograph"; filename="a"'
    start, end = f"--{_BOUNDARY}\r\n{disposition}\r\n\r\n", f"\r\n--{_BOUNDARY}--\r\n"
    body = start.encode() + content + end.encode()
    head = (
        f"POST /v1/readings HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\n"
        f"Authorization: Bearer {server.tokens[role]}\r\n\r\n"
    )
    return head.encode() + body


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=_PATIENCE_SECONDS)


def test_of_many_at_once_each_gets_their_own(api: Server, unguarded_classifier: Classifier):
    photographs = [draw(seed) for seed in range(14)]
    expected = []
    for content in photographs:
        reading = read_content(unguarded_classifier, content)
        assert isinstance(reading, Reading)
        expected.append(reading.probabilities)

    with ThreadPoolExecutor(len(photographs)) as pool:
        answers = list(
            pool.map(
                lambda place: api.read(photographs[place], f"{place}", model="unguarded").json(),
                range(len(photographs)),
            )
        )

    assert [answer["image"] for answer in answers] == [str(place) for place in range(14)]
    assert len({answer["request_id"] for answer in answers}) == 14
    found = np.array([list(answer["probabilities"].values()) for answer in answers])
    np.testing.assert_allclose(found, np.array(expected), atol=1e-5)


def test_a_full_queue_asks_to_come_back(serve_api: Serve, drawn: bytes):
    with serve_api("--readers", "1", "--queue", "2") as server:
        waiting = [connect(server) for _ in range(2)]
        for each in waiting:  # half of a photograph takes a place, too
            each.sendall(make_request(server, drawn)[:-100])
        wait_for(lambda: server.measure("melanoma_in_flight") == 2)

        refused = server.read(drawn)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "2"
        assert refused.json()["detail"].startswith("Found 2 photographs that wait, the limit.")
        # A large one arrives whole before it is refused, so that its sender sees the answer.
        assert server.read(bytes(20 * 2**20)).status_code == 429

        for each in waiting:
            each.sendall(make_request(server, drawn)[-100:])
            assert each.recv(100).startswith(b"HTTP/1.1 200")
            each.close()
        assert server.read(drawn).status_code == 200
        assert server.measure("melanoma_in_flight") == 0


def test_a_photograph_whose_sender_has_left_is_not_read(serve_api: Serve, drawn: bytes):
    with serve_api("--readers", "1") as server:
        server.ask("/readyz")
        (reader,) = server.list_readers()
        reader.suspend()
        senders = [connect(server) for _ in range(3)]
        for place, each in enumerate(senders):
            each.sendall(make_request(server, drawn))
            wait_for(lambda place=place: server.measure("melanoma_in_flight") == place + 1)  # type: ignore[misc]
        for each in senders:
            each.close()
        wait_for(lambda: server.measure("melanoma_cancelled_total") == 3)
        assert server.measure("melanoma_in_flight") == 0
        reader.resume()

        assert server.read(drawn, "after.jpg").json()["status"] == "read"
        assert server.measure("melanoma_readings_total") == 1
        # One was with the process already. The two that waited for it never were.
        assert server.measure("melanoma_reading_seconds_count") == 1


def test_a_sender_who_leaves_in_the_middle_of_a_photograph_takes_no_place(
    api: Server, drawn: bytes
):
    before = api.measure("melanoma_cancelled_total")
    with connect(api) as sender:
        sender.sendall(make_request(api, drawn)[:-1000])
        wait_for(lambda: api.measure("melanoma_in_flight") == 1)
    wait_for(lambda: api.measure("melanoma_cancelled_total") == before + 1)
    assert api.measure("melanoma_in_flight") == 0


def test_a_process_that_ends_loses_one_photograph_and_is_replaced(serve_api: Serve, drawn: bytes):
    with serve_api("--readers", "1") as server:
        server.ask("/readyz")
        (reader,) = server.list_readers()
        reader.suspend()
        with ThreadPoolExecutor(2) as pool:
            lost = pool.submit(server.read, drawn, "lost.jpg")
            wait_for(lambda: server.measure("melanoma_in_flight") == 1)
            kept = pool.submit(server.read, drawn, "kept.jpg")
            wait_for(lambda: server.measure("melanoma_in_flight") == 2)
            reader.kill()
            assert lost.result().status_code == 503
            assert "The process that read the photograph ended" in lost.result().json()["detail"]
            assert kept.result().json()["image"] == "kept.jpg"
        assert [each.pid for each in server.list_readers()] != [reader.pid]


def test_an_upload_is_in_no_file_while_it_arrives(api: Server):
    request = make_request(api, bytes(30 * 2**20))
    process = psutil.Process(api.process.pid)
    before = {each.path for each in process.open_files()}
    with connect(api) as sender:
        sender.sendall(request[:-100])
        wait_for(lambda: api.measure("melanoma_in_flight") == 1)
        time.sleep(0.2)
        for each in (process, *process.children()):
            links = [str(link.readlink()) for link in Path(f"/proc/{each.pid}/fd").iterdir()]
            assert not [link for link in links if "(deleted)" in link]
        assert {each.path for each in process.open_files()} == before
        sender.sendall(request[-100:])
        assert sender.recv(100).startswith(b"HTTP/1.1 422")


def test_what_has_begun_is_finished_before_the_server_ends(serve_api: Serve, drawn: bytes):
    with serve_api("--readers", "1") as server:
        server.ask("/readyz")
        (reader,) = server.list_readers()
        children = psutil.Process(server.process.pid).children(recursive=True)
        reader.suspend()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.read, drawn)
            wait_for(lambda: server.measure("melanoma_in_flight") == 1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            reader.resume()
            assert answer.result().json()["status"] == "read"
        assert server.process.wait(_PATIENCE_SECONDS) == 0
        gone, alive = psutil.wait_procs(children, timeout=10)
        assert (len(gone), alive) == (len(children), [])
        assert [event["event"] for event in server.list_events()][-1] == "stopped"


def test_a_server_that_is_killed_leaves_no_process(serve_api: Serve):
    with serve_api("--readers", "2") as server:
        server.ask("/readyz")
        readers = server.list_readers()
        assert len(readers) == 2
        server.process.kill()
        assert psutil.wait_procs(readers, timeout=10)[1] == []


def test_a_revoked_token_is_refused_by_the_server_that_runs(api: Server, drawn: bytes):
    path = api.folder / "tokens.json"
    text, token = create_token(path, "page", [Role.READER], 1)

    def read() -> int:
        headers = {"Authorization": f"Bearer {text}"}
        files = {"photograph": ("a.jpg", drawn)}
        return requests.post(
            f"{api.url}/v1/readings", files=files, headers=headers, timeout=60
        ).status_code

    assert read() == 200
    revoke_token(path, token.id)
    assert read() == 401


def test_without_tokens_it_reads_for_all_only_where_that_is_allowed(serve_api: Serve, drawn: bytes):
    with serve_api("--allow-anonymous", "--readers", "1") as server:
        files = {"photograph": ("a.jpg", drawn)}
        assert requests.post(f"{server.url}/v1/readings", files=files, timeout=60).ok
        for path in ("/v1/models", "/metrics"):  # the Reading page alone, as on the pages
            answer = requests.get(f"{server.url}{path}", timeout=60)
            assert (answer.status_code, answer.json()["detail"][:18]) == (401, "A token is needed.")
        wrong = {"Authorization": "Bearer wrong"}
        answer = requests.post(f"{server.url}/v1/readings", files=files, headers=wrong, timeout=60)
        assert answer.status_code == 401


def test_further_names_are_answered_where_they_are_given(serve_api: Serve):
    with serve_api("--name", "clinic.example", "--readers", "1") as server:
        for host, status in (
            ("clinic.example", 200),
            ("CLINIC.example:443", 200),
            ("[::1]", 200),
            ("other.example", 403),
            ("[::1", 403),
        ):
            answer = requests.get(f"{server.url}/healthz", headers={"Host": host}, timeout=60)
            assert answer.status_code == status, host


def test_a_port_in_use_is_refused_in_a_sentence(api: Server):
    command = [sys.executable, "-m", "melanoma_core", "serve", "--api-only"]
    done = subprocess.run(
        [*command, "--port", str(api.port), "--host", "127.0.0.1"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1, port {api.port} (" in done.stderr


def test_a_model_that_is_gone_makes_the_server_not_ready(serve_api: Serve, tmp_path: Path):
    folder = tmp_path / "other"
    folder.mkdir()
    for name in ("card.json", "model.onnx"):
        folder.joinpath(name).write_bytes(BUNDLED.joinpath(name).read_bytes())
    environment = {"MELANOMA_MODELS_DIR": str(tmp_path), "MELANOMA_MODEL": "other"}
    card = folder / "card.json"
    text = card.read_text("utf-8")
    card.write_text(text.replace(load_card(BUNDLED).model_id, "other"), "utf-8")
    with serve_api("--readers", "1", **environment) as server:
        ready = server.ask("/readyz")
        assert (ready.status_code, ready.json()["model_id"]) == (200, "other")
        (folder / "model.onnx").write_bytes(b"damaged")
        answer = server.ask("/readyz")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text
        assert server.ask("/healthz").status_code == 200
        assert server.read(b"").status_code == 503


def test_it_answers_while_others_wait(api: Server):
    """The loop of the server does no work of its own."""
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            api.read(draw(1, 2000), model="unguarded", heatmap="explained")

    with ThreadPoolExecutor(6) as pool:
        busy = [pool.submit(keep_busy) for _ in range(6)]
        time.sleep(1)
        for _ in range(5):
            assert requests.get(f"{api.url}/healthz", timeout=5).ok
        stop.set()
        for each in busy:
            each.result()

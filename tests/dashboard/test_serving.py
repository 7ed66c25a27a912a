"""A real server, asked as a browser, a stranger, a proxy and another site would ask it."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from websockets.exceptions import InvalidStatus

from dashboard.shared.access import is_direct
from melanoma_core.settings import PROJECT_ROOT
from tests.dashboard.servers import (
    Server,
    list_headings,
    list_pages,
    open_socket,
    run_apart,
    run_page,
    serve,
    start_session,
)

pytestmark = pytest.mark.slow

RECORD = ["Today", "Patients", "Lesion", "Audit", "Quiz"]
ALL = ["Reading", *RECORD, "Dataset", "Training", "Models", "Evaluation"]
COMPLETE = f"""
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "{"0" * 40}"
client_id = "dashboard"
client_secret = "a secret"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"
"""
OTHERS = (
    "today",
    "patients",
    "lesion",
    "audit",
    "quiz",
    "dataset",
    "training",
    "models",
    "evaluation",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as server:
        yield server


def browse(server: Server, **others: str) -> dict[str, str]:
    """Return the headers of a handshake by a browser at this machine."""
    return {"Host": server.host, "Origin": f"http://{server.host}"} | others


def is_refused(server: Server, headers: dict[str, str]) -> bool:
    try:
        run_page(server, headers)
    except InvalidStatus as error:
        return error.response.status_code == 403
    return False


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_a_browser_at_this_machine_is_offered_every_page(server: Server, name: str):
    host = f"{name}:{server.port}"

    messages = run_page(server, {"Host": host, "Origin": f"http://{host}"}, "models")

    assert list_pages(messages) == ALL
    assert list_headings(messages) == ["Models"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8501", "localhost.evil.example", "0.0.0.0"]
)
def test_another_host_is_refused_before_and_after_the_handshake(server: Server, host: str):
    assert is_refused(server, {"Host": host, "Origin": f"http://{host}"})
    assert is_refused(server, {"Host": host})

    for path in ("", "/_stcore/health", "/_stcore/host-config"):
        answer = requests.get(f"{server.url}{path}", headers={"Host": host}, timeout=30)
        assert answer.status_code == 403
        assert answer.text.startswith(f"Found the host '{host}', which this dashboard does not")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null", ""])
def test_another_origin_is_refused(server: Server, origin: str):
    assert is_refused(server, browse(server, Origin=origin))

    answer = requests.put(
        f"{server.url}/_stcore/upload_file/a/b", headers=browse(server, Origin=origin), timeout=30
    )
    assert answer.status_code == 403


def test_no_page_is_shown_in_a_frame_of_another(server: Server):
    for path in ("", "/models", "/_stcore/health", "/static/none.js"):
        answer = requests.get(f"{server.url}{path}", headers={"Host": server.host}, timeout=30)
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via", "CF-Connecting-IP"],
)
def test_behind_a_proxy_all_is_refused_without_a_login(server: Server, header: str):
    assert is_refused(server, browse(server, **{header: "127.0.0.1"}))

    answer = requests.get(server.url, headers=browse(server, **{header: "127.0.0.1"}), timeout=30)
    assert answer.status_code == 403
    assert answer.text.startswith("Found a request from another machine, or through a proxy.")


def test_behind_a_proxy_an_anonymous_person_is_offered_the_reading_page_alone():
    with serve(environment={"MELANOMA_ALLOW_ANONYMOUS": "1"}) as server:
        assert list_pages(run_page(server, browse(server))) == ALL  # at the machine itself
        for page in ("", *OTHERS):
            messages = run_page(server, browse(server, **{"X-Forwarded-For": "127.0.0.1"}), page)
            assert list_pages(messages) == ["Reading"]
            assert list_headings(messages) == ["Reading"]


def test_a_request_without_a_host_is_not_local():
    assert not is_direct([], "")
    assert not is_direct(["Host"], "[::1")


OPENING = [
    "--server.address=0.0.0.0",
    "--server.corsAllowedOrigins=https://clinic.example",
    "--browser.serverAddress=clinic.example",
    "--server.enableCORS=false",
    "--server.allowedHosts=*",
]


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments, "--server.headless=true", "--server.port=0"],
        cwd=PROJECT_ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("option", OPENING)
def test_a_public_server_without_a_login_does_not_start(option: str):
    ended = start("streamlit", "run", "dashboard/app.py", option)

    assert ended.returncode == 1
    assert "This server would answer other machines, and has no login." in ended.stderr


def test_no_way_to_start_it_is_without_this_check():
    for arguments in (["dashboard"], ["streamlit", "run", "dashboard/app.py"]):
        ended = start(*arguments, OPENING[0])
        assert ended.returncode == 1
        assert "start it with --allow-anonymous" in ended.stderr
    ended = start("dashboard", MELANOMA_PUBLIC_PAGES="all")
    assert ended.returncode == 1
    assert "Found MELANOMA_PUBLIC_PAGES, which no longer exists." in ended.stderr


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("[auth", "Cannot read the secrets"),
        ("[auth]", "lacks redirect_uri, cookie_secret"),
        (COMPLETE.replace("client_secret", "secret"), "lacks client_secret"),
        (COMPLETE.replace("oauth2callback", "callback"), "must end with /oauth2callback"),
        (COMPLETE.replace("0" * 40, "short"), "shorter than 32 characters"),
    ],
)
def test_a_login_that_cannot_work_is_refused_not_ignored(tmp_path: Path, content: str, found: str):
    file = tmp_path / "secrets.toml"
    file.write_text(content)

    ended = start("dashboard", STREAMLIT_SECRETS_FILES=str(file))

    assert ended.returncode == 1
    assert found in ended.stderr


@pytest.mark.parametrize("option", OPENING)
def test_a_public_server_offers_the_reading_page_alone(option: str):
    with serve(option, environment={"MELANOMA_ALLOW_ANONYMOUS": "1"}) as server:
        for page in ("", "training"):
            messages = run_page(server, browse(server), page)
            assert list_pages(messages) == ["Reading"]
            assert list_headings(messages) == ["Reading"]


def test_a_public_server_with_a_login_shows_only_the_way_to_log_in(tmp_path: Path):
    file = tmp_path / "secrets.toml"
    file.write_text(COMPLETE)
    environment = {"STREAMLIT_SECRETS_FILES": str(file)}
    with serve("--server.address=0.0.0.0", environment=environment) as server:
        for page in ("", "training"):
            messages = run_page(server, browse(server, **{"X-Forwarded-For": "10.0.0.1"}), page)
            assert list_headings(messages) == ["Sign in"]
            assert set(list_pages(messages)) == {"Sign in"}  # at each address


def test_no_other_server_is_asked_for_the_address_of_this_machine():
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def listen() -> None:
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return
                asked.append(connection.recv(200))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = {"http_proxy": address, "https_proxy": address, "no_proxy": ""}
        environment |= {"MELANOMA_ALLOW_ANONYMOUS": "1"}
        with serve(
            "--server.address=0.0.0.0",
            "--server.corsAllowedOrigins=http://clinic.example",
            environment=environment,
        ) as server:
            assert is_refused(server, browse(server, Origin="http://evil.example"))
            assert not is_refused(server, browse(server, Origin="http://clinic.example"))
        with pytest.raises(requests.RequestException):
            requests.get("http://evil.example", proxies={"http": address}, timeout=30)
        proxy.shutdown(socket.SHUT_RDWR)

    (only,) = asked  # by this test itself: the proxy sees what is asked
    assert only.startswith(b"GET http://evil.example/")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_upload_of_5_mb_touches_no_disk(server: Server):
    with tempfile.SpooledTemporaryFile(max_size=1) as spooled:
        spooled.write(b"two")
        assert list_temporary(os.getpid())  # even a deleted file is seen
    photograph = os.urandom(5 * 2**20)

    files, status = run_apart(upload_slowly(server, photograph))

    assert status == 204
    assert files == [[], [], []]


async def upload_slowly(server: Server, photograph: bytes) -> tuple[list[list[str]], int]:
    """Upload a file; return the server's temporary files meanwhile, and the answer's status."""
    headers = browse(server)
    async with open_socket(server, headers) as connection:
        messages = await start_session(connection)
        (start,) = [m.new_session for m in messages if m.WhichOneof("type") == "new_session"]
        health = requests.get(f"{server.url}/_stcore/health", headers=headers, timeout=30)
        token = health.cookies[XSRF_COOKIE_NAME]
        files: list[list[str]] = []

        def send() -> Iterator[bytes]:
            yield (
                b"--line\r\nContent-Disposition: form-data; name=file; filename=a.jpg\r\n"
                b"Content-Type: image/jpeg\r\n\r\n"
            )
            for first, last in ((0, 2), (2, 4), (4, 5)):
                yield photograph[first * 2**20 : last * 2**20]
                threading.Event().wait(0.3)  # until the server has taken it
                files.append(list_temporary(server.process.pid))
            yield b"\r\n--line--\r\n"

        answer = await asyncio.to_thread(
            requests.put,
            f"{server.url}/_stcore/upload_file/{start.initialize.session_id}/a",
            data=send(),
            headers=headers
            | {"X-Xsrftoken": token, "Content-Type": "multipart/form-data; boundary=line"},
            cookies={XSRF_COOKIE_NAME: token},
            timeout=30,
        )
        return files, answer.status_code


def list_temporary(pid: int) -> list[str]:
    """Return the files that a process opened and that are deleted or in the temporary folder."""
    opened = [each for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]
    targets = [str(each.readlink()) for each in opened if int(each.name) > 2]
    return [
        target
        for target in targets
        if target.endswith("(deleted)") or target.startswith(tempfile.gettempdir())
    ]

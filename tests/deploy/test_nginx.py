"""A real browser reaches a real server through nginx as `deploy/nginx.conf` sets it up."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, Playwright, expect

from melanoma_core.access.rights import Role
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.formats.budget import MAX_BYTES
from melanoma_core.service.tokens import create_token
from melanoma_core.settings import PROJECT_ROOT
from tests.browser.conftest import CHROMIUM_OPTIONS, PATIENCE_MS
from tests.browser.logins import run_provider, write_secrets
from tests.dashboard.servers import Server, find_port, wait_until_up
from tests.deploy.proxies import NAME, Proxy, find_chromium, run_nginx

pytestmark = pytest.mark.slow

CONFIGURATION = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text("utf-8")


@contextmanager
def run_dashboard(port: int, *options: str, **environment: str) -> Iterator[Server]:
    """Run what `deploy/melanoma.service` starts."""
    command = [sys.executable, "-m", "dashboard", "serve", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--name", NAME, "--readers", "1", *options],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    server = Server(port, process)
    try:
        wait_until_up(server)
        yield server
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clinic")


@pytest.fixture(scope="module")
def token(folder: Path) -> str:
    return create_token(folder / "tokens.json", "page", [Role.READER], None)[0]


@pytest.fixture(scope="module")
def server(folder: Path, token: str) -> Iterator[Server]:  # noqa: ARG001 - made before
    access = {"MELANOMA_ACCESS_DIR": str(folder)}
    with run_dashboard(find_port(), "--allow-anonymous", **access) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(folder: Path, server: Server) -> Iterator[Proxy]:
    with run_nginx(folder / "nginx", server.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, to which the name of the server is this machine."""
    options = [*CHROMIUM_OPTIONS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=find_chromium(), args=options)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True)  # the certificate is self-signed
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_a_page_is_painted_and_reads_a_photograph_over_its_websocket(page: Page, proxy: Proxy):
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(proxy.url)
    expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(DEMONSTRATION_LESIONS[0].path)

    expect(page.get_by_text("Melanoma alert", exact=True)).to_be_visible()
    assert sockets
    assert all(url.startswith(f"wss://{proxy.host}/_stcore/stream") for url in sockets)
    assert proxy.list_kept() == []  # nginx wrote no photograph


def test_a_person_behind_it_is_not_taken_for_one_at_the_machine(page: Page, proxy: Proxy):
    page.set_extra_http_headers({"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"})
    for address in ("", "models", "training", "patients"):
        page.goto(f"{proxy.url}/{address}")
        expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)


def test_no_other_name_is_answered(proxy: Proxy):
    answer = proxy.ask("GET", "/", headers={"Host": "localhost"})
    assert (answer.status_code, "Reading" in answer.text) == (404, False)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://localhost:{proxy.port}/", verify=False, timeout=30)


def test_http_leads_to_https(proxy: Proxy):
    plain = f"http://127.0.0.1:{proxy.plain_port}/models?tab=History"
    answer = requests.get(plain, headers={"Host": NAME}, allow_redirects=False, timeout=30)

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://{NAME}/models?tab=History"


@pytest.mark.parametrize("path", ["/", "/_stcore/host-config", "/v1/models", "/metrics"])
def test_nothing_is_cached_and_https_is_kept(proxy: Proxy, path: str):
    headers = proxy.ask("GET", path).headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "nginx"


def test_the_headers_of_the_dashboard_stay(proxy: Proxy):
    headers = proxy.ask("GET", "/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"


def test_scripts_may_be_kept_by_the_browser_alone(proxy: Proxy):
    script = re.search(r'src="\.?(/static/[^"]+\.js)"', proxy.ask("GET", "/").text)
    assert script is not None
    answer = proxy.ask("GET", script[1])

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=86400"


def test_metrics_and_health_are_for_the_machine_alone(proxy: Proxy, server: Server, token: str):
    for path in ("/metrics", "/healthz", "/readyz", "/_stcore/metrics"):
        assert proxy.ask("GET", path).status_code == 404
    assert requests.get(f"{server.url}/healthz", timeout=30).ok
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/metrics", headers=headers, timeout=30).ok


def test_a_program_reads_through_it(proxy: Proxy, token: str):
    files = {"photograph": ("a.jpg", DEMONSTRATION_LESIONS[0].path.read_bytes())}
    headers = {"Authorization": f"Bearer {token}"}
    answer = proxy.ask("POST", "/v1/readings", files=files, headers=headers)

    assert answer.json()["status"] == "read"


def test_a_large_photograph_passes_without_a_copy_on_the_disk(proxy: Proxy, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    answer = proxy.ask(
        "POST",
        "/v1/readings",
        files={"photograph": ("a.jpg", bytes(MAX_BYTES - 2**20))},
        headers=headers,
    )
    assert answer.json()["status"] == "refused"  # by the dashboard: it is no photograph
    assert proxy.list_kept() == []


@pytest.mark.parametrize("path", ["/v1/readings", "/_stcore/upload_file/a/b"])
def test_a_file_that_is_too_large_is_refused_with_the_limit(proxy: Proxy, path: str):
    answer = proxy.ask("POST", path, data=bytes(MAX_BYTES + 2 * 2**20))

    assert answer.status_code == 413
    assert "at most 32 MiB" in answer.json()["detail"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_limit_is_that_of_the_dashboard():
    config = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text())
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", CONFIGURATION)

    assert config["server"]["maxUploadSize"] * 2**20 == MAX_BYTES
    assert int(limit) == config["server"]["maxUploadSize"] + 1


def test_no_line_of_its_log_holds_what_is_behind_a_question_mark(proxy: Proxy):
    proxy.ask("GET", "/patients?patient=P-4711")

    assert "GET /patients 200" in (proxy.folder / "melanoma.log").read_text()
    assert "4711" not in "".join(path.read_text() for path in proxy.folder.glob("*.log"))


def test_a_server_that_is_down_is_explained(tmp_path: Path):
    with run_nginx(tmp_path / "nginx", find_port()) as proxy:
        answer = proxy.ask("GET", "/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "The dashboard is not running" in answer.text


def test_a_person_logs_in_and_comes_back_by_https(page: Page, tmp_path: Path):
    port, provider = find_port(), find_port()
    with run_nginx(tmp_path / "nginx", port) as proxy:
        redirect = f"{proxy.url}/oauth2callback"
        secrets = tmp_path / "secrets.toml"
        written = write_secrets(provider)
        secrets.write_text(re.sub(r"redirect_uri = .*", f'redirect_uri = "{redirect}"', written))
        environment = {
            "STREAMLIT_SECRETS_FILES": str(secrets),
            "MELANOMA_ACCESS_DIR": str(tmp_path / "access"),
        }
        with run_provider(provider, redirect), run_dashboard(port, **environment):
            page.goto(proxy.url)
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.get_by_label("Account").fill("ada")
            page.get_by_role("button", name="Continue").click()

            expect(page.get_by_text("Signed in as Dr. Ada (reader)")).to_be_visible()
            assert page.url.startswith(proxy.url)
            cookies = {each["name"]: each for each in page.context.cookies(proxy.url)}
            assert cookies["_streamlit_user"]["httpOnly"]

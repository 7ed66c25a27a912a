"""A real nginx with the configuration of `deploy/nginx.conf` and a self-signed certificate."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from melanoma_core.settings import PROJECT_ROOT
from tests.conftest import need
from tests.dashboard.servers import find_port

NAME = "melanoma.clinic.example"
_CONFIGURATION = PROJECT_ROOT / "deploy" / "nginx.conf"
_PATIENCE_SECONDS = 60
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Proxy:
    """A proxy of this machine.

    Attributes:
        port: Of HTTPS.
        plain_port: Of HTTP.
        folder: Its certificate, its logs, and what it keeps of requests.
    """

    port: int
    plain_port: int
    folder: Path

    @property
    def host(self) -> str:
        return f"{NAME}:{self.port}"

    @property
    def url(self) -> str:
        """The address in a browser that takes the name for this machine."""
        return f"https://{self.host}"

    @property
    def certificate(self) -> Path:
        return self.folder / "fullchain.pem"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request under the name of the server, and trust its certificate alone."""
        headers = {"Host": self.host} | options.pop("headers", {})
        with requests.Session() as session:
            session.mount("https://", _Named())
            return session.request(
                method,
                f"https://127.0.0.1:{self.port}{path}",
                verify=str(self.certificate),
                timeout=_PATIENCE_SECONDS,
                allow_redirects=False,
                headers=headers,
                **options,
            )

    def list_kept(self) -> list[Path]:
        """Return what it has kept of requests and answers."""
        folders = [self.folder / kind for kind in _TEMPORARY]
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


class _Named(requests.adapters.HTTPAdapter):
    """Asks this machine for a name that no name server knows."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(  # type: ignore[no-untyped-call]
            *arguments, server_hostname=NAME, assert_hostname=NAME, **options
        )


@contextmanager
def run_nginx(folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run nginx before a server of this machine until the block ends."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    need(program is not None, "there is no nginx")
    need(shutil.which("openssl") is not None, "there is no openssl")
    folder.mkdir(exist_ok=True)
    proxy = Proxy(find_port(), find_port(), folder)
    _make_certificate(folder)
    (folder / "nginx.conf").write_text(_write_main(proxy, upstream))
    process = subprocess.Popen(
        [str(program), "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", "start.log"]
    )
    try:
        _wait_until_up(process, proxy)
        yield proxy
    finally:
        process.terminate()
        process.wait()


def find_chromium() -> str:
    """Return the path of Chromium; without one, the test is skipped."""
    path = shutil.which("chromium")
    need(path is not None, "there is no chromium on the PATH")
    return str(path)


def _write_main(proxy: Proxy, upstream: int) -> str:
    """Return the configuration for this machine: other ports and paths, and all else as it is."""
    text = _CONFIGURATION.read_text("utf-8")
    text = re.sub(r"\n *listen \[::\].*", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{proxy.port}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.plain_port};")
    text = text.replace("127.0.0.1:8501;", f"127.0.0.1:{upstream};")
    text = text.replace("/etc/ssl/melanoma", str(proxy.folder))
    text = text.replace("/var/log/nginx", str(proxy.folder))
    kept = "".join(f"{kind}_temp_path {proxy.folder / kind};\n" for kind in _TEMPORARY)
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"daemon off;\npid {proxy.folder / 'nginx.pid'};\n{user}events {{}}\n"
        f"http {{\ninclude /etc/nginx/mime.types;\n{kept}{text}\n}}\n"
    )


def _make_certificate(folder: Path) -> None:
    made = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    name = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", "-days", "2", *key, *name, *made]
    subprocess.run(command, check=True, capture_output=True)


def _wait_until_up(process: subprocess.Popen[bytes], proxy: Proxy) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{proxy.plain_port}", allow_redirects=False, timeout=5)
            return
        time.sleep(0.05)
    raise AssertionError(f"nginx is not up: {(proxy.folder / 'start.log').read_text()}")

"""A real provider of OpenID Connect (`provider/provider.js`), and the dashboard that asks it."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.conftest import run_server
from tests.conftest import need

PROVIDER = Path(__file__).with_name("provider")
ACCOUNTS: dict[str, dict[str, Any]] = {
    "ada": {"name": "Dr. Ada", "roles": ["reader"]},
    "tom": {"name": "Tom", "roles": ["trainer", "another role"]},
    "sue": {"name": "Sue", "roles": ["reader", "trainer", "steward"]},
    "al": {"name": "Al", "roles": ["auditor"]},
    "eve": {"name": "Eve", "roles": ["admin"]},
    "bob": {"name": "Bob"},
    "ned": {"name": "Ned"},
}
SHORT_SECONDS = 15
_SECONDS = {"dashboard": 3600, "short": SHORT_SECONDS}


@contextmanager
def run_login(folder: Path, **more: str) -> Iterator[str]:
    """Run a provider, and the dashboard with a login by it; return the dashboard's address.

    Args:
        folder: Of runs, models, records, people and secrets.
        more: Further variables of the dashboard's environment.
    """
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    secrets = folder / "secrets.toml"
    secrets.write_text(write_secrets(port))
    environment = {
        "STREAMLIT_SECRETS_FILES": str(secrets),
        "MELANOMA_ACCESS_DIR": str(folder / "access"),
    }
    with (
        run_server(folder, **environment | more) as url,
        run_provider(port, f"{url}/oauth2callback"),
    ):
        yield url


@contextmanager
def run_provider(port: int, redirect: str) -> Iterator[None]:
    """Run a provider of OpenID Connect on a port, whose clients are sent back to an address."""
    node = shutil.which("node")
    is_there = node is not None and (PROVIDER / "node_modules").is_dir()
    need(is_there, f"no Node.js, or no packages in {PROVIDER}: npm --prefix {PROVIDER} ci")
    options = {"port": port, "redirect": redirect, "clients": _SECONDS, "accounts": ACCOUNTS}
    process = subprocess.Popen(
        [str(node), str(PROVIDER / "provider.js"), json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def write_secrets(port: int) -> str:
    """Return Streamlit's secrets for two clients of the provider: one whose tokens are short."""
    metadata = f"http://localhost:{port}/.well-known/openid-configuration"
    return f"""
[auth]
redirect_uri = "http://localhost:{{port}}/oauth2callback"
cookie_secret = "{"0123456789" * 4}"
client_id = "dashboard"
client_secret = "secret-of-dashboard"
server_metadata_url = "{metadata}"
client_kwargs = {{ prompt = "login" }}

[auth.short]
client_id = "short"
client_secret = "secret-of-short"
server_metadata_url = "{metadata}"
client_kwargs = {{ prompt = "login" }}
"""

"""The pages with the HTTP API beside them, in one process and on one port: `melanoma serve`.

The API reads in processes of its own, so that neither waits for the other.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.starlette import App
from streamlit.web import bootstrap
from streamlit.web.cli import configurator_options

from dashboard.serving import list_guards, protect_uploads
from dashboard.shared.access import check_exposure
from melanoma_core.service.api import Api, is_api_path
from melanoma_core.service.options import Options
from melanoma_core.service.serving import end_quietly

_FOLDER = Path(__file__).parent


class ApiBeside:
    """Passes what is asked of the API to it, and all else to the pages."""

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_for_api = scope["type"] == "http" and is_api_path(scope["path"])
        await (self._api if is_for_api else self._app)(scope, receive, send)


def serve_pages(options: Options) -> int:
    """Serve the pages and the API until the process is asked to end.

    Args:
        options: How the server is started.

    Returns:
        The exit status.

    Raises:
        SettingsError: It would answer other machines without a login, and may not.
    """
    sys.argv[0] = str(_FOLDER / "app.py")  # Streamlit looks for its settings beside it
    chosen = _read_environment() | {
        "server.address": options.host,
        "server.port": options.port,
        "server.headless": True,
    }
    bootstrap.load_config_options(chosen)
    hosts = config.get_option("server.allowedHosts")
    names = tuple([*hosts, *options.names] if hosts else ["*"])
    chosen["server.allowedHosts"] = list(names)
    bootstrap.load_config_options(chosen)
    check_exposure()
    api = Api(replace(options, names=names))

    @asynccontextmanager
    async def run(app: App) -> AsyncGenerator[None, None]:
        async with protect_uploads(app), api.run():
            yield

    end_quietly()
    guards = [Middleware(ApiBeside, api.asgi), *list_guards()]
    App(_FOLDER / "navigation.py", middleware=guards, lifespan=run).run(config=chosen)
    return 0


def _read_environment() -> dict[str, Any]:
    """Return what variables such as STREAMLIT_SECRETS_FILES set, as `streamlit run` does."""

    @click.command()
    @configurator_options
    def read(**found: Any) -> dict[str, Any]:
        return found

    found = read.main([], standalone_mode=False)
    given = {name: value for name, value in found.items() if value is not None and value != ()}
    return {name.replace("_", "."): value for name, value in given.items()}

"""Serve the API alone, without the pages: `melanoma serve --api-only`."""

import signal
import socket
import sys
from contextlib import suppress

import uvicorn

from melanoma_core.errors import SettingsError
from melanoma_core.service.api import Api
from melanoma_core.service.options import Options

_STOP_SECONDS = 30  # for readings that have begun
_KEEP_ALIVE_SECONDS = 15


def serve_api(options: Options) -> int:
    """Serve the API until the process is asked to end; then finish what has begun.

    Args:
        options: How it is started. Others are not let in without a token, so it may listen to them.

    Returns:
        The exit status.

    Raises:
        SettingsError: The address or the port cannot be used.
    """
    api = Api(options)
    config = uvicorn.Config(
        api.asgi,
        lifespan="on",
        access_log=False,  # its lines hold addresses
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    end_quietly()
    with _listen(options.host, options.port) as listening, suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    return 0 if server.started else 1


def end_quietly() -> None:
    """End this process with status 0 when it is asked to, after the server has stopped.

    Uvicorn stops the server, and then sends itself the signal once more: by default, that would end
    the process before it has put away what it shares with others.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host}, port {port} ({error.strerror or error}). Choose another "
            "--host or --port, or end the server that uses it."
        ) from error

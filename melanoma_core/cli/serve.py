"""The command `serve`: the pages and the HTTP API, or the API alone."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from melanoma_core.errors import SettingsError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.service.options import Options

ServePages = Callable[["Options"], int]
"""Serves the pages with the API beside them; the core knows no page."""
_PORT, _CAPACITY = 8501, 16


def add_serve_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    serve_pages: ServePages | None = None,
) -> None:
    """Add `serve` to the command line.

    Args:
        commands: Of the command line.
        serve_pages: Serves the pages; None where only the core is at hand.
    """
    serve = commands.add_parser(
        "serve",
        help="serve the pages and the HTTP API",
        description="Serve the pages and the HTTP API on one port. The API needs a token "
        "(`melanoma token create`).",
    )
    serve.add_argument(
        "--host",
        default="localhost",
        metavar="ADDRESS",
        help="address on which the server listens; by default %(default)s, for this machine alone",
    )
    serve.add_argument(
        "--port", type=_parse_port, default=_PORT, metavar="N", help="by default %(default)s"
    )
    serve.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="a host name under which others reach the server, such as that of a proxy; may be "
        "given several times",
    )
    serve.add_argument("--api-only", action="store_true", help="serve the API without the pages")
    serve.add_argument(
        "--allow-anonymous",
        action="store_true",
        help="read photographs for those without a login or token; they may do nothing else",
    )
    serve.add_argument(
        "--readers",
        type=_parse_count,
        metavar="N",
        help="processes that read for the API; by default one per core",
    )
    serve.add_argument(
        "--queue",
        type=_parse_count,
        default=_CAPACITY,
        metavar="N",
        help="largest number of photographs that wait for the API or are read by it; by default "
        "%(default)s",
    )
    serve.set_defaults(run=lambda options: _serve(options, serve_pages))


def _parse_port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f'found "{text}"; it must be a port from 1 to 65535')
    return int(text)


def _parse_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f'found "{text}"; it must be a number from 1 to 1000')
    return int(text)


def _serve(options: argparse.Namespace, serve_pages: ServePages | None) -> int:
    import os

    from melanoma_core.service.options import Options

    chosen = Options(
        host=options.host,
        port=options.port,
        names=tuple(options.name),
        allow_anonymous=options.allow_anonymous or load_settings().allow_anonymous,
        num_readers=options.readers or os.cpu_count() or 1,
        capacity=options.queue,
    )
    if options.api_only:
        from melanoma_core.service.serving import serve_api

        return serve_api(chosen)
    if serve_pages is None:
        raise SettingsError(
            "The pages are served by `melanoma serve`, or by `python -m dashboard serve` in a "
            "checkout. Use one of them, or add --api-only to serve the API alone."
        )
    return serve_pages(chosen)

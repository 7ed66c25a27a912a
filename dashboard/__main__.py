"""`melanoma-dashboard`, which serves the pages; and `melanoma`, which can serve them, too."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoma_core.service.options import Options

APP = Path(__file__).with_name("app.py")
_ALLOW_ANONYMOUS = "--allow-anonymous"  # `access` is imported by the server alone


def run() -> None:
    """Serve the dashboard; arguments are Streamlit's, as `--server.port 8600`.

    After `serve`, they are those of `melanoma serve`, for a checkout. Only `--allow-anonymous` is
    ours: others are offered the Reading page without a login.
    """
    if sys.argv[1:2] == ["serve"]:
        sys.exit(run_command())
    from streamlit.web.cli import main

    options = [each for each in sys.argv[1:] if each != _ALLOW_ANONYMOUS]
    own = ["--", _ALLOW_ANONYMOUS] if _ALLOW_ANONYMOUS in sys.argv[1:] else []
    sys.argv = ["streamlit", "run", str(APP), *options, *own]
    main(prog_name="streamlit")


def run_command() -> int:
    """Run the command line of this process, with the pages, and return its exit status."""
    from melanoma_core.__main__ import run

    return run(_serve_pages)


def _serve_pages(options: "Options") -> int:
    from dashboard.with_api import serve_pages

    return serve_pages(options)


if __name__ == "__main__":
    run()

"""`melanoma-dashboard`: serve the dashboard of an installed package."""

import sys
from pathlib import Path

APP = Path(__file__).with_name("app.py")
_ALLOW_ANONYMOUS = "--allow-anonymous"  # `access` is imported by the server alone


def run() -> None:
    """Serve the dashboard; arguments are Streamlit's, as `--server.port 8600`.

    Only `--allow-anonymous` is ours: others are offered the Reading page without a login.
    """
    from streamlit.web.cli import main

    options = [each for each in sys.argv[1:] if each != _ALLOW_ANONYMOUS]
    own = ["--", _ALLOW_ANONYMOUS] if _ALLOW_ANONYMOUS in sys.argv[1:] else []
    sys.argv = ["streamlit", "run", str(APP), *options, *own]
    main(prog_name="streamlit")


if __name__ == "__main__":
    run()

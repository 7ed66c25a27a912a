"""`melanoma-dashboard`: serve the dashboard of an installed package."""

import sys
from pathlib import Path

APP = Path(__file__).with_name("app.py")


def run() -> None:
    """Serve the dashboard; arguments are Streamlit's, as `--server.port 8600`."""
    from streamlit.web.cli import main

    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    main(prog_name="streamlit")


if __name__ == "__main__":
    run()

"""`python -m melanoma_core`, and the console script `melanoma`."""

import io
import sys

from melanoma_core.cli.main import main
from melanoma_core.cli.serve import ServePages


def run(serve_pages: ServePages | None = None) -> int:
    """Run the command line of this process and return its exit status.

    Args:
        serve_pages: Serves the pages, for `serve`; None where only the core is at hand.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold characters that the terminal cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")
    return main(serve_pages=serve_pages)


if __name__ == "__main__":
    sys.exit(run())

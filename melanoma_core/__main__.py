"""`python -m melanoma_core`, and the console script `melanoma`."""

import io
import sys

from melanoma_core.cli.main import main


def run() -> int:
    """Run the command line of this process and return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold characters that the terminal cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")
    return main()


if __name__ == "__main__":
    sys.exit(run())

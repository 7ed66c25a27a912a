"""`python -m melanoma_core`."""

import io
import sys

from melanoma_core.cli.main import main

if isinstance(sys.stdout, io.TextIOWrapper):
    # A file's name may hold what the terminal cannot show; that must not stop the rest.
    sys.stdout.reconfigure(errors="backslashreplace")
sys.exit(main())

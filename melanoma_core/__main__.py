"""`python -m melanoma_core`."""

import sys

from melanoma_core.cli import main

sys.exit(main())

"""Give memory that is no longer used back to the operating system."""

import ctypes
from contextlib import suppress


def return_freed_memory() -> None:
    """Return freed memory to the operating system, where the C library can be asked to.

    The one of Linux keeps what photographs took for later. Where it is another one, this does
    nothing.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)

"""What ended a run, in a sentence that says what to do."""

import errno
from pathlib import Path

from melanoma_core.errors import MelanomaError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SCARCE_BYTES = 2**20
# By name, since of the libraries that train only one is imported, if any.
_OUT_OF_MEMORY = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}


def explain_failure(error: Exception, folder: Path, free_bytes: int) -> tuple[str, bool]:
    """Return what happened and what to do, and whether it is a fault of the program.

    Args:
        error: What was raised.
        folder: Of the run.
        free_bytes: On the disk of the folder. Libraries that write tell a full disk in ways of
            their own.
    """
    if isinstance(error, MelanomaError):
        return str(error), False
    kinds = {kind.__name__ for kind in type(error).__mro__}
    may_be_disk = isinstance(error, OSError) or "ResourceExhaustedError" in kinds
    is_full = isinstance(error, OSError) and error.errno in _FULL
    if is_full or (may_be_disk and free_bytes < _SCARCE_BYTES):
        return (
            f"The disk that holds {folder} is full. Free some space on it, then resume the run: "
            "it goes on after its last finished epoch."
        ), False
    if kinds & _OUT_OF_MEMORY:
        return (
            "Memory ran out. Close other programs and resume the run, or launch it anew with a "
            "smaller batch size or image size."
        ), False
    if isinstance(error, OSError):
        where = f" at {error.filename}" if error.filename else ""
        return (
            f"The system refused a file{where} ({error.strerror or error}). Check that it is there "
            "and may be read and written, then resume the run."
        ), False
    return (
        f"A fault of the program: {type(error).__name__}: {error}. The log tells where; please "
        "report it with the log."
    ), True

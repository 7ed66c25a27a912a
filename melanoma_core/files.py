"""Files that are whole or not there, and a sentence where the disk is full."""

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from melanoma_core.errors import FolderError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside its place and move it there: who looks finds the old one or the new.

    That holds when the process is killed at any point and when the disk is full. It does not when
    the machine loses power, for which every write would have to wait for the disk.

    Args:
        path: The place.
        write: Writes the content.

    Raises:
        FolderError: It cannot be written; what was there before is untouched.
    """
    draft = path.with_name(f".{path.name}.draft")
    with tell_full_disk(path):
        try:
            with draft.open("wb") as file:
                write(file)
            os.replace(draft, path)  # noqa: PTH105  # as a test replaces it
        except OSError:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def tell_full_disk(path: Path) -> Generator[None, None, None]:
    """Turn what the disk says while a file is written into a sentence.

    Raises:
        FolderError: It said something.
    """
    try:
        yield
    except OSError as error:
        advice = (
            "Free some space on that disk, then resume the run: it goes on after its last "
            "finished epoch."
            if error.errno in _FULL
            else "Check that you may write there, then resume the run."
        )
        raise FolderError(f"Cannot write {path} ({error.strerror}). {advice}") from error

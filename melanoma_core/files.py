"""Write files atomically, and explain failed writes in one sentence."""

import errno
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from melanoma_core.errors import FolderError

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTIAL_SUFFIX = ".part"


def write_file(
    path: Path,
    content: bytes | Callable[[IO[bytes]], object],
    advice: str,
    *,
    several_writers: bool = False,
) -> None:
    """Write a file atomically: readers find the old content or the new, never a part.

    The content is written beside the file and renamed. The guarantee holds when the process is
    killed and when the disk is full, but not when the machine loses power.

    Args:
        path: The file. A device such as `/dev/stdout` is written directly.
        content: The bytes, or a function that writes them to an open file.
        advice: Completes "Free some space on its disk, …" in the error message.
        several_writers: Whether several processes may write this file at once. Each then writes
            a partial file of its own, which stays on the disk if its process is killed.

    Raises:
        FolderError: The file cannot be written. The old content is unchanged.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "note.txt"
        >>> write_file(path, b"done", "or name another file")
        >>> path.read_bytes()
        b'done'
    """
    is_device = path.exists() and not path.is_file() and not path.is_dir()
    token = f".{secrets.token_hex(4)}" if several_writers else ""
    partial = path if is_device else path.with_name(f".{path.name}{token}{PARTIAL_SUFFIX}")
    with explain_write_errors(path, advice):
        try:
            with partial.open("wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
            if not is_device:
                os.replace(partial, path)  # noqa: PTH105  # a test replaces it
        except OSError:
            if not is_device:
                partial.unlink(missing_ok=True)
            raise


@contextmanager
def explain_write_errors(path: Path, advice: str) -> Generator[None, None, None]:
    """Turn an `OSError` raised while writing into a sentence.

    Args:
        path: What is written.
        advice: Completes "Free some space on its disk, …" in the error message.

    Raises:
        FolderError: The block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        remedy = (
            "Free some space on its disk"
            if error.errno in DISK_FULL
            else "Check that you may write there"
        )
        raise FolderError(
            f"Cannot write {path} ({error.strerror or error}). {remedy}, {advice}."
        ) from error

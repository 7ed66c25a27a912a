"""Write files and folders atomically, and explain failed writes in one sentence."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from melanoma_core.errors import FolderError

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PARTIAL_SUFFIX = ".part"
# Lists of models and of runs ignore names that begin with a dot.
_DRAFT, _DRAFT_LOCK, _DRAFTS_LOCK = ".draft-", ".lock", ".drafts.lock"
_LOCK_SECONDS = 30.0  # for other processes that begin a draft, each for milliseconds


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


@contextmanager
def make_draft(parent: Path, advice: str) -> Generator[Path, None, None]:
    """Create a hidden folder within a `with` statement, which renames it when it is complete.

    Its lock is released by the operating system when its process ends, however it ends. The drafts
    of dead processes are removed first.

    Args:
        parent: Folder in which the draft is created, and within which it is renamed.
        advice: Completes "Free some space on its disk, …" in the error message.

    Yields:
        The draft. If it still has its name at the end, it is removed.

    Raises:
        FolderError: The folder cannot be written.
    """
    with explain_write_errors(parent, advice):
        parent.mkdir(parents=True, exist_ok=True)
        with _lock_drafts(parent):
            _remove_dead_drafts(parent)
            draft = parent / f"{_DRAFT}{secrets.token_hex(4)}"
            lock = _make_lock(draft)
            lock.acquire()
            draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def remove_dead_drafts(parent: Path) -> None:
    """Remove the drafts in a folder whose processes were killed. What cannot be removed stays."""
    if not any(parent.glob(f"{_DRAFT}*")):
        return
    with suppress(OSError), _lock_drafts(parent):
        _remove_dead_drafts(parent)


def _lock_drafts(parent: Path) -> FileLock:
    return FileLock(parent / _DRAFTS_LOCK, timeout=_LOCK_SECONDS, fallback_to_soft=False)


def _make_lock(draft: Path) -> FileLock:
    path = draft.with_name(f"{draft.name}{_DRAFT_LOCK}")
    return FileLock(path, timeout=0, fallback_to_soft=False)


def _remove_dead_drafts(parent: Path) -> None:
    for name in {path.name.removesuffix(_DRAFT_LOCK) for path in parent.glob(f"{_DRAFT}*")}:
        lock = _make_lock(parent / name)
        with suppress(Timeout), lock:
            shutil.rmtree(parent / name, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)

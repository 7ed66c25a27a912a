"""What commands say: one answer on standard output, everything else on standard error."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import FolderError
from melanoma_core.jsonable import dump_json

if TYPE_CHECKING:
    from melanoma_core.progress import Progress


def print_json(document: object) -> None:
    """Print the answer, in ASCII, which every terminal takes and which holds any file's name."""
    print(dump_json(document, indent=2, ensure_ascii=True))


def log(text: str, end: str = "\n") -> None:
    """Say what is not the answer."""
    print(text, file=sys.stderr, end=end, flush=True)


def make_counter(what: str) -> "Progress":
    """Return a function that shows on one line how much of the work is done."""

    def show(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            log(f"\r{what}: {done}/{total}", end="\n" if done == total else "")

    return show


def make_folder(path: Path) -> None:
    """Find out before the work whether its result will have a place.

    Raises:
        FolderError: It will not.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(
            f"Cannot make the folder {path} ({error.strerror}). Name one that can be written to."
        ) from error


def write_file(path: Path, content: bytes) -> None:
    """Write what a person asked for, and say where.

    Raises:
        FolderError: It cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise FolderError(
            f"Cannot write {path} ({error.strerror}). Name a file in a folder that can be written "
            "to."
        ) from error
    log(f"Wrote {path}")

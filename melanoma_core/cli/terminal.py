"""Output of commands: the answer on standard output, everything else on standard error."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import FolderError
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json

if TYPE_CHECKING:
    from melanoma_core.progress import Progress


def print_json(document: object) -> None:
    """Print a document as JSON in ASCII, which every terminal and every file name allows."""
    print(dump_json(document, indent=2, ensure_ascii=True))


def log(text: str, end: str = "\n") -> None:
    """Print a message to standard error."""
    print(text, file=sys.stderr, end=end, flush=True)


def make_counter(title: str) -> "Progress":
    """Return a progress callback that shows a counter on one line of standard error."""

    def show(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            log(f"\r{title}: {done}/{total}", end="\n" if done == total else "")

    return show


def make_folder(path: Path) -> None:
    """Create the folder of a result, so that a wrong path fails before the work.

    Raises:
        FolderError: The folder cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(
            f"Cannot create the folder {path} ({error.strerror}). Choose a folder that you may "
            "write to."
        ) from error


def write_output(path: Path, content: bytes) -> None:
    """Write a file that the user asked for, and log its path.

    Raises:
        FolderError: The file cannot be written.
    """
    write_file(path, content, "or choose another file")
    log(f"Wrote {path}")

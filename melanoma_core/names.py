"""Names of files, which are untrusted, as text that is safe to show."""

import os
import unicodedata
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes


def neutralise(text: str) -> str:
    r"""Return text as one line, with a space for each control or invisible character.

    A control character can reverse the direction of writing, so that `gpj.exe` looks like
    `exe.jpg`; a new line in a name could look like a line of the program.

    >>> neutralise("a.jpg\nb.jpg: no alert")
    'a.jpg b.jpg: no alert'
    """
    return "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text)


def encode_path(path: Path, folder: Path) -> str:
    """Return the path of a file in a folder as text for an address, whatever its bytes.

    >>> encode_path(Path("/data/nevus/a b.jpg"), Path("/data"))
    'nevus/a b.jpg'
    """
    return quote_from_bytes(os.fsencode(path.relative_to(folder).as_posix()), safe="/ ")


def decode_path(text: str, folder: Path) -> Path:
    """Return the path that `encode_path` encoded.

    >>> decode_path("nevus/a b.jpg", Path("/data")).as_posix()
    '/data/nevus/a b.jpg'
    """
    return folder / os.fsdecode(unquote_to_bytes(text))

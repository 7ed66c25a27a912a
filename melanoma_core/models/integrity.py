"""Read a network only if it is the file that its model's card describes."""

import hashlib
from functools import lru_cache
from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.models.card import ModelCard

_RESTORE = "Restore the file (in a clone: `git checkout -- assets`)"


def read_network(path: Path, card: ModelCard) -> bytes:
    """Return the content of a network, in one of its two forms, after comparing its hash.

    Args:
        path: The file, in the folder of the model.
        card: Card of the model.

    Raises:
        ModelError: The file is missing, damaged, or not the file that the card describes.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _explain_unreadable(path, error) from error
    _compare(path, card, len(content), hashlib.sha256(content).hexdigest())
    return content


def check_network(path: Path, card: ModelCard) -> None:
    """Compare the hash of a network; a file is read again only if its size or time changed.

    Args:
        path: The file, in the folder of the model.
        card: Card of the model.

    Raises:
        ModelError: The file is missing, damaged, or not the file that the card describes.
    """
    try:
        status = path.stat()
        sha256 = _hash_file(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise _explain_unreadable(path, error) from error
    _compare(path, card, status.st_size, sha256)


@lru_cache(maxsize=1024)
def _hash_file(path: Path, num_bytes: int, modified_at: int) -> str:  # noqa: ARG001
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(path: Path, card: ModelCard, num_bytes: int, sha256: str) -> None:
    if sha256 != card.files.get(path.name):
        raise ModelError(
            f"The network {path} is not the file that its card describes (found {num_bytes} "
            "bytes, SHA-256 differs): it is truncated, damaged or another network. "
            f"{_RESTORE}, or name another model."
        )


def _explain_unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"Cannot read the network {path}: {error.strerror}. {_RESTORE}, or name another model "
        "with `--model` or MELANOMA_MODEL."
    )

"""Read a network only if it is the file that its model's card describes."""

import hashlib
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
        raise ModelError(
            f"Cannot read the network {path}: {error.strerror}. {_RESTORE}, or name another model "
            "with `--model` or MELANOMA_MODEL."
        ) from error
    if hashlib.sha256(content).hexdigest() != card.files.get(path.name):
        raise ModelError(
            f"The network {path} is not the file that its card describes (found {len(content)} "
            "bytes, SHA-256 differs): it is truncated, damaged or another network. "
            f"{_RESTORE}, or name another model."
        )
    return content

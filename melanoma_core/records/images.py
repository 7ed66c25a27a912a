"""The photographs of a record: one file each, named by its content, written once."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoredImage:
    """A kept photograph.

    Attributes:
        sha256: SHA-256 (hex) of the kept file.
        media_type: "image/jpeg" or "image/png".
        width: Width of the upright photograph in pixels.
        height: Height of the upright photograph in pixels.
    """

    sha256: str
    media_type: str
    width: int
    height: int


class ImageStore:
    """The folder of the photographs.

    Args:
        folder: The folder `images` of a record.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> StoredImage:
        """Keep a photograph without its metadata, and return what was kept."""
        raise NotImplementedError

    def read(self, sha256: str) -> bytes:
        """Return the content of a kept photograph."""
        raise NotImplementedError

"""The photographs of a record: one file each, named by its content, written once."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.data.decoder import decode_within
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.records.errors import RecordDamagedError, RecordReadOnlyError
from melanoma_core.records.ledger import write_through
from melanoma_core.records.stripping import WHOLE, strip

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
_FIRST = 2  # digits of the hash that name its folder: 256 folders
_ADVICE = "then add the photograph again"


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
        is_read_only: Whether it cannot be written.
    """

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        self.folder = folder
        self._is_read_only = is_read_only

    def put(self, data: bytes) -> StoredImage:
        """Keep a photograph without its metadata, and return what was kept.

        When this returns, the file is on the disk. A file that is there already is not written
        again. It is no part of the record before an entry names it.

        Args:
            data: Content of a JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM file.

        Raises:
            ImageError: It is no photograph that can be read.
            FolderError: It cannot be written, as on a full disk. No part of it is left.
            RecordReadOnlyError: The record cannot be written here.
        """
        if self._is_read_only:
            raise RecordReadOnlyError(
                f"{self.folder} is read-only here, so that no photograph can be added to the "
                "record. Open it where it can be written."
            )
        photograph = decode_within(data, max_side=WHOLE)
        kept, media_type = strip(data, photograph)
        sha256 = hashlib.sha256(kept).hexdigest()
        path = self._name(sha256, _SUFFIXES[media_type])
        if not self._is_whole(path, sha256):
            self._write(path, kept)
        width, height = photograph.original_width, photograph.original_height
        return StoredImage(sha256, media_type, width, height)

    def read(self, sha256: str) -> bytes:
        """Return the content of a kept photograph.

        Raises:
            RecordDamagedError: Its file is missing or was altered.
        """
        path = self.find(sha256)
        if path is None:
            raise RecordDamagedError(
                f"The photograph {sha256} is not in {self.folder}. Restore it from a backup."
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RecordDamagedError(
                f"{path} cannot be read ({error.strerror}). Check its disk, or restore it from a "
                "backup."
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RecordDamagedError(
                f"{path} was altered: its content is not what was kept. Restore it from a backup."
            )
        return data

    def find(self, sha256: str) -> Path | None:
        """Return the file of a photograph; None if there is none."""
        paths = (self._name(sha256, suffix) for suffix in _SUFFIXES.values())
        return next((path for path in paths if path.is_file()), None)

    def remove(self, sha256: str) -> None:
        """Remove the file of a photograph, if there is one.

        Raises:
            FolderError: It cannot be removed.
        """
        path = self.find(sha256)
        if path is not None:
            with explain_write_errors(path, "then erase the patient again"):
                path.unlink(missing_ok=True)
                with suppress(OSError):  # others are in it
                    path.parent.rmdir()

    def list_files(self) -> Iterator[tuple[str, Path]]:
        """Yield the hash that each file's name says, and its path."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f]*.*")):
            yield path.parent.name + path.stem, path

    def _name(self, sha256: str, suffix: str) -> Path:
        return self.folder / sha256[:_FIRST] / f"{sha256[_FIRST:]}{suffix}"

    def _is_whole(self, path: Path, sha256: str) -> bool:
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    def _write(self, path: Path, content: bytes) -> None:
        with explain_write_errors(path, _ADVICE):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, lambda file: write_through(file, content), _ADVICE, several_writers=True)
        with explain_write_errors(path, _ADVICE):
            for folder in (path.parent, self.folder):
                _keep_names(folder)


def _keep_names(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    with suppress(PermissionError):  # Windows opens no folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

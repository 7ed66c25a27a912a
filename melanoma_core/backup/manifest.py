"""What a backup says of itself: what it holds, with the hash of each file, and of which version."""

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from melanoma_core.backup.places import Part
from melanoma_core.errors import BackupError
from melanoma_core.jsonable import from_jsonable, load_json

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE, DUMP, HISTORY = "record.sqlite", "record.pgdump", "mlflow.db"
"""Names of the databases in a backup, each in the folder of its part."""


@dataclass(frozen=True)
class KeptFile:
    """A file of a backup.

    Attributes:
        name: Its part and its name in the folder of the part, such as "access/tokens.json".
        size: In bytes.
        sha256: SHA-256 (hex) of its content.
    """

    name: str
    size: int
    sha256: str

    @property
    def part(self) -> Part:
        """The part that it is of."""
        return Part(PurePosixPath(self.name).parts[0])

    @property
    def inner(self) -> PurePosixPath:
        """Its name in the folder of the part."""
        return PurePosixPath(*PurePosixPath(self.name).parts[1:])


@dataclass(frozen=True)
class KeptRecord:
    """The record of a backup.

    Attributes:
        record_id: Id of the record.
        version: Version of its tables.
        log_number: Number of the last entry of its audit log.
        log_hash: Hash of that entry.
        faults: Photographs that were missing or altered when the backup was made, by SHA-256.
    """

    record_id: str
    version: str
    log_number: int
    log_hash: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """All that a backup says of itself.

    Attributes:
        format: Of the backup.
        made_at: When, in UTC, ISO 8601.
        app_version: Of the software that made it.
        record: None if no record was kept.
        runs_folder: Where the runs were, since their history names files by it.
        models_folder: Where the models were.
        files: All files but this one.
        left_out: What it does not hold, in sentences.
    """

    format: int
    made_at: str
    app_version: str
    record: KeptRecord | None
    runs_folder: str
    models_folder: str
    files: tuple[KeptFile, ...]
    left_out: tuple[str, ...] = ()


def read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Return what a backup says of itself.

    Args:
        archive: The open backup.
        path: Its file, for the message.

    Raises:
        BackupError: It says nothing, is of a newer version, or names a file outside of its parts.
    """
    try:
        raw = load_json(archive.read(MANIFEST))
        number = raw["format"]
        if number == FORMAT:
            manifest = from_jsonable(Manifest, raw)
            _check_names(manifest)
            return manifest
    except (OSError, LookupError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise BackupError(
            f"{path} is no whole backup: its {MANIFEST} cannot be read ({error}). Use another one."
        ) from error
    raise BackupError(
        f"{path} has the format {number}, and this version reads {FORMAT}. Restore it with the "
        "version of the software that made it, or a newer one."
    )


def _check_names(manifest: Manifest) -> None:
    for file in manifest.files:
        name = PurePosixPath(file.name)
        is_inside = name.parts[0] in set(Part) and len(name.parts) > 1 and ".." not in name.parts
        if name.is_absolute() or not is_inside or "\\" in file.name or "\0" in file.name:
            raise ValueError(f"it names {file.name!r}")
    if len({file.name for file in manifest.files}) < len(manifest.files):
        raise ValueError("it names a file twice")

"""Make a backup: one file, which is there when it is whole, and not before."""

import hashlib
import os
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.backup.manifest import (
    DUMP,
    FORMAT,
    HISTORY,
    MANIFEST,
    SQLITE,
    KeptFile,
    KeptRecord,
    Manifest,
)
from melanoma_core.backup.places import Part, Places, find_places, list_files
from melanoma_core.backup.snapshot import copy_sqlite, dump_postgresql
from melanoma_core.errors import BackupError, FolderError
from melanoma_core.files import make_draft, write_file
from melanoma_core.jsonable import dump_json
from melanoma_core.records import ledger, migrations
from melanoma_core.records.database import Database
from melanoma_core.records.errors import RecordVersionError
from melanoma_core.records.images import ImageStore
from melanoma_core.records.opening import open_database
from melanoma_core.records.place import Place
from melanoma_core.records.schema import IMAGE_USE
from melanoma_core.records.store import Record
from melanoma_core.settings import Settings
from melanoma_core.software import VERSION

_BLOCK = 2**20
_PACKED = {".jpg", ".png", ".onnx", ".keras", ".gz", ".pgdump", ".npz"}  # hardly shrink further
_OWNER_ALONE = 0o600
_ADVICE = "or write the backup to another disk"
_SECRETS = (
    "The login's secrets (secrets.toml), the environment of the service and the certificates of "
    "the proxy are not in it."
)


def write_backup(settings: Settings, path: Path, by: str) -> Manifest:
    """Write a backup of this server, which may go on working meanwhile.

    The audit log of the record says that a backup was made.

    Args:
        settings: Where the parts are.
        path: The new file. It holds patients' photographs: only its owner may read it.
        by: Who makes it.

    Returns:
        What the backup says of itself.

    Raises:
        AccessError: The person who acts is no steward.
        BackupError: There is such a file already, or a part cannot be copied.
        FolderError: The file cannot be written. No part of it is left.
        RecordError: The record cannot be read.
    """
    require(Right.BACK_UP)
    if path.exists():
        raise BackupError(f"There is a file {path} already. Name a new one.")
    places = find_places(settings)
    if places.record is not None:
        _log(places.record, by)
    with make_draft(path.parent, _ADVICE) as draft:
        written: list[Manifest] = []

        def write(file: IO[bytes]) -> None:
            if hasattr(os, "fchmod"):  # Windows has other means
                os.fchmod(file.fileno(), _OWNER_ALONE)
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                written.append(_Writer(archive, draft).write(places))
            file.flush()
            os.fsync(file.fileno())

        write_file(path, write, _ADVICE)
    return written[0]


class _Writer:
    """Writes the parts of a server to an archive, and notes the hash of each file."""

    def __init__(self, archive: zipfile.ZipFile, draft: Path) -> None:
        self._archive = archive
        self._draft = draft
        self._files: list[KeptFile] = []

    def write(self, places: Places) -> Manifest:
        record = self._add_record(places.record) if places.record is not None else None
        history = places.history
        if history is not None and history.is_file():
            copy_sqlite(history, self._draft / HISTORY)
            self._add(f"{Part.RUNS}/{HISTORY}", self._draft / HISTORY)
        for part in (Part.MODELS, Part.RUNS, Part.ACCESS):
            for name, path in list_files(places.find_folder(part)):
                if history is None or path.absolute() != history.absolute():
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        self._add(f"{part}/{name}", path)
        manifest = Manifest(
            format=FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            app_version=VERSION,
            record=record,
            runs_folder=str(places.runs.absolute()),
            models_folder=str(places.models.absolute()),
            files=tuple(self._files),
            left_out=_list_left_out(places),
        )
        self._archive.writestr(MANIFEST, dump_json(manifest, indent=1, ensure_ascii=True))
        return manifest

    def _add_record(self, place: Place) -> KeptRecord:
        # Before the database: the file may be behind it, and never before it.
        with suppress(FileNotFoundError):
            self._add(f"{Part.RECORD}/{place.head_file.name}", place.head_file)
        with self._copy_database(place) as connection:
            number, last_hash = ledger.read_end(connection)
            kept = KeptRecord(
                record_id=ledger.read_record_id(connection),
                version=migrations.find_current(connection) or "",
                log_number=number,
                log_hash=last_hash,
                faults=(),
            )
            query = sa.select(IMAGE_USE.c.sha256).distinct().order_by(IMAGE_USE.c.sha256)
            names = list(connection.execute(query).scalars())
        images = ImageStore(place.images_folder)
        return replace(kept, faults=tuple(self._add_photographs(place, images, names)))

    @contextmanager
    def _copy_database(self, place: Place) -> Generator[sa.Connection, None, None]:
        """Add a copy of the database, and read in a `with` statement what it holds."""
        name = DUMP if place.url else SQLITE
        copy = self._draft / name
        if not place.url:
            copy_sqlite(place.database_file, copy)
        opened = open_database(place) if place.url else Database(Place(self._draft))
        try:
            with opened.read() as connection:
                if place.url:
                    moment = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
                    dump_postgresql(place.url, str(moment), copy)
                yield connection
        finally:
            opened.close()
        self._add(f"{Part.RECORD}/{name}", copy)

    def _add_photographs(self, place: Place, images: ImageStore, names: list[str]) -> Iterator[str]:
        """Add photographs, and yield the hashes of those that are missing or altered."""
        for sha256 in names:
            path = images.find(sha256)
            kept = None
            with suppress(FileNotFoundError):  # its patient was erased meanwhile
                kept = self._add(f"{Part.RECORD}/images/{_name(path)}", path) if path else None
            if kept is None and not _is_named(place, sha256):
                raise BackupError(
                    "A patient was erased while the backup was made, so that it would hold a part "
                    "of them. Make it again."
                )
            if kept is None or kept.sha256 != sha256:
                yield sha256

    def _add(self, name: str, path: Path) -> KeptFile:
        """Add a file, read once: its hash is that of what is in the archive.

        Raises:
            FileNotFoundError: It is not there.
            FolderError: It cannot be read.
        """
        packing = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
        with _open(path) as source:
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            digest, size = hashlib.sha256(), 0
            with self._archive.open(info, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    size += len(block)
                    target.write(block)
        self._files.append(KeptFile(name, size, digest.hexdigest()))
        return self._files[-1]


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FolderError(
            f"Cannot read {path} ({error.strerror}). Make the backup with the account of the "
            "server."
        ) from error


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _is_named(place: Place, sha256: str) -> bool:
    """Return whether the record still names a photograph."""
    database = open_database(place)
    try:
        with database.read() as connection:
            query = sa.select(IMAGE_USE.c.sha256).where(IMAGE_USE.c.sha256 == sha256)
            return connection.execute(query).first() is not None
    finally:
        database.close()


def _log(place: Place, by: str) -> None:
    """Write into the audit log that all was taken out; a record of an earlier version has none."""
    try:
        record = Record.open(place)
    except RecordVersionError:  # it is backed up before it is upgraded
        return
    try:
        if not record.is_read_only:
            record.log_export(by=by, kind=None, detail="a backup of the server")
    finally:
        record.close()


def _list_left_out(places: Places) -> tuple[str, ...]:
    found = [_SECRETS]
    if places.record is None:
        found.append("Found no record, so that none is in it.")
    if places.history is None:
        found.append(
            "The history of runs is on another server (MLFLOW_TRACKING_URI): back it up there."
        )
    return tuple(found)

"""Restore a backup into empty places. What was killed half-way is cleared by the next restore.

All files are first written into a hidden folder within their places and compared with their
hashes. Then they are moved, the record's database last: before it is there, there is no record.
"""

import hashlib
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.backup.manifest import (
    DUMP,
    HISTORY,
    SQLITE,
    KeptFile,
    Manifest,
    read_manifest,
)
from melanoma_core.backup.places import Part, Places, find_new_places
from melanoma_core.backup.snapshot import is_empty_postgresql, restore_postgresql
from melanoma_core.errors import BackupError
from melanoma_core.files import explain_write_errors
from melanoma_core.records import migrations
from melanoma_core.records.errors import RecordVersionError
from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from melanoma_core.records.verification import Verification
from melanoma_core.settings import Settings

_STAGING = ".restoring"
_BLOCK = 2**20
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_ADVICE = "then restore the backup again"
_ANOTHER = "Nothing was restored. Use another backup."
# The columns of MLflow's tables that hold addresses of files.
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


@dataclass(frozen=True)
class Restored:
    """What a restore has done.

    Attributes:
        manifest: What the backup says of itself.
        places: Where its parts are now.
        verification: The check of the record; None without a record, or where its tables must be
            upgraded first.
    """

    manifest: Manifest
    places: Places
    verification: Verification | None


def restore_backup(settings: Settings, path: Path) -> Restored:
    """Restore a backup into the places that the settings name, which must be empty.

    Args:
        settings: Where the parts go.
        path: The backup.

    Raises:
        AccessError: The person who acts is no steward.
        BackupError: The backup is damaged or of a newer version, or a place is not empty.
        FolderError: A place cannot be written.
    """
    require(Right.BACK_UP)
    places = find_new_places(settings)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = read_manifest(archive, path)
            parts = [part for part in Part if any(file.part is part for file in manifest.files)]
            _check_places(manifest, places, parts)
            _stage(archive, manifest, places, parts)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupError(
            f"{path} is no whole backup ({error}). Nothing was restored. Use another one."
        ) from error
    with explain_write_errors(places.runs, _ADVICE):
        _correct_addresses(manifest, places)
        _move(places, parts)
    return Restored(manifest, places, _verify(manifest, places))


def _check_places(manifest: Manifest, places: Places, parts: list[Part]) -> None:
    """Refuse places that are not empty, and a record that cannot be restored here."""
    for part in parts:
        folder = places.find_folder(part)
        _clear(folder, {file.inner.parts[0] for file in manifest.files if file.part is part})
        others = [each.name for each in _list(folder) if not _passes(each.name)]
        if others:
            raise BackupError(
                f"{folder} has files in it, such as {min(others)}. A backup is restored into empty "
                "places alone. Move them away, or name another folder (docs/reference/settings.md)."
            )
    if manifest.record is None:
        return
    assert places.record is not None
    is_dump = any(file.name == f"{Part.RECORD}/{DUMP}" for file in manifest.files)
    if is_dump != bool(places.record.url):
        raise BackupError(
            "The record of this backup is of a PostgreSQL database. Create an empty one, and set "
            "MELANOMA_RECORD_URL to its address."
            if is_dump
            else "The record of this backup has an SQLite database. Unset MELANOMA_RECORD_URL."
        )
    if not migrations.is_known(manifest.record.version):
        raise BackupError(
            f"The record of this backup was written by version {manifest.app_version} of this "
            "software, and its tables are not known here. Install that version or a newer one."
        )
    if is_dump and not is_empty_postgresql(places.record.url):
        raise BackupError(
            "The PostgreSQL database has tables in it. A backup is restored into an empty one "
            "alone. Create one, and set MELANOMA_RECORD_URL to its address."
        )


def _clear(folder: Path, names: set[str]) -> None:
    """Remove what an earlier restore, which was killed, has left in a place."""
    staging = folder / _STAGING
    if not staging.is_dir():
        return
    with explain_write_errors(folder, _ADVICE):
        for name in names:
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(staging)


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _passes(name: str) -> bool:
    return name.startswith(".") or name.endswith(".lock")


def _stage(archive: zipfile.ZipFile, manifest: Manifest, places: Places, parts: list[Part]) -> None:
    """Write all files into hidden folders of their places, and compare them with their hashes."""
    try:
        for file in manifest.files:
            folder = places.find_folder(file.part)
            target = folder / _STAGING / file.inner
            with explain_write_errors(target, _ADVICE):
                folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
                target.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
                _extract(archive, file, target)
    except BaseException:
        for part in parts:
            shutil.rmtree(places.find_folder(part) / _STAGING, ignore_errors=True)
        raise
    if hasattr(os, "sync"):
        os.sync()  # before anything looks complete


def _extract(archive: zipfile.ZipFile, file: KeptFile, target: Path) -> None:
    digest = hashlib.sha256()
    target.touch(mode=_PRIVATE_FILE)
    try:
        with archive.open(file.name) as source, target.open("wb") as written:
            while block := source.read(_BLOCK):
                digest.update(block)
                written.write(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BackupError(f"The backup is damaged: {file.name}, {error}. {_ANOTHER}") from error
    if digest.hexdigest() != file.sha256:
        raise BackupError(f"The backup is damaged: {file.name} was altered. {_ANOTHER}")


def _correct_addresses(manifest: Manifest, places: Places) -> None:
    """Let the history of the runs name its files where they are now."""
    history = places.runs / _STAGING / HISTORY
    if not history.is_file():
        return
    moves = (
        (Path(manifest.runs_folder), places.runs.absolute()),
        (Path(manifest.models_folder), places.models.absolute()),
    )
    with closing(sqlite3.connect(history)) as connection, connection:
        for table, column in _ADDRESSES:
            for old, new in moves:
                for was, now in ((old.as_uri(), new.as_uri()), (str(old), str(new))):
                    # The names are ours, the values are parameters.
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (now, len(was) + 1, was, len(was) + 1, f"{was}/"),
                    )


def _move(places: Places, parts: list[Part]) -> None:
    """Move files from the hidden folders into their places; the record's database last."""
    for part in parts:
        folder = places.find_folder(part)
        for path in sorted((folder / _STAGING).iterdir()):
            if path.name not in {SQLITE, DUMP, HISTORY}:
                path.replace(folder / path.name)
    history = places.runs / _STAGING / HISTORY
    if history.is_file():
        target = places.history or places.runs / HISTORY
        target.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        shutil.move(history, target)
    if Part.RECORD in parts:
        _move_database(places)
    for part in parts:
        shutil.rmtree(places.find_folder(part) / _STAGING)


def _move_database(places: Places) -> None:
    place = places.record
    assert place is not None
    place.images_folder.mkdir(exist_ok=True)
    if place.url:
        restore_postgresql(place.url, place.folder / _STAGING / DUMP)
        return
    staged = place.folder / _STAGING / SQLITE
    with closing(sqlite3.connect(staged)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    staged.replace(place.database_file)


def _verify(manifest: Manifest, places: Places) -> Verification | None:
    if manifest.record is None or places.record is None:
        return None
    place: Place = places.record
    try:
        record = Record.open(place)
    except RecordVersionError:
        return None
    try:
        return record.verify()
    finally:
        record.close()

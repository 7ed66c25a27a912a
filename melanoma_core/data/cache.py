"""Cache the measurements of image files between sessions, outside of the user's data."""

import logging
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, fields
from pathlib import Path
from typing import TypeVar

import PIL

from melanoma_core.data.facts import FileFacts
from melanoma_core.data.formats.dicom_frames import split_name

Version = tuple[int, int]  # size in bytes, and time of the last change in ns
_Result = TypeVar("_Result")

# Change the number whenever the definition of a measurement changes. Pillow decodes the image.
_FILE_NAME = f"facts-5-pillow-{PIL.__version__}.sqlite"
# The last field, `error`, is not stored: the cache contains readable files only.
_FACTS = [field.name for field in fields(FileFacts)][:-1]
_COLUMNS = ["folder", "name", "num_bytes", "modified_ns", *_FACTS]
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS facts ({', '.join(_COLUMNS)}, PRIMARY KEY (folder, name)) "
    "WITHOUT ROWID"
)
_SELECT = f"SELECT {', '.join(_COLUMNS[1:])} FROM facts WHERE folder = ?"
_INSERT = f"INSERT OR REPLACE INTO facts VALUES ({', '.join('?' * len(_COLUMNS))})"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCK_SECONDS = 10.0  # how long to wait while another session writes

_log = logging.getLogger(__name__)


class FactCache:
    """Measurements of files in an SQLite database that several sessions can use at once.

    A file counts as unchanged if its size and modification time are the same. Unreadable files are
    not stored, because their permissions can change without changing either. A damaged database is
    deleted and created again. If the database cannot be used, everything works without it.

    Args:
        folder: Folder of the database. It is created when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE_NAME

    def load(self, paths: Sequence[Path]) -> tuple[dict[Path, FileFacts], dict[Path, Version]]:
        """Load the measurements of all files that have not changed since.

        Args:
            paths: The files.

        Returns:
            The measurements of unchanged files, and the current version of every existing file.
            Pass the versions to `store`: a file that changes while it is measured is then
            measured again next time.
        """
        versions: dict[Path, Version] = {}
        files_by_folder: dict[Path, list[Path]] = defaultdict(list)
        for path in paths:
            version = _read_version(path)
            if version:
                versions[path] = version
                files_by_folder[path.parent].append(path)

        def read(connection: sqlite3.Connection) -> dict[Path, FileFacts]:
            facts = {}
            for folder, files in files_by_folder.items():
                rows = connection.execute(_SELECT, [_make_folder_key(folder)])
                stored = {row[0]: row[1:] for row in rows}
                for path in files:
                    row = stored.get(os.fsencode(path.name))
                    if row and row[:2] == versions[path]:
                        facts[path] = FileFacts(*row[2:])
            return facts

        return self._run(read, default={}), versions

    def store(self, facts: Mapping[Path, FileFacts], versions: Mapping[Path, Version]) -> None:
        """Store the measurements of readable files.

        Args:
            facts: Measurements by path. Those of unreadable files are ignored.
            versions: Versions of the files before they were measured, from `load`.
        """
        keys = {folder: _make_folder_key(folder) for folder in {path.parent for path in facts}}
        rows = [
            (keys[path.parent], os.fsencode(path.name), *versions[path], *astuple(fact)[:-1])
            for path, fact in facts.items()
            if fact.error is None and path in versions
        ]

        def write(connection: sqlite3.Connection) -> None:
            with connection:  # a single transaction
                connection.executemany(_INSERT, rows)

        if rows:
            self._run(write, default=None)

    def _run(self, work: Callable[[sqlite3.Connection], _Result], default: _Result) -> _Result:
        try:
            try:
                return self._connect(work)
            except sqlite3.DatabaseError as error:
                if _get_primary_code(error) not in _DAMAGED:
                    raise
                _log.warning("Deleted the damaged cache %s (%s)", self.path, error)
                self.path.unlink(missing_ok=True)
                return self._connect(work)
        except (OSError, sqlite3.DatabaseError) as error:
            _log.warning("Cannot use the cache %s (%s). Continuing without it", self.path, error)
            return default

    def _connect(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_LOCK_SECONDS)) as connection:
            connection.execute(_CREATE)
            return work(connection)


def _get_primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, without the bits of the extended code."""
    return error.sqlite_errorcode & 0xFF


def _read_version(path: Path) -> Version | None:
    try:
        status = split_name(path)[0].stat()
    except OSError:
        return None  # measuring the file reports the error
    return status.st_size, status.st_mtime_ns


def _make_folder_key(folder: Path) -> bytes:
    """Return the real path of a folder, which is the same for all links to it."""
    return os.fsencode(os.path.realpath(folder))

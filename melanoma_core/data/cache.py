"""What was measured on files, remembered between sessions, outside of the person's data."""

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

Version = tuple[int, int]  # size in bytes, and time of the last change in ns
Result = TypeVar("Result")

# Whatever changes a fact changes the name: how it is defined, and what decodes the picture.
_FILE_NAME = f"facts-2-pillow-{PIL.__version__}.sqlite"
# The last field, `error`, is left out: only what could be read is remembered.
_FACTS = [field.name for field in fields(FileFacts)][:-1]
_COLUMNS = ["folder", "name", "num_bytes", "modified_ns", *_FACTS]
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS facts ({', '.join(_COLUMNS)}, PRIMARY KEY (folder, name)) "
    "WITHOUT ROWID"
)
_RECALL = f"SELECT {', '.join(_COLUMNS[1:])} FROM facts WHERE folder = ?"
_KEEP = f"INSERT OR REPLACE INTO facts VALUES ({', '.join('?' * len(_COLUMNS))})"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_WAIT_SECONDS = 10.0  # for another session that writes

_log = logging.getLogger(__name__)


class FactCache:
    """Facts of files in one SQLite database, which any number of sessions may use at once.

    A file counts as unchanged while its size and the time of its last change are. A file that
    could not be read is not remembered: its permission may come back without changing either.
    A damaged database is dropped and begun anew; one that cannot be used is done without.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE_NAME

    def recall(self, paths: Sequence[Path]) -> tuple[dict[Path, FileFacts], dict[Path, Version]]:
        """Find the files that have not changed since they were measured.

        Returns:
            Their facts; and the version of every file, for `keep`. It is that from before the
            file is measured, so that one that changes meanwhile is measured anew next time.
        """
        versions: dict[Path, Version] = {}
        folders: dict[Path, list[Path]] = defaultdict(list)
        for path in paths:
            version = _look_at(path)
            if version:
                versions[path] = version
                folders[path.parent].append(path)

        def read(connection: sqlite3.Connection) -> dict[Path, FileFacts]:
            known = {}
            for folder, files in folders.items():
                rows = connection.execute(_RECALL, [_folder_key(folder)])
                stored = {row[0]: row[1:] for row in rows}
                for path in files:
                    row = stored.get(os.fsencode(path.name))
                    if row and row[:2] == versions[path]:
                        known[path] = FileFacts(*row[2:])
            return known

        return self._use(read, otherwise={}), versions

    def keep(self, facts: Mapping[Path, FileFacts], versions: Mapping[Path, Version]) -> None:
        """Remember the facts of files that could be read."""
        folder_keys = {folder: _folder_key(folder) for folder in {path.parent for path in facts}}
        rows = [
            (folder_keys[path.parent], os.fsencode(path.name), *versions[path], *astuple(fact)[:-1])
            for path, fact in facts.items()
            if fact.error is None and path in versions
        ]

        def write(connection: sqlite3.Connection) -> None:
            with connection:  # one transaction: all of them or none
                connection.executemany(_KEEP, rows)

        if rows:
            self._use(write, otherwise=None)

    def _use(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        try:
            try:
                return self._connect(work)
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                _log.warning("Dropped the damaged cache %s (%s)", self.path, error)
                self.path.unlink(missing_ok=True)
                return self._connect(work)
        except (OSError, sqlite3.DatabaseError) as error:
            _log.warning("Did without the cache %s (%s)", self.path, error)
            return otherwise

    def _connect(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_WAIT_SECONDS)) as connection:
            connection.execute(_CREATE)
            return work(connection)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code; the bits above it tell the kinds of one error apart."""
    return error.sqlite_errorcode & 0xFF


def _look_at(path: Path) -> Version | None:
    try:
        status = path.stat()
    except OSError:
        return None  # gone, or not ours to see: measuring it will say so
    return status.st_size, status.st_mtime_ns


def _folder_key(folder: Path) -> bytes:
    """Return a folder's real path: the same for every way that leads to it."""
    return os.fsencode(os.path.realpath(folder))

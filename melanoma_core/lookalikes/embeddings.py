"""Keep the embeddings of photographs, so that no photograph passes through a network twice.

They are kept by model, by the SHA-256 of the file. That makes indexing resumable after it was
cancelled or killed, and an index of a folder that has grown quick to make again.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from melanoma_core.files import explain_write_errors

SUFFIX = ".lookalikes"  # of the file of an index
_PREFIX = "embeddings-"
_CREATE = (
    "CREATE TABLE IF NOT EXISTS embeddings (file BLOB PRIMARY KEY, fingerprint BLOB, look BLOB, "
    "novelty REAL, embedding BLOB)"
)
_SELECT = "SELECT file, fingerprint, look, novelty, embedding FROM embeddings WHERE file IN ({})"
_SELECT_FILES = "SELECT file FROM embeddings"
_INSERT = "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?)"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCK_SECONDS = 10.0  # how long to wait while another process writes
_ROWS_PER_QUERY = 500
# Half the memory of float32. The relative error of 0.05% is far below the distance of two
# photographs of one lesion.
_KEPT = np.float16

Item = TypeVar("Item")
_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Embedded:
    """A photograph as the network sees it.

    Attributes:
        embedding: float32 [D].
        fingerprint: SHA-256 (hex) of the squashed photograph (`Reading.fingerprint`).
        look: `scanning.hash_look` of the squashed photograph.
        novelty: Mahalanobis distance to the training photographs (`Reading.novelty`); 0 if the
            model has no out-of-distribution check.
    """

    embedding: NDArray[np.float32]
    fingerprint: str
    look: str = ""
    novelty: float = 0.0


def forget_files(folder: Path, files: Iterable[str]) -> None:
    """Remove photographs from all that is derived from them in a folder, whatever the model.

    An index cannot lose single photographs: all are deleted, and are made again without reading
    the photographs that stay.

    Args:
        folder: Folder of the embeddings and the indexes; it need not exist.
        files: SHA-256 (hex) of the photographs' files.

    Raises:
        FolderError: They cannot be removed.
    """
    gone = set(files)
    with explain_write_errors(folder, "then erase the patient again"):
        for path in folder.glob(f"*{SUFFIX}") if gone else ():
            path.unlink(missing_ok=True)
        for path in folder.glob(f"{_PREFIX}*.sqlite") if gone else ():
            try:
                EmbeddingStore(folder, path.stem.removeprefix(_PREFIX)).remove(gone)
            except sqlite3.DatabaseError:  # what is locked or broken can be computed again
                path.unlink(missing_ok=True)


class EmbeddingStore:
    """Embeddings of one model in an SQLite database that several processes can use at once.

    What is stored is on the disk when `add` returns. A damaged database is deleted and made again.

    Args:
        folder: Folder of the database, which is created when something is stored.
        model_id: Id of the model.
    """

    def __init__(self, folder: Path, model_id: str) -> None:
        self.path = folder / f"{_PREFIX}{model_id}.sqlite"

    def find_all(self) -> set[str]:
        """Return the SHA-256 (hex) of all stored files."""
        if not self.path.exists():
            return set()
        stored = self._run(lambda connection: list(connection.execute(_SELECT_FILES)))
        return {file.hex() for (file,) in stored}

    def load(self, files: Iterable[str]) -> dict[str, Embedded]:
        """Load what is stored of some files.

        Args:
            files: SHA-256 (hex) of the files.

        Returns:
            By file; those that are not stored are missing.
        """
        if not self.path.exists():
            return {}
        keys = [bytes.fromhex(file) for file in dict.fromkeys(files)]

        def read(connection: sqlite3.Connection) -> dict[str, Embedded]:
            found = {}
            for some in cut(keys, _ROWS_PER_QUERY):
                query = _SELECT.format(",".join("?" * len(some)))
                for file, fingerprint, look, novelty, embedding in connection.execute(query, some):
                    values = np.frombuffer(embedding, _KEPT).astype(np.float32)
                    found[file.hex()] = Embedded(values, fingerprint.hex(), look.hex(), novelty)
            return found

        return self._run(read)

    def add(self, embedded: Mapping[str, Embedded]) -> None:
        """Store photographs by the SHA-256 (hex) of their files."""
        rows = [
            (
                bytes.fromhex(file),
                bytes.fromhex(each.fingerprint),
                bytes.fromhex(each.look),
                each.novelty,
                each.embedding.astype(_KEPT).tobytes(),
            )
            for file, each in embedded.items()
        ]

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany(_INSERT, rows)

        if rows:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._run(write)

    def remove(self, files: Iterable[str]) -> None:
        """Remove files (SHA-256, hex), so that nothing of them is left on the disk."""
        gone = [(bytes.fromhex(file),) for file in self.find_all() & set(files)]

        def delete(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany("DELETE FROM embeddings WHERE file = ?", gone)

        if gone:
            self._run(delete)

    def _run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        try:
            return self._connect(work)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            _log.warning("Deleted the damaged embeddings %s (%s)", self.path, error)
            self.path.unlink(missing_ok=True)
            return self._connect(work)

    def _connect(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        with closing(sqlite3.connect(self.path, timeout=_LOCK_SECONDS)) as connection:
            connection.execute("PRAGMA secure_delete = ON")  # zeros over what is deleted
            connection.execute(_CREATE)
            return work(connection)


def cut(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut items into lists of at most `size`.

    >>> list(cut("abc", 2))
    [['a', 'b'], ['c']]
    """
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some

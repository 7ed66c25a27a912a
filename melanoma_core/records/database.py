"""The database of a record: connections, transactions, and what goes wrong with them.

A transaction that writes waits for others that write. So the audit log is one chain, and what a
transaction reads is still true when it writes. Those that read see one moment, and wait for none.
"""

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from melanoma_core.errors import RecordError, SettingsError
from melanoma_core.records.errors import (
    NoRecordError,
    RecordBusyError,
    RecordDamagedError,
    RecordFullError,
    RecordReadOnlyError,
)
from melanoma_core.records.place import Place

_BUSY_SECONDS = 15  # other writers take milliseconds each
_LOCK = 0x6D656C616E  # PostgreSQL's lock of all who write, by a number of our own
_WRITES = "record_writes"  # marks the connections whose transactions write
_POOL = 8  # connections that stay open
_PRAGMAS = (
    f"PRAGMA busy_timeout={1000 * _BUSY_SECONDS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",  # a commit is on the disk when it returns
    "PRAGMA secure_delete=ON",  # what is erased is overwritten
    "PRAGMA cache_size=-32000",
)
_TRY_AGAIN = "Try again in a moment; if it stays so, close the other program."


class Database:
    """The database of a record.

    Args:
        place: Where it is.

    Raises:
        NoRecordError: There is no database.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._turn = threading.Lock()
        self.is_postgresql = bool(place.url)
        self.is_read_only = not _may_write(place)
        if self.is_postgresql:
            self._engine = _connect_postgresql(place)
        else:
            self._engine = self._connect_sqlite()
        self._writing = self._engine.execution_options(**{_WRITES: True})
        moment = {"isolation_level": "REPEATABLE READ"} if self.is_postgresql else {}
        self._reading = self._engine.execution_options(**moment)

    @contextmanager
    def read(self) -> Generator[sa.Connection, None, None]:
        """Read in a `with` statement, as of one moment.

        Raises:
            RecordError: The database cannot be read.
        """
        with explain_faults(self.place), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[sa.Connection, None, None]:
        """Write in a `with` statement: all of it, or nothing if it raises.

        Raises:
            RecordError: The database cannot be written.
        """
        if self.is_read_only:
            raise RecordReadOnlyError(_explain_read_only(self.place))
        with self._take_turn(), explain_faults(self.place), self._writing.begin() as connection:
            if self.is_postgresql:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    @contextmanager
    def _take_turn(self) -> Generator[None, None, None]:
        """Wait until the other threads of this process have written.

        SQLite would let each of them look again and again, at growing intervals and in no order, so
        that one may wait for seconds while the disk is idle. Other processes still do.
        """
        if self.is_postgresql:  # whose lock is a queue
            yield
            return
        if not self._turn.acquire(timeout=_BUSY_SECONDS):
            raise _make_busy(self.place)
        try:
            yield
        finally:
            self._turn.release()

    def use_write_ahead_log(self) -> None:
        """Let readers of a new SQLite database go on while another process writes."""
        self._do_alone("PRAGMA journal_mode=WAL")

    def shrink(self) -> None:
        """Let go of what was erased: SQLite's write-ahead log and PostgreSQL's old rows hold it."""
        self._do_alone("VACUUM" if self.is_postgresql else "PRAGMA wal_checkpoint(TRUNCATE)")

    def _do_alone(self, statement: str) -> None:
        """Do what cannot be done within a transaction."""
        with explain_faults(self.place):
            raw = self._engine.raw_connection()
            try:
                if self.is_postgresql:
                    raw.driver_connection.autocommit = True  # type: ignore[union-attr]
                raw.cursor().execute(statement)
            finally:
                raw.invalidate()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _connect_sqlite(self) -> sa.Engine:
        path = self.place.database_file
        if not self.is_read_only:
            return _make_sqlite_engine(f"file:{quote(str(path.absolute()))}")
        if not path.is_file():
            raise NoRecordError(f"There is no record in {self.place.folder}.")
        url = f"file:{quote(str(path.absolute()))}?mode=ro"
        engine = _make_sqlite_engine(url)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        except sa.exc.OperationalError:
            # Readers share a file beside the database, which cannot be made here. Without it,
            # SQLite reads what no other program changes.
            log = path.with_name(f"{path.name}-wal")
            if log.is_file() and log.stat().st_size:
                raise RecordReadOnlyError(
                    f"{_explain_read_only(self.place)} Its last changes are still in {log.name}, "
                    "which cannot be read without writing. Copy the folder to another disk, and "
                    "open it there."
                ) from None
            engine.dispose()
            engine = _make_sqlite_engine(f"{url}&immutable=1")
        return engine


def _may_write(place: Place) -> bool:
    paths = [place.folder] if place.url else [place.folder, place.database_file]
    return all(os.access(path, os.W_OK) for path in paths if path.exists())


def _make_sqlite_engine(url: str) -> sa.Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            url,
            uri=True,
            timeout=_BUSY_SECONDS,
            check_same_thread=False,
            isolation_level=None,  # transactions begin below
            cached_statements=256,
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.create_function("lower", 1, str.lower, deterministic=True)  # not ASCII alone
        return connection

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=_POOL, max_overflow=-1
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _connect_postgresql(place: Place) -> sa.Engine:
    try:
        url = sa.make_url(place.driver_url)
    except (ValueError, sa.exc.ArgumentError):
        # Without the cause, whose words may hold a part of the password.
        raise SettingsError(
            "The address of the record's database cannot be read. It must be such as "
            "postgresql://ada:password@server:5432/clinic, with %40 for @, %3A for : and %2F for / "
            "within the password. Correct MELANOMA_RECORD_URL."
        ) from None
    _check_options(url)
    return sa.create_engine(
        url,
        pool_size=_POOL,
        max_overflow=-1,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": _BUSY_SECONDS,
            "options": f"-c lock_timeout={1000 * _BUSY_SECONDS} -c synchronous_commit=on",
        },
    )


def _check_options(url: sa.URL) -> None:
    """Refuse what PostgreSQL does not know as an option, before a connection fails on it."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    for name, values in url.normalized_query.items():
        try:
            make_conninfo(**{name: ",".join(values)})
        except (psycopg.Error, TypeError):
            raise SettingsError(
                f'The address of the record\'s database has the option "{name}", which PostgreSQL '
                "does not know. After the question mark it takes options such as sslmode=require. "
                "Correct MELANOMA_RECORD_URL."
            ) from None


@contextmanager
def explain_faults(place: Place) -> Generator[None, None, None]:
    """Turn what a database raises for a reason outside of this program into a sentence.

    Raises:
        RecordError: The disk is full or read-only, another program holds the database, it is
            damaged, or its server cannot be reached.
    """
    try:
        yield
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        explained = _explain(getattr(error, "orig", error), place)
        if explained is None:
            raise
        raise explained from error


def _explain(error: BaseException | None, place: Place) -> RecordError | None:
    if isinstance(error, sqlite3.Error):
        return _explain_sqlite(error, place)
    return _explain_postgresql(error, place)


def _make_busy(place: Place) -> RecordBusyError:
    return RecordBusyError(
        f"Another program has held {place.database_file} for {_BUSY_SECONDS} seconds. Nothing of "
        f"this change was kept. {_TRY_AGAIN}"
    )


def _explain_sqlite(error: sqlite3.Error, place: Place) -> RecordError | None:
    file = place.database_file
    busy = _make_busy(place)
    damaged = RecordDamagedError(
        f"{file} is damaged ({error}). Do not write to it. Restore the folder from a backup, then "
        "run `melanoma records verify`."
    )
    known: dict[int, RecordError] = {
        sqlite3.SQLITE_FULL: RecordFullError(_explain_full(str(file))),
        sqlite3.SQLITE_IOERR: RecordFullError(
            f"{file} cannot be read or written ({error}). Nothing of this change was kept. Check "
            "that its disk works and has free space, then try again."
        ),
        sqlite3.SQLITE_READONLY: RecordReadOnlyError(_explain_read_only(place)),
        sqlite3.SQLITE_BUSY: busy,
        sqlite3.SQLITE_LOCKED: busy,
        sqlite3.SQLITE_CORRUPT: damaged,
        sqlite3.SQLITE_NOTADB: damaged,
        sqlite3.SQLITE_CANTOPEN: NoRecordError(
            f"{file} cannot be opened ({error}). Check that the folder exists and that you may "
            "read it."
        ),
    }
    return known.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


# The codes of PostgreSQL's documentation, appendix A.
_FULL_STATES = {"53100"}
_READ_ONLY_STATES = {"25006", "42501"}
_BUSY_STATES = {"55P03", "40P01", "40001", "53300"}
_DAMAGED_STATES = {"XX001", "XX002"}


def _explain_postgresql(error: Any, place: Place) -> RecordError | None:
    import psycopg

    state = getattr(error, "sqlstate", None)
    words = str(error).strip().splitlines()[0] if str(error).strip() else "without a reason"
    if state in _FULL_STATES:
        return RecordFullError(_explain_full("the PostgreSQL database of the record"))
    if state in _READ_ONLY_STATES:
        return RecordReadOnlyError(_explain_read_only(place))
    if state in _BUSY_STATES:
        return RecordBusyError(
            f"The PostgreSQL database of the record is held by others ({words}). Nothing of this "
            f"change was kept. {_TRY_AGAIN}"
        )
    if state in _DAMAGED_STATES:
        return RecordDamagedError(
            f"The PostgreSQL database of the record is damaged ({words}). Restore it from a backup."
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return RecordError(
            f"The PostgreSQL server of the record cannot be used ({words}). What was not yet "
            "confirmed may not have been kept. Check that it runs, and the address in "
            "MELANOMA_RECORD_URL."
        )
    return None


def _explain_full(where: str) -> str:
    return (
        f"The disk of {where} is full. Nothing of this change was kept. Free some space, then try "
        "again."
    )


def _explain_read_only(place: Place) -> str:
    what = "its PostgreSQL database or its folder" if place.url else "its folder"
    return (
        f"The record in {place.folder} can be read, but not changed: {what} is read-only here. Ask "
        "for the right to write, or open it where it can be written."
    )

"""Copies of databases as of one moment, while others write to them."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from melanoma_core.errors import BackupError, RecordError
from melanoma_core.settings import make_environment

_BUSY_SECONDS = 60


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database as of one moment. Others can write to it meanwhile.

    Args:
        source: The database, which is only read.
        target: A new file.

    Raises:
        BackupError: It cannot be read.
    """
    url = f"{source.absolute().as_uri()}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(url, uri=True, timeout=_BUSY_SECONDS)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            opened.backup(copy)  # in one step, so that no writer comes in between
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise BackupError(
            f"{source} cannot be copied ({error}). Check that it is whole and can be read."
        ) from error


def dump_postgresql(url: str, snapshot: str, target: Path) -> None:
    """Write a PostgreSQL database to a file by pg_dump.

    Args:
        url: Its address.
        snapshot: The moment, as `pg_export_snapshot` has named it to an open transaction.
        target: A new file.

    Raises:
        BackupError: pg_dump is missing or failed.
    """
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    _run("pg_dump", url, [*options, f"--file={target}"])


def restore_postgresql(url: str, source: Path) -> None:
    """Fill an empty PostgreSQL database from a file of pg_dump: all of it, or nothing.

    Raises:
        BackupError: pg_restore is missing or failed.
    """
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", url, [*options, str(source)])


def is_empty_postgresql(url: str) -> bool:
    """Return whether a PostgreSQL database has no tables of its own.

    Raises:
        RecordError: It cannot be reached.
    """
    import psycopg

    query = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', %s)"
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(query, ["information_schema"]).fetchone()
    except psycopg.Error as error:
        raise RecordError(
            f"The PostgreSQL database of the record cannot be used ({str(error).strip()}). Create "
            "an empty one, and check the address in MELANOMA_RECORD_URL."
        ) from error
    return row == (0,)


def _run(program: str, url: str, options: list[str]) -> None:
    """Run a program of PostgreSQL; the password is not among its arguments, which all can see."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    if shutil.which(program) is None:
        raise BackupError(
            f"Found no {program} on the PATH. Install PostgreSQL's programs of the version of the "
            "server or a newer one (postgresql-client on Debian)."
        )
    known = conninfo_to_dict(url)
    password = known.pop("password", None)
    environment = make_environment() | ({} if password is None else {"PGPASSWORD": str(password)})
    command = [program, "--no-password", f"--dbname={make_conninfo('', **known)}", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise BackupError(
            f"{program} failed ({said}). It must be of the server's version or newer, and the "
            "account must own the database."
        )

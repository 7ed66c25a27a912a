"""What goes wrong outside of this program: disks, locks, damage, other versions, other programs."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from melanoma_core.errors import FolderError, MelanomaError, RecordError, SettingsError
from melanoma_core.records import database
from melanoma_core.records.entities import Patient
from melanoma_core.records.errors import (
    NoRecordError,
    RecordBusyError,
    RecordDamagedError,
    RecordFullError,
    RecordReadOnlyError,
    RecordVersionError,
)
from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT
from tests.core.records.conftest import Tamper
from tests.core.records.made_entries import fill, read_drawn

Mount = Callable[[str], Path]


def add_many(record: Record, number: int, words: int = 200) -> None:
    with record.write(by="dr.a") as change:
        for each in range(number):
            change.add(Patient(pseudonym=f"P-{each}-" + "x" * words))


@pytest.fixture
def file_record(tmp_path: Path) -> Record:
    return Record.create(tmp_path / "record", by="dr.a")


def test_a_full_disk_keeps_what_was_acknowledged_and_nothing_of_what_was_not(mount: Mount):
    record = Record.create(mount("size=2m") / "record", by="dr.a")
    filled = fill(record)

    with pytest.raises(RecordFullError, match=r"is full\. Nothing of this change was kept"):
        add_many(record, 2000, words=2000)

    assert record.find(Patient) == (filled.patient,)
    assert record.verify().faults == ()
    with record.write(by="dr.a") as change:  # a small one still fits
        change.correct(filled.patient, replace(filled.patient.value, birth_year=1961))
    assert record.verify().faults == ()
    record.close()


def test_a_photograph_does_not_fit_on_a_full_disk(mount: Mount):
    disk = mount("size=1m")
    record = Record.create(disk / "record", by="dr.a")
    free = shutil.disk_usage(disk).free
    (disk / "ballast").write_bytes(bytes(free - 8192))

    with pytest.raises(FolderError, match="Free some space on its disk"):
        record.images.put(read_drawn())
    assert [path for path in record.images.folder.rglob("*") if path.is_file()] == []
    assert record.verify().faults == ()
    record.close()


def test_a_file_that_may_not_grow_is_like_a_full_disk(file_record: Record):
    fill(file_record)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(RecordFullError, match="Nothing of this change was kept"):
            add_many(file_record, 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert file_record.count()["Patient"] == 1
    assert file_record.verify().faults == ()


def test_no_record_is_left_where_its_creation_finds_a_full_disk(mount: Mount):
    folder = mount("size=64k") / "record"

    with pytest.raises(MelanomaError):
        Record.create(folder, by="dr.a")
    with pytest.raises(NoRecordError):
        Record.open(folder)


def test_a_record_on_a_read_only_disk_is_read_and_not_written(mount: Mount):
    disk = mount("size=4m")
    filled = fill(record := Record.create(disk / "record", by="dr.a"))
    record.close()
    mount("remount,ro,size=4m")

    again = Record.open(disk / "record")

    assert again.is_read_only
    assert again.load_case(filled.lesion.id).patient == filled.patient
    assert again.images.read(filled.photograph.value.sha256)
    assert again.verify().faults == ()
    again.log_seen(by="dr.b", kind=Patient, entry_id=filled.patient.id)
    for write in (
        lambda: add_many(again, 1),
        lambda: again.images.put(read_drawn()),
        lambda: again.log_export(by="dr.b", kind=None, detail="all"),
        again.rebuild,
    ):
        with pytest.raises(RecordReadOnlyError, match="read-only"):
            write()
    again.close()


def test_a_record_that_a_kill_left_on_a_disk_that_became_read_only_is_read(mount: Mount):
    disk = mount("size=8m")
    work = (
        "import os, sys\n"
        "from tests.core.records.made_entries import fill\n"
        "from melanoma_core.records.store import Record\n"
        "from pathlib import Path\n"
        "fill(Record.create(Path(sys.argv[1]), by='dr.a'))\n"
        "os._exit(0)\n"  # as a kill: the write-ahead log stays
    )
    subprocess.run([sys.executable, "-c", work, str(disk / "record")], check=True, cwd=PROJECT_ROOT)
    assert (disk / "record" / "record.sqlite-wal").stat().st_size
    mount("remount,ro,size=8m")

    again = Record.open(disk / "record")
    assert again.find_patient("P-1") is not None
    assert again.verify().faults == ()
    again.close()


def test_a_locked_database_is_named(file_record: Record, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    monkeypatch.setattr(database, "_PRAGMAS", ("PRAGMA foreign_keys=ON",))
    record = Record.open(file_record.place)
    other = sqlite3.connect(record.place.database_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(RecordBusyError, match="Another program has held"):
        add_many(record, 1)
    assert record.count()["Patient"] == 0  # it can be read meanwhile

    other.execute("ROLLBACK")
    other.close()
    add_many(record, 1)


@pytest.mark.slow
def test_a_locked_postgresql_is_named(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 1)
    record = Record.create(Place(tmp_path / "record", database_url), by="dr.a")
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE log")
        with pytest.raises(RecordBusyError, match="held by others"):
            add_many(record, 1)
    add_many(record, 1)
    record.close()


@pytest.mark.slow
def test_a_postgresql_that_only_reads_is_named(database_url: str, tmp_path: Path):
    record = Record.create(Place(tmp_path / "record", database_url), by="dr.a")
    with psycopg.connect(database_url, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")  # type: ignore[arg-type]
    record.close()

    again = Record.open(record.place)
    assert again.count()["Patient"] == 0
    with pytest.raises(RecordReadOnlyError, match="PostgreSQL database or its folder"):
        add_many(again, 1)
    again.log_seen(by="dr.b", kind=None)
    again.close()


@pytest.mark.slow
def test_a_connection_that_the_server_has_ended_is_made_again(database_url: str, tmp_path: Path):
    record = Record.create(Place(tmp_path / "record", database_url), by="dr.a")
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    add_many(record, 1)
    assert record.count()["Patient"] == 1
    record.close()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, bytes(100_000)])
def test_a_file_that_is_no_record_is_refused_and_not_touched(file_record: Record, content: bytes):
    file_record.close()
    file_record.place.database_file.write_bytes(content)

    with pytest.raises(RecordError):
        Record.open(file_record.place)
    assert file_record.place.database_file.read_bytes() == content


def test_a_damaged_database_is_named(file_record: Record):
    add_many(file_record, 50)
    file_record.close()
    content = bytearray(file_record.place.database_file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    file_record.place.database_file.write_bytes(content)

    with pytest.raises(RecordDamagedError, match="Restore the folder from a backup"):
        Record.open(file_record.place).count()


def test_an_entry_that_no_software_could_have_written_is_named(record: Record, tamper: Tamper):
    filled = fill(record)
    tamper("UPDATE decision SET management = 'exorcism'")

    with pytest.raises(RecordDamagedError, match="was altered outside of this software"):
        record.load_case(filled.lesion.id)


def test_a_record_of_a_newer_version_is_refused(record: Record, tamper: Tamper):
    tamper("UPDATE alembic_version SET version_num = '9999'")

    for use in (Record.open, lambda place: Record.upgrade(place, by="dr.a")):
        with pytest.raises(RecordVersionError, match="newer version of this software"):
            use(record.place)


def test_another_programs_database_is_refused(tmp_path: Path):
    with sqlite3.connect(tmp_path / "record.sqlite") as connection:
        connection.execute("CREATE TABLE film (title TEXT)")
    connection.close()

    with pytest.raises(NoRecordError, match="no record in it"):
        Record.open(tmp_path)


def test_two_processes_write_at_once(record: Record):
    work = (
        "import sys\n"
        "from melanoma_core.records.entities import Patient\n"
        "from melanoma_core.records.store import Place, Record\n"
        "from pathlib import Path\n"
        "record = Record.open(Place(Path(sys.argv[1]), sys.argv[2]))\n"
        "for number in range(30):\n"
        "    with record.write(by=sys.argv[3]) as change:\n"
        "        change.add(Patient(pseudonym=f'{sys.argv[3]}-{number}'))\n"
    )
    arguments = [str(record.place.folder), record.place.url]
    processes = [
        subprocess.Popen([sys.executable, "-c", work, *arguments, name], cwd=PROJECT_ROOT)
        for name in ("dr.a", "dr.b")
    ]
    assert [process.wait() for process in processes] == [0, 0]

    assert record.count()["Patient"] == 60
    assert record.verify().faults == ()


@pytest.mark.parametrize("option", ["foo=1", "autocommit=1", "prepare_threshold=5"])
def test_an_option_that_postgresql_does_not_know_is_named(tmp_path: Path, option: str):
    place = Place(tmp_path, f"postgresql://ada:secret@localhost:1/clinic?sslmode=prefer&{option}")
    with pytest.raises(SettingsError, match=option.partition("=")[0]) as caught:
        Record.open(place)
    assert "secret" not in str(caught.value)


def test_threads_that_write_at_once_wait_in_turn(record: Record):
    """Each waits for those before it, and none is turned away."""
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(partial(add_patient, record), range(60)))
    assert record.count()["Patient"] == 60
    assert record.verify().faults == ()


def add_patient(record: Record, number: int) -> None:
    with record.write(by=f"dr.{number}") as change:
        change.add(Patient(pseudonym=f"P-{number}"))


def test_a_thread_that_waits_too_long_for_its_turn_is_refused(
    file_record: Record, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    with (
        file_record._database.write(),
        ThreadPoolExecutor(1) as threads,
        pytest.raises(RecordBusyError, match="Nothing of this change was kept"),
    ):
        threads.submit(add_patient, file_record, 1).result()

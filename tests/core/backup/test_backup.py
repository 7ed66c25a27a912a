"""A backup holds all of a server, and is restored into empty places alone."""

import json
import sqlite3
import threading
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.access.people import list_people
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import ANONYMOUS, Subject, acting_as
from melanoma_core.backup.restoring import restore_backup
from melanoma_core.backup.writing import write_backup
from melanoma_core.cli.main import main
from melanoma_core.errors import AccessError, BackupError
from melanoma_core.records.entities import Patient
from melanoma_core.records.images import ImageStore
from melanoma_core.records.patient_erasing import erase_patient
from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Sex
from melanoma_core.service.tokens import list_tokens, locate_tokens
from melanoma_core.settings import Settings
from tests.core.backup.conftest import KEY, MODEL, name_places, set_up
from tests.core.records.test_migrations import open_first_version


def find_place(settings: Settings) -> Place:
    assert settings.record is not None
    return Place(settings.record, settings.record_url or "")


def test_all_is_there_again_and_the_record_is_whole(
    server: Settings, empty: Settings, tmp_path: Path
):
    manifest = write_backup(server, tmp_path / "b.zip", "root")
    restored = restore_backup(empty, tmp_path / "b.zip")

    assert manifest.record is not None
    assert restored.verification is not None
    assert restored.verification.faults == ()
    assert restored.verification.head == manifest.record.log_hash
    assert restored.verification.num_images == 2
    assert (empty.models_dir / "m1" / "model.onnx").read_bytes() == MODEL
    assert (empty.runs_dir / "identifiers.key").read_text() == KEY
    assert [person.id for person in list_people(empty.access_dir)] == ["ada"]
    assert [token.name for token in list_tokens(locate_tokens(empty))] == ["page"]


def test_what_passes_is_left_out(server: Settings, tmp_path: Path):
    names = {file.name for file in write_backup(server, tmp_path / "b.zip", "root").files}

    assert {name for name in names if not name.startswith("record/")} == {
        "access/changes.jsonl",
        "access/people.json",
        "access/tokens.json",
        "models/m1/model.onnx",
        "runs/identifiers.key",
        "runs/r1/spec.json",
    }


def test_the_file_and_what_is_restored_are_for_their_owner_alone(
    server: Settings, empty: Settings, tmp_path: Path
):
    write_backup(server, tmp_path / "b.zip", "root")
    restore_backup(empty, tmp_path / "b.zip")

    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert locate_tokens(empty).stat().st_mode & 0o777 == 0o600
    assert find_place(empty).folder.stat().st_mode & 0o777 == 0o700


def test_the_audit_log_says_who_took_a_backup(server: Settings, tmp_path: Path):
    write_backup(server, tmp_path / "b.zip", "root")

    record = Record.open(find_place(server))
    (entry,) = record.list_log(limit=1)
    record.close()
    assert (entry.by, entry.action, entry.detail) == ("root", "exported", "a backup of the server")


def test_only_a_steward_may_do_either(server: Settings, empty: Settings, tmp_path: Path):
    for subject in (ANONYMOUS, Subject("ada", "Ada", frozenset({Role.READER, Role.TRAINER}))):
        with acting_as(subject), pytest.raises(AccessError, match="needs the role steward"):
            write_backup(server, tmp_path / "b.zip", "root")
        with acting_as(subject), pytest.raises(AccessError, match="needs the role steward"):
            restore_backup(empty, tmp_path / "b.zip")
    sue = Subject("sue", "Sue", frozenset({Role.STEWARD}))
    with acting_as(sue):
        write_backup(server, tmp_path / "b.zip", sue.signature)


def test_a_file_that_is_there_is_not_replaced(server: Settings, tmp_path: Path):
    (tmp_path / "b.zip").write_bytes(b"an older backup")

    with pytest.raises(BackupError, match="There is a file"):
        write_backup(server, tmp_path / "b.zip", "root")
    assert (tmp_path / "b.zip").read_bytes() == b"an older backup"


def test_it_is_as_of_one_moment_while_others_write(
    server: Settings, empty: Settings, tmp_path: Path
):
    stop, place = threading.Event(), find_place(server)

    def write() -> None:
        record = Record.open(place)
        number = 0
        while not stop.is_set():
            with record.write(by="dr.b") as change:
                change.add(Patient(pseudonym=f"W-{number}", birth_year=1970, sex=Sex.FEMALE))
            number += 1
        record.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifests = [write_backup(server, tmp_path / f"{n}.zip", "root") for n in range(3)]
    finally:
        stop.set()
        writer.join()
    numbers = [each.record.log_number for each in manifests if each.record]

    assert numbers == sorted(set(numbers))
    restored = restore_backup(empty, tmp_path / "2.zip")
    assert restored.verification is not None
    assert restored.verification.faults == ()
    assert restored.verification.num_log_entries == numbers[-1]


@pytest.mark.parametrize("name", ["models_dir", "runs_dir", "access_dir", "record"])
def test_a_place_with_files_in_it_is_refused(
    server: Settings, empty: Settings, tmp_path: Path, name: str
):
    write_backup(server, tmp_path / "b.zip", "root")
    folder: Path = getattr(empty, name)
    folder.mkdir(parents=True)
    (folder / "note").write_text("mine")

    with pytest.raises(BackupError, match="has files in it, such as note"):
        restore_backup(empty, tmp_path / "b.zip")
    assert (folder / "note").read_text() == "mine"
    assert not find_place(empty).database_file.exists()


def test_a_truncated_backup_is_refused(server: Settings, empty: Settings, tmp_path: Path):
    write_backup(server, tmp_path / "b.zip", "root")
    content = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(content[: len(content) // 2])

    with pytest.raises(BackupError, match="is no whole backup"):
        restore_backup(empty, tmp_path / "b.zip")


@pytest.mark.parametrize("name", ["models/m1/model.onnx", "access/people.json"])
def test_an_altered_file_is_named_and_nothing_is_restored(
    server: Settings, empty: Settings, tmp_path: Path, name: str
):
    write_backup(server, tmp_path / "b.zip", "root")
    change(tmp_path / "b.zip", {name: b"{}"})

    with pytest.raises(BackupError, match=f"{name} was altered. Nothing was restored"):
        restore_backup(empty, tmp_path / "b.zip")
    found = [path for path in empty.models_dir.parent.rglob("*") if path.is_file()]
    assert found == []


def test_a_backup_that_names_a_file_outside_of_its_parts_is_refused(
    server: Settings, empty: Settings, tmp_path: Path
):
    manifest = write_backup(server, tmp_path / "b.zip", "root")
    for name in ("models/../../x", "elsewhere/x", "/etc/x", "models"):
        raw = json.loads(zipfile.ZipFile(tmp_path / "b.zip").read("manifest.json"))
        raw["files"][0]["name"] = name
        change(tmp_path / "b.zip", {"manifest.json": json.dumps(raw).encode()})
        with pytest.raises(BackupError, match="is no whole backup"):
            restore_backup(empty, tmp_path / "b.zip")
    assert manifest.format == 1


def test_a_newer_record_or_format_is_refused(server: Settings, empty: Settings, tmp_path: Path):
    write_backup(server, tmp_path / "b.zip", "root")
    raw = json.loads(zipfile.ZipFile(tmp_path / "b.zip").read("manifest.json"))
    newer = raw | {"record": raw["record"] | {"version": "v9999"}}
    change(tmp_path / "b.zip", {"manifest.json": json.dumps(newer).encode()})
    with pytest.raises(BackupError, match="its tables are not known here"):
        restore_backup(empty, tmp_path / "b.zip")
    change(tmp_path / "b.zip", {"manifest.json": json.dumps(raw | {"format": 2}).encode()})
    with pytest.raises(BackupError, match="has the format 2, and this version reads 1"):
        restore_backup(empty, tmp_path / "b.zip")


def test_a_missing_photograph_is_named_and_all_else_is_kept(server: Settings, tmp_path: Path):
    images = ImageStore(find_place(server).images_folder)
    sha256, path = next(images.list_files())
    path.unlink()

    manifest = write_backup(server, tmp_path / "b.zip", "root")
    assert manifest.record is not None
    assert manifest.record.faults == (sha256,)
    assert len([file for file in manifest.files if "/images/" in file.name]) == 1


def test_the_history_of_runs_names_its_files_where_they_are_now(
    server: Settings, empty: Settings, tmp_path: Path
):
    old, new = server.runs_dir.as_uri(), empty.runs_dir.as_uri()
    with closing(sqlite3.connect(server.runs_dir / "mlflow.db")) as history, history:
        for table, columns in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
            ("model_versions", "source, storage_location"),
        ):
            history.execute(f"CREATE TABLE {table} ({columns})")
        addresses = [(f"{old}/artifacts",), (f"{old}-2/artifacts",), ("s3://bucket",), (None,)]
        history.executemany("INSERT INTO experiments VALUES (?)", addresses)
        history.execute("INSERT INTO model_versions VALUES (?, NULL)", [f"{server.models_dir}/m1"])
    write_backup(server, tmp_path / "b.zip", "root")
    restore_backup(empty, tmp_path / "b.zip")

    with closing(sqlite3.connect(empty.runs_dir / "mlflow.db")) as history:
        found = history.execute("SELECT artifact_location FROM experiments").fetchall()
        source = history.execute("SELECT source FROM model_versions").fetchall()
    assert found == [(f"{new}/artifacts",), (f"{old}-2/artifacts",), ("s3://bucket",), (None,)]
    assert source == [(f"{empty.models_dir}/m1",)]


def test_a_server_without_a_record_is_backed_up_too(empty: Settings, tmp_path: Path):
    other = replace(empty, record=None, records_dir=tmp_path / "none")
    (other.access_dir).mkdir(parents=True)
    (other.access_dir / "people.json").write_text("{}")
    manifest = write_backup(other, tmp_path / "b.zip", "root")

    assert manifest.record is None
    assert "Found no record, so that none is in it." in manifest.left_out
    assert restore_backup(name_places(tmp_path / "new"), tmp_path / "b.zip").verification is None


def test_a_record_of_an_earlier_version_is_backed_up_before_it_is_upgraded(
    empty: Settings, tmp_path: Path
):
    place = open_first_version(tmp_path)
    server = replace(name_places(tmp_path / "server"), record=place.folder)
    manifest = write_backup(server, tmp_path / "b.zip", "root")
    restored = restore_backup(empty, tmp_path / "b.zip")

    assert manifest.record is not None
    assert manifest.record.version == "0001"
    assert restored.verification is None  # it must be upgraded first
    assert Record.upgrade(find_place(empty), by="root")[0] == "0002"
    record = Record.open(find_place(empty))
    assert record.find_patient("P-1") is not None
    record.close()


def test_a_patient_who_was_erased_is_in_an_older_backup_and_can_be_erased_again(
    server: Settings, empty: Settings, tmp_path: Path
):
    write_backup(server, tmp_path / "b.zip", "root")
    erase(server)
    assert list(ImageStore(find_place(server).images_folder).list_files()) == []
    restore_backup(empty, tmp_path / "b.zip")

    assert len(list(ImageStore(find_place(empty).images_folder).list_files())) == 2
    erase(empty)
    assert list(ImageStore(find_place(empty).images_folder).list_files()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("postgresql_programs")
def test_a_record_on_postgresql_is_restored_into_an_empty_database(
    postgresql: str, database_url: str, tmp_path: Path
):
    import psycopg

    server = set_up(tmp_path / "server", database_url)
    manifest = write_backup(server, tmp_path / "b.zip", "root")
    assert "record/record.pgdump" in {file.name for file in manifest.files}
    with pytest.raises(BackupError, match="set MELANOMA_RECORD_URL to its address"):
        restore_backup(name_places(tmp_path / "sqlite"), tmp_path / "b.zip")
    with pytest.raises(BackupError, match="has tables in it"):
        restore_backup(name_places(tmp_path / "full", database_url), tmp_path / "b.zip")
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    url = postgresql.replace("/postgres?", "/restored?")
    restored = restore_backup(name_places(tmp_path / "new", url), tmp_path / "b.zip")

    assert restored.verification is not None
    assert restored.verification.faults == ()
    assert manifest.record is not None
    assert restored.verification.head == manifest.record.log_hash


def test_the_commands_say_what_to_do_next(
    server: Settings,
    empty: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def use(settings: Settings) -> None:
        monkeypatch.setenv("MELANOMA_RECORD", str(settings.record))
        monkeypatch.setenv("MELANOMA_MODELS_DIR", str(settings.models_dir))
        monkeypatch.setenv("MELANOMA_RUNS_DIR", str(settings.runs_dir))
        monkeypatch.setenv("MELANOMA_ACCESS_DIR", str(settings.access_dir))

    use(server)
    assert main(["backup", str(tmp_path / "b.zip"), "--by", "root"]) == 0
    said = capsys.readouterr()
    assert "keep it encrypted" in said.err
    assert "secrets.toml" in said.err
    use(empty)
    assert main(["restore", str(tmp_path / "b.zip"), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["record"]["faults"] == []
    assert "are in the record again. Erase them again" in said.err
    assert main(["records", "verify"]) == 0
    assert main(["restore", str(tmp_path / "b.zip")]) == 2


def erase(settings: Settings) -> None:
    """Erase the patient that `fill` has made."""
    record = Record.open(find_place(settings))
    patient = record.find_patient("P-1")
    assert patient is not None
    erase_patient(record, patient.id, "dr.a")
    record.close()


def change(path: Path, contents: dict[str, bytes]) -> None:
    """Replace files of an archive."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()} | contents
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)

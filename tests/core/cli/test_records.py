import json
import sqlite3
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.records.entities import Patient
from melanoma_core.records.store import Record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new record, which the environment names."""
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    monkeypatch.delenv("MELANOMA_RECORD_URL", raising=False)
    assert main(["records", "create", str(folder), "--by", "Ada"]) == 0
    return folder


@pytest.fixture(autouse=True)
def shown(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def read_json(shown: pytest.CaptureFixture[str]):
    return json.loads(shown.readouterr().out)


def add_patient(folder: Path, by: str = "dr.a") -> str:
    record = Record.open(folder)
    with record.write(by=by) as change:
        patient = change.add(Patient(pseudonym="P-1"))
    record.close()
    return patient.id


def test_a_new_record_is_created_and_says_how_it_is_used(folder: Path, shown):
    words = shown.readouterr()

    assert words.out == f"{folder}: a record was created\n"
    assert f"Set MELANOMA_RECORD={folder}" in words.err


def test_a_relative_folder_is_named_as_the_dashboard_finds_it_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown
):
    monkeypatch.chdir(tmp_path)
    assert main(["records", "create", "beside"]) == 0
    assert f"Set MELANOMA_RECORD={tmp_path / 'beside'} so" in shown.readouterr().err


def test_a_second_record_is_not_created_over_the_first(folder: Path, shown):
    assert main(["records", "create", str(folder)]) == 2
    assert "There is a record in" in shown.readouterr().err


def test_without_a_folder_a_command_asks_for_one(monkeypatch: pytest.MonkeyPatch, shown):
    monkeypatch.delenv("MELANOMA_RECORD", raising=False)

    assert main(["records", "status"]) == 2
    assert "Name its folder, or set MELANOMA_RECORD" in shown.readouterr().err


def test_an_untouched_record_has_no_faults(folder: Path, shown):
    add_patient(folder)
    shown.readouterr()

    assert main(["records", "verify"]) == 0
    words = shown.readouterr()
    assert words.out.startswith("Faults: 0. Entries of the audit log: 2. Versions of entries: 1.")
    assert "--known 2:" in words.err


def test_faults_are_printed_and_end_with_2(folder: Path, shown):
    add_patient(folder)
    with sqlite3.connect(folder / "record.sqlite") as connection:
        connection.execute("DROP TRIGGER patient_no_update")
        connection.execute("UPDATE patient SET birth_year = 1900")
    connection.close()
    shown.readouterr()

    assert main(["records", "verify"]) == 2
    lines = shown.readouterr().out.splitlines()
    assert lines[0].startswith("not protected from changes: The trigger was taken away")
    assert lines[1].startswith("altered: What version 1 of Patient")
    assert lines[2].startswith("Faults: 2.")

    assert main(["records", "verify", "--json"]) == 2
    faults = read_json(shown)["faults"]
    assert [fault["kind"] for fault in faults] == ["not protected from changes", "altered"]


def test_the_end_of_the_log_that_was_kept_is_compared(folder: Path, shown):
    shown.readouterr()
    main(["records", "verify", "--json"])
    head = read_json(shown)["head"]

    assert main(["records", "verify", "--known", f"1:{head}"]) == 0
    assert main(["records", "verify", "--known", f"1:{'0' * 64}"]) == 2
    assert "Entry 1 has another hash than the hash that was kept" in shown.readouterr().out
    assert main(["records", "verify", "--known", f"2:{head}"]) == 2
    assert "Removed at its end: 1." in shown.readouterr().out
    assert main(["records", "verify", "--known", "one"]) == 2
    assert "It must be the number and the hash of an entry" in shown.readouterr().err
    assert folder


def test_the_log_is_printed_the_newest_first_and_names_nothing_that_could_harm_a_terminal(
    folder: Path, shown
):
    patient_id = add_patient(folder, by="dr.\x1b[31ma\u202e")
    shown.readouterr()

    assert main(["records", "log"]) == 0
    lines = shown.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["2", "1"]
    assert lines[0].endswith(f"added  Patient {patient_id} (version 1)")
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[0]

    assert main(["records", "log", "--entry", patient_id, "--json"]) == 0
    (entry,) = read_json(shown)
    assert (entry["number"], entry["action"], entry["kind"]) == (2, "added", "Patient")
    assert entry["at"].endswith("+00:00")


def test_a_status_counts_what_is_there(folder: Path, shown):
    add_patient(folder)
    shown.readouterr()

    assert main(["records", "status"]) == 0
    assert "Patient                  1" in shown.readouterr().out
    assert main(["records", "status", str(folder), "--json"]) == 0
    status = read_json(shown)
    assert (status["entries"]["Patient"], status["read_only"]) == (1, False)


def test_a_record_is_up_to_date_and_its_tasks_are_derived_again(folder: Path, shown):
    shown.readouterr()
    assert main(["records", "upgrade"]) == 0
    assert shown.readouterr().out == "the record is up to date\n"
    assert main(["records", "upgrade", "--json"]) == 0
    assert read_json(shown) == {"versions": []}
    assert main(["records", "rebuild"]) == 0
    assert shown.readouterr().out == "0 tasks\n"
    assert folder


def test_a_password_in_an_address_is_not_printed(tmp_path: Path, shown):
    url = "postgresql://ada:secret@127.0.0.1:1/clinic"

    assert main(["records", "create", str(tmp_path / "record"), "--url", url]) == 2
    assert "secret" not in "".join(shown.readouterr())


@pytest.mark.parametrize("limit", ["0", "-3", "x"])
def test_a_limit_that_is_no_number_of_entries_is_refused(folder: Path, shown, limit: str):
    with pytest.raises(SystemExit) as ended:
        main(["records", "log", str(folder), "--limit", limit])

    assert ended.value.code == 2
    assert "it must be a whole number" in shown.readouterr().err


def test_a_limit_beyond_all_numbers_of_a_database_prints_all(folder: Path, shown):
    assert main(["records", "log", str(folder), "--limit", "9" * 20]) == 0
    assert "record created" in shown.readouterr().out


@pytest.mark.parametrize("rest", ["server:abc/clinic", "x:s3cret@server:5432/clinic"])
def test_an_address_that_cannot_be_read_is_refused_without_its_password(
    folder: Path, shown, rest: str
):
    assert main(["records", "status", str(folder), "--url", f"postgresql://ada:s3cret@{rest}"]) == 2
    words = shown.readouterr()
    assert "%40 for @" in words.err
    assert "s3cret" not in words.out + words.err

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from melanoma_core.cli.main import main
from melanoma_core.records.store import Record
from tests.core.records.made_entries import fill


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record with one patient, which the environment names."""
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MELANOMA_RECORD_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    with_patient = Record.create(folder, by="dr.a")
    fill(with_patient, "P 1")
    with_patient.close()
    return folder


def test_a_patient_is_exported_into_a_zip_file(folder: Path, capsys):
    assert main(["records", "export", "P 1", "--by", "Ada"]) == 0

    words = capsys.readouterr()
    assert words.out == "patient-P-1.zip: 13 entries, 2 photographs and heatmaps\n"
    names = ZipFile(folder.parent / "patient-P-1.zip").namelist()
    assert {"patient-P-1/index.html", "patient-P-1/lesion-1.pdf"} < set(names)


def test_an_unknown_patient_is_named(folder: Path, capsys):
    assert folder.is_dir()
    assert main(["records", "export", "P-2"]) == 2
    assert 'Found no patient "P-2"' in capsys.readouterr().err


def test_without_yes_nothing_is_erased(folder: Path, capsys):
    assert main(["records", "erase", "P 1"]) == 2
    assert "13 entries" in capsys.readouterr().out
    assert main(["records", "erase", "P 1", "--yes", "--by", "Ada"]) == 0
    assert capsys.readouterr().out.startswith("Erased 13 entries with all their versions, and 2")
    assert main(["records", "verify"]) == 0
    assert main(["records", "erase", "P 1", str(folder), "--yes"]) == 2


def test_the_dataset_of_a_record_is_audited_by_the_command_that_its_message_names(
    folder: Path, capsys
):
    out = folder.parent / "out"
    assert main(["records", "dataset", str(folder), str(out), "--json"]) == 0
    words = capsys.readouterr()
    assert json.loads(words.out)["num_lesions"] == 1
    assert main(["dataset", "audit", str(out)]) == 0
    assert "histopathology (1)" in capsys.readouterr().out

"""`melanoma export fhir`: a file, and the errors of sending; tests of `exchange/fhir` send."""

import json
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.records.entities import Lesion
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_cases import INVASIVE
from tests.core.records.made_loops import add_loop


@pytest.fixture
def lesion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Id of a lesion in the record that is set."""
    record = Record.create(tmp_path / "record", "dr.a")
    add_loop(record, "drawn-1", INVASIVE, Management.EXCISION)
    (entry,) = record.find(Lesion)
    record.close()
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path / "record"))
    return entry.id


def test_a_lesion_is_written_to_a_file_and_logged(lesion: str, tmp_path: Path, capsys):
    out = tmp_path / "new folder" / "lesion.json"
    assert main(["export", "fhir", "--lesion", lesion, "--out", str(out), "--by", "dr.b"]) == 0
    assert capsys.readouterr().out == f"Written to {out}\n"
    kinds = [each["resource"]["resourceType"] for each in json.loads(out.read_bytes())["entry"]]
    assert kinds[0] == "Patient"
    assert kinds[-1] == "CodeSystem"
    (entry,) = Record.open(tmp_path / "record").list_log(limit=1)
    assert (entry.by, entry.detail) == ("dr.b", "FHIR file")


def test_the_pixels_can_stay(lesion: str, tmp_path: Path):
    out = tmp_path / "lesion.json"
    options = ["--lesion", lesion, "--out", str(out), "--without-photographs", "--json"]
    assert main(["export", "fhir", *options]) == 0
    media = json.loads(out.read_bytes())["entry"][1]["resource"]
    assert media["content"] == {"contentType": "image/jpeg"}
    assert media["note"][0]["text"] == "The pixels were left out of this file."


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say where the lesion goes"),
        (("--send",), "No FHIR server is set"),
        (("--send", "--server", "ftp://a"), "It must be the base address"),
        (("--send", "--server", "http://ada:secret@host/r4"), "without a user"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_logged(
    lesion: str, tmp_path: Path, capsys, options: tuple[str, ...], said: str
):
    assert main(["export", "fhir", "--lesion", lesion, *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error
    assert Record.open(tmp_path / "record").list_log(limit=1)[0].action != "exported"


def test_a_lesion_that_is_not_there_is_named(lesion: str, tmp_path: Path, capsys):
    options = ["--lesion", f"{lesion[:-1]}?", "--out", str(tmp_path / "a.json")]
    assert main(["export", "fhir", *options]) == 2
    assert "The lesion is not in the record" in capsys.readouterr().err

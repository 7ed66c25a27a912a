"""The commands `export dicom` and `export check`."""

import json
import zipfile
from pathlib import Path

import pydicom
import pytest

from melanoma_core.cli.main import main
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.core.exchange.dicom.conftest import find_port, running
from tests.drawn_record import DrawnLesion, add_drawn_lesion

MELANOMA = str(DEMONSTRATION_LESIONS[0].path)


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Path, DrawnLesion]:
    folder = tmp_path / "record"
    record = Record.create(folder, "ada")
    lesion = add_drawn_lesion(record)
    record.close()
    return folder, lesion


def _read(folder: Path) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(each) for each in sorted(folder.iterdir())]


def test_files_are_read_and_written_as_dicom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["export", "dicom", MELANOMA, "--patient", "4711", "--label", "3"]
    assert main([*arguments, "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    datasets = _read(out)
    assert {each.Modality for each in datasets} == {"DMS", "OT", "SR"}
    assert {each.PatientID for each in datasets} == {"4711"}
    assert {str(each.SOPInstanceUID) for each in datasets} == {
        each["sop_instance_uid"] for each in answer["files"]
    }
    assert answer["sent_to"] is None
    again = tmp_path / "again"
    assert main([*arguments, "--out", str(again)]) == 0
    assert [each.SOPInstanceUID for each in _read(again)] == [e.SOPInstanceUID for e in datasets]


def test_a_photograph_that_is_refused_leaves_with_the_reason(tmp_path: Path) -> None:
    from PIL import Image

    path, out = tmp_path / "grey.png", tmp_path / "out.zip"
    Image.new("RGB", (300, 200), (128, 128, 128)).save(path)
    assert main(["export", "dicom", str(path), "--close-up", "--out", str(out)]) == 0
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        with archive.open(names[-1]) as file:
            report = pydicom.dcmread(file)
    assert names == ["visit-1-photograph-XC-1.dcm", "visit-1-reading-SR-1.dcm"]
    assert report.PatientID.startswith("file-")
    assert "Was read by the model" in str(report)


def test_a_lesion_of_the_record_leaves_with_an_entry_of_the_log(
    drawn: tuple[Path, DrawnLesion], tmp_path: Path
) -> None:
    folder, lesion = drawn
    out = tmp_path / "out"
    options = ["--lesion", lesion.lesion_id, "--record", str(folder), "--by", "dr.a"]
    assert main(["export", "dicom", *options, "--out", str(out)]) == 0
    (dataset,) = _read(out)
    assert dataset.Modality == "DMS"
    record = Record.open(folder)
    entry = record.list_log(limit=1)[0]
    record.close()
    assert (entry.action, entry.by, entry.detail) == (Action.EXPORTED, "dr.a", "DICOM files")


@pytest.mark.slow
def test_a_lesion_is_sent_and_the_check_passes(
    drawn: tuple[Path, DrawnLesion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, lesion = drawn
    stored, port = tmp_path / "stored", find_port()
    stored.mkdir()
    address, name = f"dicom://PACS@127.0.0.1:{port}", f"PACS at 127.0.0.1:{port}"
    with running("storescp", ["-od", str(stored), "--accept-all", str(port)], port):
        assert main(["export", "check", "--node", address]) == 0
        assert capsys.readouterr().out == f"{name} answers.\n"
        options = ["--lesion", lesion.lesion_id, "--record", str(folder), "--by", "dr.a"]
        assert main(["export", "dicom", *options, "--send", "--node", address]) == 0
    assert capsys.readouterr().out == f"1 DICOM files sent to {name}\n"
    assert len(list(stored.iterdir())) == 1
    record = Record.open(folder)
    assert record.list_log(limit=1)[0].detail == f"1 DICOM files to {name}"
    record.close()


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ([], "Name either a lesion of the record"),
        (["a.jpg", "--lesion", "1"], "Name either a lesion of the record"),
        (["a.jpg"], "Say where the files go"),
        (["a.jpg", "--send"], "No DICOM node is set"),
        (["--lesion", "1", "--out", "x"], "No record was named"),
        (["missing.jpg", "--out", "x"], "missing.jpg"),
    ],
)
def test_wrong_usage_is_explained(
    arguments: list[str],
    needed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MELANOMA_RECORD", "MELANOMA_DICOM_NODE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["export", "dicom", *arguments]) == 2
    assert needed in capsys.readouterr().err

"""What `predict` reads: files, folders and patterns."""

import json
from pathlib import Path

import pytest

from melanoma_core.cli.main import main


@pytest.fixture
def folder(tmp_path: Path, draw, unguarded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs under the suffixes of JPEG, and other files; drawn lesions are read."""
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(unguarded.parent))
    monkeypatch.setenv("MELANOMA_MODEL", "unguarded")
    folder = tmp_path / "photographs"
    for number, name in enumerate(["a.jpg", "below/b.jfif", "below/c.jpe"]):
        draw(folder / "drawn.jpg", number).rename(_make_parent(folder / name))
    (folder / "burst.heic").write_bytes(b"\0\0\0\x18ftyphevc" + bytes(50))
    (folder / "scan.dcm").write_bytes(b"\x02\0\0\0UL\4\0" + bytes(50))
    (folder / "notes.doc").write_text("no photograph")
    (folder / ".hidden").write_text("no photograph")
    return folder


def _make_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def predict(capfd: pytest.CaptureFixture[str], *arguments: str | Path):
    """Return the status, the name and status of each file, the reasons, and standard error."""
    status = main(["predict", *map(str, arguments), "--json"])
    output, errors = capfd.readouterr()
    rows = json.loads(output) if output else []
    names = [(Path(row["image"]).name, row["status"]) for row in rows]
    return status, names, [row["reason"] for row in rows if row["reason"]], errors


def test_a_folder_is_read_with_all_below_and_says_what_it_leaves_out(folder: Path, capfd):
    status, names, reasons, errors = predict(capfd, folder)

    assert status == 0
    assert names == [
        ("a.jpg", "read"),
        ("burst.heic", "refused"),
        ("scan.dcm", "refused"),
        ("b.jfif", "read"),
        ("c.jpe", "read"),
    ]
    assert reasons[0].startswith("The file is a HEIC burst (a sequence of photographs).")
    assert reasons[1].startswith("The file is a DICOM file.")
    assert errors == f"Not looked at in {folder}: 1 .doc\n"


def test_a_pattern_is_read_that_the_command_line_did_not_replace(folder: Path, capfd):
    status, names, _, errors = predict(capfd, folder / "*.jpg", folder / "**" / "*.j[fp]*e")
    assert (status, errors) == (0, "")
    assert names == [("a.jpg", "read"), ("c.jpe", "read")]


def test_a_file_whose_name_looks_like_a_pattern_is_read_as_itself(folder: Path, draw, capfd):
    draw(folder / "[ab].jpg", 9)
    assert predict(capfd, folder / "[ab].jpg")[1] == [("[ab].jpg", "read")]


def test_a_pattern_that_fits_nothing_is_refused(folder: Path, capfd):
    status, names, _, errors = predict(capfd, folder / "*.bmp")
    assert (status, names) == (2, [])
    assert errors == f"No file fits {folder / '*.bmp'}. Check the pattern and the folder.\n"


def test_a_folder_without_images_is_refused_with_what_it_holds(tmp_path: Path, capfd):
    assert predict(capfd, tmp_path)[3] == (
        f"There are no image files in {tmp_path}. Choose a folder with photographs.\n"
    )
    (tmp_path / "a.doc").touch()
    (tmp_path / "README").touch()
    assert predict(capfd, tmp_path)[3] == (
        f"There are no image files in {tmp_path}, but others (1 .doc, 1 without a suffix). "
        "Choose a folder with photographs.\n"
    )


def test_a_name_cannot_fake_a_line_or_reverse_it_but_json_keeps_it(folder: Path, draw, capfd):
    name = "a.jpg: no alert\nb\u202egpj.\x1b[2Jexe.jpg"
    hostile = draw(folder / "hostile.jpg", 7).rename(folder / name)

    assert main(["predict", str(hostile)]) == 0
    output, _ = capfd.readouterr()
    assert output.count("\n") == 1
    assert output.startswith(f"{folder}/a.jpg: no alert b gpj. [2Jexe.jpg: ")
    assert predict(capfd, hostile)[1] == [(name, "read")]

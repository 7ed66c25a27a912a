"""What `predict` reads: files, folders, patterns and lesions; and what it prints."""

import json
import re
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from melanoma_core.cli.main import main
from melanoma_core.cli.predict import _format_photograph
from melanoma_core.models.card import load_card
from melanoma_core.reading.reading import Reading
from melanoma_core.reading.rows import describe_photograph
from melanoma_core.taxonomy import Diagnosis
from tests import dicom_files
from tests.made_readings import make_reading


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
    document = json.loads(output) if output else []
    rows = document["photographs"] if isinstance(document, dict) else document
    names = [(Path(row["image"]).name, row["status"]) for row in rows]
    return status, names, [row["reason"] for row in rows if row["reason"]], errors


def test_a_folder_is_read_with_all_below_and_says_what_it_leaves_out(folder: Path, capfd):
    status, names, reasons, errors = predict(capfd, folder)

    assert status == 0
    assert sorted(names[:3]) == [("a.jpg", "read"), ("b.jfif", "read"), ("c.jpe", "read")]
    assert names[3:] == [("burst.heic", "refused"), ("scan.dcm", "refused")]
    assert reasons[0].startswith("The file is incomplete or damaged")
    assert reasons[1].startswith("The DICOM file ")
    assert errors == f"Not looked at in {folder}: 1 .doc\n\rReading: 5/5\n"


def test_a_pattern_is_read_that_the_command_line_did_not_replace(folder: Path, capfd):
    status, names, _, errors = predict(capfd, folder / "*.jpg", folder / "**" / "*.j[fp]*e")
    assert (status, errors) == (0, "\rReading: 2/2\n")
    assert sorted(names) == [("a.jpg", "read"), ("c.jpe", "read")]


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


def answer(capfd: pytest.CaptureFixture[str], *arguments: str | Path):
    """Return the JSON document, and standard error."""
    assert main(["predict", *map(str, arguments), "--json"]) == 0
    output, errors = capfd.readouterr()
    return json.loads(output), errors


def test_photographs_come_by_malignant_share_and_refused_ones_last(folder: Path, capfd):
    rows, _ = answer(capfd, folder)
    shares = [row["skin_cancer_probability"] for row in rows if row["status"] == "read"]

    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 3
    assert [row["status"] for row in rows] == ["read"] * 3 + ["refused"] * 2
    for row in rows[:3]:
        probabilities = row["probabilities"]
        assert row["skin_cancer_probability"] == pytest.approx(
            probabilities["MEL"] + probabilities["BCC"] + probabilities["SCC"]
        )
        assert row["top_diagnosis"] == max(probabilities, key=lambda code: probabilities[code])
        assert row["risk_tier"] == Diagnosis(row["top_diagnosis"]).tier


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_table_makes_lesions_of_photographs_and_reports_the_rest(folder: Path, capfd):
    table = write(
        folder.parent / "lesions.csv",
        "image;lesion_id",
        "a.jpg;arm",
        "b;arm",
        "scan.dcm;leg",
        "x;y",
    )
    document, errors = answer(capfd, folder, "--lesions", table)

    assert errors == (
        f"Not looked at in {folder}: 1 .doc\n"
        f"Photographs without a row in {table}: 2 (burst.heic, c.jpe)\n"
        f"Rows of {table} without a photograph: 1 (x)\n"
        "\rReading: 5/5\n"
    )
    assert list(document) == ["photographs", "lesions"]
    by_name = {Path(row["image"]).name: row for row in document["photographs"]}
    assert {name: row["lesion_id"] for name, row in by_name.items()} == {
        "a.jpg": "arm",
        "b.jfif": "arm",
        "c.jpe": None,
        "burst.heic": None,
        "scan.dcm": "leg",
    }
    arm, leg = document["lesions"]
    assert (arm["lesion_id"], arm["status"]) == ("arm", "read")
    assert [Path(image).name for image in arm["images"]] == ["a.jpg", "b.jfif"]
    both = [by_name[name]["melanoma_probability"] for name in ("a.jpg", "b.jfif")]
    assert min(both) <= arm["melanoma_probability"] <= max(both)
    assert arm["alerts_differ"] is (by_name["a.jpg"]["alert"] != by_name["b.jfif"]["alert"])
    assert (leg["status"], leg["images"], leg["alert"]) == ("refused", [], None)


def test_lesions_are_printed_below_the_photographs(folder: Path, capfd):
    table = write(
        folder.parent / "lesions.csv", "image,lesion_id", "a,arm", "b,arm", "scan.dcm,leg"
    )

    assert main(["predict", str(folder), "--lesions", str(table)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 5 + 2
    assert lines[5].startswith("Lesion arm (2 photographs): ")
    assert lines[6] == "Lesion leg: not read. 1 photograph, all refused."


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["image,age", "a.jpg,40"], "columns image, age"),
        (["image,lesion_id", "z.jpg,arm"], "No row of "),
        ([""], "is empty"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_any_reading(
    folder: Path, capfd, lines: list[str], reason: str
):
    table = write(folder.parent / "lesions.csv", *lines)
    status, names, _, errors = predict(capfd, folder / "a.jpg", "--lesions", table)

    assert (status, names) == (2, [])
    assert reason in errors
    assert "Reading" not in errors


def test_a_missing_table_is_refused(folder: Path, capfd):
    table = folder / "gone.csv"
    assert predict(capfd, folder / "a.jpg", "--lesions", table)[3] == (
        f"Cannot read the table {table} (No such file or directory). Check its name and "
        "permissions.\n"
    )


@pytest.fixture
def guarded(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,  # noqa: ARG001 - it names another model
    bundled: Path,
) -> None:
    """Let the bundled model read, which refuses what the tests draw."""
    card = json.loads((bundled / "card.json").read_text("utf-8"))
    monkeypatch.setenv("MELANOMA_MODEL", card["model_id"])


@pytest.mark.usefixtures("guarded")
def test_what_is_out_of_distribution_is_read_only_on_request_and_keeps_the_mark(
    folder: Path, capfd
):
    names = predict(capfd, folder / "a.jpg", folder / "scan.dcm")[1]
    assert names == [("a.jpg", "refused"), ("scan.dcm", "refused")]

    rows, errors = answer(capfd, folder / "a.jpg", folder / "scan.dcm", "--read-anyway")
    assert [row["status"] for row in rows] == ["read", "refused"]
    assert [row["read_anyway"] for row in rows] == [True, False]
    assert rows[0]["novelty"] > rows[0]["novelty_limit"]
    assert f"Warning: {folder / 'a.jpg'}. Out of distribution, read anyway: " in errors

    assert main(["predict", str(folder / "a.jpg"), "--read-anyway"]) == 0
    assert "Out of distribution, read anyway." in capfd.readouterr().out


def test_a_familiar_photograph_has_no_mark_on_request(folder: Path, capfd):
    rows, errors = answer(capfd, folder / "a.jpg", "--read-anyway")
    assert (rows[0]["read_anyway"], errors) == (False, "")


def test_at_a_prevalence_old_keys_stay_and_adapted_ones_are_added(
    folder: Path, capfd, monkeypatch: pytest.MonkeyPatch
):
    (plain,), _ = answer(capfd, folder / "a.jpg")
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.02,0.08")
    (adapted,), _ = answer(capfd, folder / "a.jpg")

    assert {name: adapted[name] for name in plain} == plain
    assert set(adapted) - set(plain) == {
        "prevalence",
        "adapted_probabilities",
        "adapted_melanoma_probability",
        "adapted_skin_cancer_probability",
        "adapted_statement",
        "adapted_top_diagnosis",
    }
    assert main(["predict", str(folder / "a.jpg")]) == 0
    printed = capfd.readouterr()
    assert "At a prevalence of 2.0% melanoma and 8.0% skin cancer: " in printed.out
    assert adapted["adapted_statement"] in printed.out
    assert plain["statement"] not in printed.out
    assert printed.err.splitlines()[0] == (
        "These numbers assume that 2.0% of lesions are melanomas and 8.0% are skin cancers, as in "
        "your clinic."
    )
    assert printed.err.splitlines()[1].startswith("Alerts and unadapted numbers: These numbers")


def test_a_prevalence_of_melanoma_alone_is_enough(
    folder: Path, capfd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.02")
    (row,), _ = answer(capfd, folder / "a.jpg")

    assert row["prevalence"]["melanoma"] == 0.02
    assert 0.02 < row["prevalence"]["skin_cancer"] < 0.5
    assert sum(row["adapted_probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            make_reading({"MEL": 0.02, "NV": 0.28, "BCC": 0.7}, 0.05, 0.1),
            "no melanoma alert, SKIN CANCER ALERT, leading diagnosis basal cell carcinoma "
            "(malignant). Basal cell carcinoma is the leading diagnosis (70.0%, malignant); the "
            "probability of melanoma (2.0%) is below its alert threshold (5.0%).",
        ),
        (
            make_reading({"MEL": 0.02, "NV": 0.28, "BCC": 0.7}),
            "no melanoma alert, OTHER SKIN CANCER SUSPECTED, leading diagnosis basal cell "
            "carcinoma (malignant). Basal cell carcinoma is the leading diagnosis (70.0%, "
            "malignant); the probability of melanoma (2.0%) is below its alert threshold (5.0%).",
        ),
        (
            make_reading({"MEL": 0.05, "NV": 0.95, "BCC": 0.0}, 0.05, 0.1),
            "MELANOMA ALERT, SKIN CANCER ALERT, leading diagnosis nevus (benign). Melanoma "
            "cannot be excluded (5.00000%, alert threshold 5.00000%), although nevus is the "
            "leading diagnosis (95.0%).",
        ),
    ],
)
def test_a_line_has_both_alerts_and_the_leading_diagnosis_with_its_tier(
    bundled: Path, row: Reading, text: str
):
    described = describe_photograph("a.jpg", row, load_card(bundled))
    assert _format_photograph(described) == f"a.jpg: {text}"


def test_the_prevalence_that_probabilities_assume_is_a_number(folder: Path, capfd):
    assert main(["predict", str(folder)]) == 0
    said = capfd.readouterr().err
    assert re.search(r"These numbers assume that \d+\.\d% of lesions are melanomas", said)


def test_a_photograph_of_a_phone_is_read_and_a_burst_says_which_of_its_images(
    folder: Path, draw, capfd
):
    with Image.open(draw(folder.parent / "drawn.png", 3)) as image:
        one = pillow_heif.from_pillow(image)
        one.save(folder.parent / "one.heic", quality=80)
        one.add_from_pillow(image)
        one.save(folder.parent / "two.HEIC", quality=80)

    rows, _ = answer(capfd, folder.parent / "one.heic", folder.parent / "two.HEIC")

    found = {Path(row["image"]).name: [each["text"] for each in row["quality"]] for row in rows}
    assert {row["status"] for row in rows} == {"read"}
    assert found["two.HEIC"][0] == (
        "The file holds 2 images, and its primary image was read. To have another one read, save "
        "it as a JPEG."
    )
    assert found["two.HEIC"][1:] == found["one.heic"]


def test_a_dicom_file_is_read_frame_by_frame_and_one_frame_by_its_number(
    folder: Path, tmp_path: Path, capfd
):
    pixels = np.asarray(Image.open(folder / "a.jpg"))
    frames = np.stack([pixels, pixels[::-1], pixels[:, ::-1]])
    scan, one = tmp_path / "several.dcm", tmp_path / "one.dcm"
    scan.write_bytes(dicom_files.write(dicom_files.make_photograph(frames)))
    one.write_bytes(dicom_files.write(dicom_files.make_photograph(pixels)))
    table = write(tmp_path / "lesions.csv", "image,lesion_id", "several.dcm,arm")

    assert predict(capfd, one)[1] == [("one.dcm", "read")]
    names = predict(capfd, scan, "--lesions", table)[1]
    assert sorted(names) == [(f"several.dcm#{number}", "read") for number in (1, 2, 3)]
    assert predict(capfd, f"{scan}#2")[1] == [("several.dcm#2", "read")]
    status, _, (reason,), _ = predict(capfd, f"{scan}#4")
    assert status == 2
    assert reason.startswith("The DICOM file contains 3 photographs, and number 4 was asked for.")

"""The command line on real files, in real processes where the process is the claim."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from melanoma_core.cli.main import build_parser, main
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.tables import write_figures
from melanoma_core.settings import PROJECT_ROOT

KEYS = [
    "image",
    "status",
    "reason",
    "model_id",
    "statement_level",
    "statement",
    "top_diagnosis",
    "risk_tier",
    "melanoma_probability",
    "threshold",
    "alert",
    "skin_cancer_probability",
    "skin_cancer_threshold",
    "skin_cancer_alert",
    "conformal_set",
    "probabilities",
    "read_anyway",
    "novelty",
    "novelty_limit",
    "quality",
    "outline",
    "operating_points",
    "confirmed_by_person",
    "app_version",
    "disclaimer",
    "notice",
]
CODES = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Return a function that runs a command in this process, without the start of another."""

    def run(*arguments: str | Path, **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        try:
            status = main([*map(str, arguments)])
        except SystemExit as end:  # raised by argparse
            status = int(end.code or 0)
        return Done(status, *capfd.readouterr())

    return run


def run_process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "melanoma_core", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="session")
def lax(unguarded: Path) -> dict[str, str]:
    """Environment in which what a test draws is read."""
    return {"MELANOMA_MODELS_DIR": str(unguarded.parent), "MELANOMA_MODEL": "unguarded"}


def parse_strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def add_model(models_dir: Path, bundled: Path, model_id: str) -> Path:
    folder = models_dir / model_id
    folder.mkdir(parents=True)
    raw = to_jsonable(load_card(bundled)) | {"model_id": model_id}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    (folder / "model.onnx").write_bytes((bundled / "model.onnx").read_bytes())
    return folder


def test_a_missing_command_is_wrong_usage():
    done = run_process()

    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: python -m melanoma_core" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["predict"], ["predict", "--speed", "a.jpg"], ["prophesy"], ["train"]]
)
def test_wrong_usage_exits_with_2_and_prints_no_answer(call, arguments: list[str]):
    done = call(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "error:" in done.stderr


def test_a_missing_photograph_is_refused_without_a_reading(call, tmp_path: Path):
    done = call("predict", tmp_path / "gone.jpg", "--json")

    (row,) = parse_strictly(done.stdout)
    assert list(row) == KEYS
    assert row["status"] == "refused"
    assert row["reason"].startswith("There is no file")
    reading = KEYS[4 : KEYS.index("operating_points")]
    assert [row[key] for key in reading] == [None] * 12 + [False, None, None, [], None]
    assert (row["confirmed_by_person"], row["notice"]) == (False, "")
    assert done.returncode == 2


def test_a_refused_photograph_never_stops_the_rest(call, tmp_path: Path, draw, lax: dict[str, str]):
    text = tmp_path / "größe 1.jpg"
    text.write_text("no picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    paths = [text, draw(tmp_path / "a.jpg", 1), empty, draw(tmp_path / "b.webp", 2)]

    done = call("predict", *paths, "--json", **lax)

    rows = parse_strictly(done.stdout)
    assert done.returncode == 0
    assert [row["status"] for row in rows] == ["read", "read", "refused", "refused"]
    assert {row["image"] for row in rows[:2]} == {str(paths[1]), str(paths[3])}
    assert [row["image"] for row in rows[2:]] == [str(text), str(empty)]
    assert {row["model_id"] for row in rows} == {"unguarded"}
    assert all(list(row) == KEYS for row in rows)


def test_an_answer_holds_every_diagnosis_and_follows_from_its_threshold(
    call, tmp_path: Path, draw, bundled: Path, lax: dict[str, str]
):
    done = call("predict", draw(tmp_path / "a.jpg", 1), "--json", **lax)

    (row,) = parse_strictly(done.stdout)
    assert list(row["probabilities"]) == CODES
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    assert row["melanoma_probability"] == row["probabilities"]["MEL"]
    assert row["threshold"] == load_card(bundled).operating_point.threshold
    assert row["alert"] is (row["melanoma_probability"] >= row["threshold"])
    assert row["reason"] is None
    assert set(row["conformal_set"]) <= set(CODES)
    assert done.stderr == ""


def test_without_json_each_photograph_is_one_line(call, tmp_path: Path, draw, lax: dict[str, str]):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")

    done = call("predict", draw(tmp_path / "a.jpg", 1), text, **lax)

    read, refused = done.stdout.splitlines()
    assert "a.jpg: " in read
    assert "skin cancer alert, leading diagnosis " in read.replace("ALERT", "alert").lower()
    assert "text.jpg: not read. The file is a text file." in refused
    assert done.returncode == 0


def test_a_file_name_that_is_not_valid_text_is_printed(tmp_path: Path, draw, lax: dict[str, str]):
    source = draw(tmp_path / "a.jpg", 1)
    odd = os.fsencode(tmp_path) + b"/\xff\xfe.jpg"
    try:
        Path(os.fsdecode(odd)).write_bytes(source.read_bytes())
    except OSError:
        pytest.skip("this file system takes no such name")

    for format_options in ([], ["--json"]):
        done = run_process("predict", os.fsdecode(odd), *format_options, **lax)

        assert done.returncode == 0
        assert "udcff" in done.stdout


def test_heatmaps_are_overlays_of_every_class_at_the_size_of_the_photograph(
    call, tmp_path: Path, draw, lax: dict[str, str]
):
    folder = tmp_path / "new" / "heatmaps"
    text = tmp_path / "text.jpg"
    text.write_text("no picture")

    done = call(
        *("predict", draw(tmp_path / "a b.png", 1, (200, 150)), text),
        *("--json", "--heatmaps", folder),
        **lax,
    )

    assert done.returncode == 0
    assert len(parse_strictly(done.stdout)) == 2
    assert {path.name for path in folder.iterdir()} == {f"a b.png.{code}.jpg" for code in CODES}
    for path in folder.iterdir():
        with Image.open(path) as overlay:
            assert (overlay.format, overlay.size) == ("JPEG", (200, 150))


def test_files_with_the_same_name_get_heatmaps_of_their_own(
    call, tmp_path: Path, draw, lax: dict[str, str]
):
    sizes = {"one": (200, 150), "two": (150, 100), "three": (100, 80)}
    names = {"one": "a.jpg", "two": "a.jpg", "three": "A.JPG"}
    paths = [draw(tmp_path / f / names[f], 1, size) for f, size in sizes.items()]

    done = call("predict", *paths, "--heatmaps", tmp_path / "out", **lax)

    assert done.returncode == 0
    found = {path.name: Image.open(path).size for path in (tmp_path / "out").glob("*.MEL.jpg")}
    assert found == {
        "a.jpg.MEL.jpg": (200, 150),
        "a-2.jpg.MEL.jpg": (150, 100),
        "A-3.JPG.MEL.jpg": (100, 80),
    }


def test_heatmaps_into_a_file_are_refused_before_any_reading(call, tmp_path: Path, draw):
    photograph = draw(tmp_path / "a.jpg", 1)

    done = call("predict", photograph, "--json", "--heatmaps", photograph)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Cannot create the folder")


def test_real_photographs_are_read(call, shared_data: Path):
    paths = [
        sorted((shared_data / folder).rglob("*.jpg"))[0]
        for folder in ("isic9", "ham10000", "isic2017", "full_resolution")
    ]

    done = call("predict", *paths, "--json")

    rows = parse_strictly(done.stdout)
    assert done.returncode == 0
    assert [row["status"] for row in rows] == ["read"] * 4
    assert len({row["melanoma_probability"] for row in rows}) == 4


def test_an_unknown_model_is_refused_with_a_list_of_models(
    call, tmp_path: Path, draw, bundled: Path
):
    done = call("predict", draw(tmp_path / "a.jpg", 1), "--model", "oracle", "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert 'Found no model "oracle"' in done.stderr
    assert load_card(bundled).model_id in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trained_model_is_chosen_by_its_id_or_by_the_environment(
    call, tmp_path: Path, draw, unguarded: Path
):
    add_model(tmp_path / "models", unguarded, "my-own")
    photograph = draw(tmp_path / "a.jpg", 1)
    models = str(tmp_path / "models")

    named = call("predict", photograph, "--model", "my-own", "--json", MELANOMA_MODELS_DIR=models)
    chosen = call(
        "predict", photograph, "--json", MELANOMA_MODELS_DIR=models, MELANOMA_MODEL="my-own"
    )

    assert [row["model_id"] for row in parse_strictly(named.stdout)] == ["my-own"]
    assert named.stdout == chosen.stdout


def test_a_damaged_model_is_named_with_a_remedy(call, tmp_path: Path, draw, bundled: Path):
    network = add_model(tmp_path / "models", bundled, "my-own") / "model.onnx"
    network.write_bytes(network.read_bytes()[:5000])

    done = call(
        "predict",
        draw(tmp_path / "a.jpg", 1),
        "--model",
        "my-own",
        MELANOMA_MODELS_DIR=str(tmp_path / "models"),
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert str(network) in done.stderr
    assert "Restore the file" in done.stderr
    assert "Traceback" not in done.stderr


def test_models_are_listed_as_one_document(call, tmp_path: Path, bundled: Path):
    add_model(tmp_path, bundled, "my-own")

    listed = parse_strictly(call("models", "--json", MELANOMA_MODELS_DIR=str(tmp_path)).stdout)
    lines = call("models", MELANOMA_MODELS_DIR=str(tmp_path)).stdout.splitlines()

    expected = [load_card(bundled).model_id, "my-own"]
    assert [card["model_id"] for card in listed] == expected
    card = json.loads(json.dumps(to_jsonable(load_card(bundled))))
    assert listed[0] == card | {"state": "deployed"}
    assert [line.split(",")[0] for line in lines if ", made " in line] == expected
    for line in write_figures(load_card(bundled)).splitlines():
        assert line in lines


def test_a_reading_imports_no_library_of_training_tables_or_pages(tmp_path: Path):
    code = (
        "import sys\n"
        "from melanoma_core.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'sklearn', 'pandas', 'streamlit', 'onnx'}\n"
        "print(status, sorted(heavy & set(sys.modules)))\n"
    )
    lesion = DEMONSTRATION_LESIONS[0].path
    arguments = ["predict", lesion, "--heatmaps", tmp_path / "out"]

    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "0 []"


def test_a_closed_pipe_is_not_an_error(tmp_path: Path, draw):
    photograph = draw(tmp_path / "a.jpg", 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "melanoma_core", "predict", *[str(photograph)] * 3],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0


def test_the_usage_names_the_program_as_it_was_started(monkeypatch: pytest.MonkeyPatch):
    for started, program in (
        ("/bin/melanoma", "melanoma"),
        ("C:/Scripts/melanoma.exe", "melanoma"),
        ("/code/melanoma_core/__main__.py", "python -m melanoma_core"),
    ):
        monkeypatch.setattr(sys, "argv", [started])
        assert build_parser().prog == program


def test_demonstration_lesions_are_written_to_a_folder(call, tmp_path: Path):
    done = call("demonstration", tmp_path / "drawn")

    paths = [Path(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert paths
    assert all(path.is_file() for path in paths)

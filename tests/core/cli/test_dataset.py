"""The dataset commands as a person uses them, on real files."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from melanoma_core.cli.main import main
from melanoma_core.data.cache import FactCache
from melanoma_core.data.drawn.dataset import write_demonstration_dataset

COUNTS = {"NV": 27, "MEL": 9, "BKL": 8, "BCC": 5, "AK": 4, "VASC": 4, "SCC": 4, "DF": 3}


@pytest.fixture(scope="module")
def cache(real_cache: FactCache) -> Path:
    """The cache folder of the commands, which knows the real images."""
    return real_cache.path.parent


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demonstration_dataset(tmp_path_factory.mktemp("data") / "drawn lesions")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Return a function that runs a command in this process, without the start of another."""

    def run(*arguments: object, answer: str = "", **environment: str) -> Done:
        for name, value in ({"MELANOMA_CACHE_DIR": str(cache)} | environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        capfd.readouterr()
        try:
            status = main(["dataset", *map(str, arguments)])
        except SystemExit as end:  # as argparse answers bad usage
            status = int(end.code or 0)
        return Done(status, *capfd.readouterr())

    return run


def parse_strictly(done: Done) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=refuse)


def list_files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- wrong input


@pytest.mark.parametrize("command", ["summary", "audit", "split"])
def test_a_missing_folder_is_wrong_input(call, tmp_path: Path, command: str):
    done = call(command, tmp_path / "gone", "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Found no folder at {tmp_path / 'gone'}. Choose the folder that contains the images.\n"
    )


def test_a_folder_without_images_is_refused(call, tmp_path: Path):
    done = call("summary", tmp_path, "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Found no known dataset layout" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_itself_is_refused(call, tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")

    done = call("audit", tmp_path / "loop")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Found no folder at" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required"),
        (["audit"], "the following arguments are required: DIR"),
        (["split", ".", "--seed", "-1"], "a seed must lie in"),
        (["split", ".", "--seed", "many"], "invalid"),
        (["balance", "."], "--method"),
        (["balance", ".", "--method", "prayer"], "invalid choice"),
        (["download", "new", "--collection", "nevi"], "invalid int value"),
    ],
)
def test_wrong_usage_exits_with_2_and_prints_no_answer(call, arguments, says: str):
    done = call(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--method", "class-weights", "--target", "9"], "Found --target with --method class-w"),
        (["--method", "oversampling", "--set", "magic=1"], 'Found no operation "magic". There are'),
        (["--method", "oversampling", "--set", "rotation=far"], 'Found rotation="far". It must be'),
        (
            ["--method", "oversampling", "--set", "flip=1"],
            'Found flip="1". It must be true or false, such as True.',
        ),
        (["--method", "oversampling", "--set", "zoom=7"], "Found zoom=7.0. It must lie in [0,"),
        (["--method", "oversampling", "--target", "0"], "Found a target of 0 images per class."),
    ],
)
def test_impossible_balancing_is_refused_with_a_reason(
    call, drawn: Path, options: list[str], says: str
):
    done = call("balance", drawn, *options, "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


# --- summary


def test_a_summary_counts_images_before_and_after_cleaning(call, drawn: Path):
    summary = parse_strictly(call("summary", drawn, "--json"))

    assert summary["collections"] == [{"folder": str(drawn), "layout": "class-folders"}]
    assert (summary["num_images"], summary["num_unreadable"]) == (64, 1)
    assert {label: row["total"] for label, row in summary["counts"].items()} == COUNTS
    assert summary["counts"]["MEL"] == {"train": 6, "test": 3, "total": 9}
    assert summary["tiers"]["premalignant"] == {"train": 3, "test": 1, "total": 4}
    assert summary["imbalance_ratio"] == 9
    assert summary["effective_num_classes"] == pytest.approx(5.826, abs=0.001)
    assert summary["sizes"]["width"] == {"min": 160, "median": 180, "max": 180}
    assert summary["labels"][0] == {"name": "nevus", "diagnosis": "NV", "num_images": 27}
    assert summary["cleaned"]["num_images"] == 59
    assert summary["cleaned"]["left_out"] == {
        "contradictory labels that no ground truth settles": 4,
        "the file cannot be read": 1,
    }


def test_one_class_has_no_imbalance_and_unknown_labels_are_listed(call, draw, tmp_path: Path):
    draw(tmp_path / "set" / "melanoma" / "größe\n1.jpg", 1)
    draw(tmp_path / "set" / "ant" / "2.jpg", 2)

    summary = parse_strictly(call("summary", tmp_path / "set", "--json"))
    text = call("summary", tmp_path / "set").stdout

    assert (summary["imbalance_ratio"], summary["effective_num_classes"]) == (None, 1)
    assert {"name": "ant", "diagnosis": None, "num_images": 1} in summary["labels"]
    assert summary["cleaned"]["left_out"] == {"no label among the eight diagnoses": 1}
    assert "None of the eight diagnoses, as written: ant (1)." in text


def test_a_summary_in_words_has_a_line_per_class(call, drawn: Path):
    done = call("summary", drawn)

    assert done.returncode == 0
    assert "64 files, 1 of them unreadable" in done.stdout
    assert ["nevus", "25", "2", "27"] in [line.split() for line in done.stdout.splitlines()]
    assert "Left out: 1 files: the file cannot be read." in done.stdout
    assert "Scanning images: 64/64" in done.stderr
    assert "No table states how the diagnoses are known." in done.stdout


def test_summary_and_audit_say_how_diagnoses_are_known(call, draw, tmp_path: Path):
    folder = tmp_path / "set"
    draw(folder / "ISIC_0000001.jpg", 1)
    draw(folder / "ISIC_0000002.jpg", 2)
    draw(folder / "ISIC_0000003.jpg", 3)
    rows = "HAM_1,ISIC_0000001,mel,histo\nHAM_2,ISIC_0000002,nv,follow_up\nHAM_3,ISIC_0000003,nv,\n"
    (folder / "HAM.csv").write_text(f"lesion_id,image_id,dx,dx_type\n{rows}", "utf-8")

    summary = parse_strictly(call("summary", folder, "--json"))
    audit = parse_strictly(call("audit", folder, "--json"))

    assert summary["confirmations"] == {
        "NV": {"histopathology": 0, "follow-up": 1, "not stated": 1, "total": 2},
        "MEL": {"histopathology": 1, "follow-up": 0, "not stated": 0, "total": 1},
    }
    assert sum(summary["skin_tones"].values()) == 3
    assert audit["confirmations"] == {
        **{"histopathology": 1, "follow-up": 1},
        **{"consensus": 0, "confocal": 0},
    }
    stated = "For 2 of 3 readable files a table states how the diagnosis is known: "
    assert f"{stated}histopathology (1), follow-up (1)." in call("audit", folder).stdout


# --- audit


def test_an_audit_finds_the_planted_faults_and_changes_no_file(call, drawn: Path, tmp_path: Path):
    before = list_files(drawn)

    audit = parse_strictly(
        call("audit", drawn, "--json", "--out", tmp_path / "new" / "cleaned.csv")
    )

    assert list_files(drawn) == before
    expected = {
        "num_images": 64,
        "num_unreadable": 1,
        "exact_duplicate_groups": 2,
        "label_conflict_groups": 2,
        "train_test_duplicates": 0,
        "near_duplicate_groups": 1,
        "shared_lesions": 1,
    }
    assert {key: audit[key] for key in expected} == expected
    assert audit["verdict"].startswith("Do not train or evaluate on these 64 files as they are")
    assert audit["source_association"] is None
    assert audit["cleaned"]["num_images"] == 59
    cleaned = pd.read_csv(tmp_path / "new" / "cleaned.csv")
    assert cleaned["action"].value_counts().to_dict() == {"keep": 59, "drop": 5}


def test_an_audit_in_words_says_which_findings_count(call, drawn: Path):
    text = call("audit", drawn).stdout

    assert "[high] Found 2 photographs with more than one label" in text
    assert "Changes labels." in text
    assert "Inflates metrics." in text
    assert "Cleaned table: 59 images." in text


@pytest.mark.parametrize("command", ["audit", "split"])
def test_no_file_is_written_inside_the_dataset(call, drawn: Path, command: str):
    before = list_files(drawn)

    done = call(command, drawn, "--out", drawn / "table.csv")

    assert (done.returncode, done.stdout) == (2, "")
    assert "is inside the folder of the dataset" in done.stderr
    assert list_files(drawn) == before


def test_a_table_cannot_be_written_over_a_folder(call, drawn: Path, tmp_path: Path):
    done = call("audit", drawn, "--out", tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path} is a folder. Choose a file.\n"


def test_the_audit_of_the_nine_class_set_has_the_known_counts(call, shared_data: Path):
    audit = parse_strictly(call("audit", shared_data / "isic9", "--json"))

    assert audit["num_images"] == 2359
    assert audit["exact_duplicate_groups"] == 159
    assert audit["label_conflict_groups"] == 155
    assert audit["label_conflicts"] == [
        {"labels": ["melanoma", "seborrheic keratosis"], "num_groups": 78},
        {"labels": ["actinic keratosis", "nevus"], "num_groups": 77},
    ]
    assert audit["train_test_duplicates"] == 18
    assert (audit["shared_lesions"], audit["num_test"]) == (44, 118)
    assert audit["cleaned"]["num_images"] == 2101


def test_the_summary_of_the_nine_class_set_has_its_nine_labels(call, shared_data: Path):
    summary = parse_strictly(call("summary", shared_data / "isic9", "--json"))

    names = {each["name"]: each["num_images"] for each in summary["labels"]}
    assert len(names) == 9
    assert (names["melanoma"], names["seborrheic keratosis"]) == (454, 80)
    assert summary["counts"]["BKL"] == {"train": 539, "test": 19, "total": 558}
    assert summary["imbalance_ratio"] == pytest.approx(558 / 111)
    assert summary["sizes"]["height"] == {"min": 180, "median": 180, "max": 180}


# --- split


def test_a_split_depends_on_the_seed_alone_and_divides_no_group(call, drawn: Path, tmp_path: Path):
    out = tmp_path / "split.csv"
    first = parse_strictly(call("split", drawn, "--seed", "3", "--out", out, "--json"))
    again = parse_strictly(call("split", drawn, "--seed", "3", "--json"))
    other = parse_strictly(call("split", drawn, "--seed", "4", "--json"))

    assert first["sha256"] == again["sha256"] != other["sha256"]
    assert (first["seed"], first["num_images"]) == (3, 59)
    assert [row["shared"] for row in first["groups"]] == [0] * 5
    table = pd.read_csv(out)
    assert len(table) == 59
    assert set(table["subset"]) == {"train", "validation", "test"}
    assert table.groupby("lesion_id")["subset"].nunique().max() == 1


def test_an_edited_cleaned_table_is_used(call, drawn: Path, tmp_path: Path):
    cleaned = tmp_path / "cleaned.csv"
    call("audit", drawn, "--out", cleaned)
    table = pd.read_csv(cleaned)
    nevi = table.index[table["label_used"] == "NV"][:5]
    table.loc[nevi, "action"] = "drop"
    table.to_csv(cleaned, index=False)

    split = parse_strictly(call("split", drawn, "--table", cleaned, "--json"))

    assert split["num_images"] == 54
    assert split["counts"]["NV"]["total"] == 21


def test_a_table_of_another_folder_is_refused(call, drawn: Path, draw, tmp_path: Path):
    cleaned = tmp_path / "cleaned.csv"
    call("audit", drawn, "--out", cleaned)
    draw(tmp_path / "other" / "melanoma" / "1.jpg", 1)

    done = call("split", tmp_path / "other", "--table", cleaned)

    assert (done.returncode, done.stdout) == (2, "")
    assert "The cleaned table does not fit the folder: 1 of its files" in done.stderr


# --- balance


def test_class_weights_give_all_classes_the_same_total(call, drawn: Path):
    done = parse_strictly(call("balance", drawn, "--method", "class-weights", "--json"))

    classes = done["classes"]
    total = sum(each["num_images"] for each in classes.values())
    assert len(classes) == 8
    for each in classes.values():
        assert each["num_images"] * each["weight"] == pytest.approx(total / 8)


def test_an_oversampling_preview_writes_no_file(call, drawn: Path):
    before = list_files(drawn.parent)

    done = parse_strictly(
        call("balance", drawn, "--method", "oversampling", "--target", "5", "--json")
    )

    assert list_files(drawn.parent) == before
    assert done["manifest"] is None
    assert all(each["num_after"] >= 5 for each in done["classes"].values())
    leak = done["before_split"]
    assert 0 < leak["num_parent_in_train"] <= leak["num_relative_in_train"]


def test_oversampling_writes_the_same_training_images_for_the_same_seed(
    call, drawn: Path, tmp_path: Path
):
    options = ["--method", "oversampling", "--target", "4", "--set", "flip=false", "--json"]
    files = []
    for name in ("one", "two"):
        out = tmp_path / name
        done = parse_strictly(call("balance", drawn, *options, "--out", out))
        files.append(sorted(path.read_bytes() for path in out.glob("*/*.jpg")))
        manifest = pd.read_csv(done["manifest"])

    assert files[0] == files[1]
    assert len(manifest) == len(files[0]) == done["num_synthetic"] > 0
    assert done["augmentation"]["flip"] is False
    parents = call("split", drawn, "--out", tmp_path / "split.csv")
    assert parents.returncode == 0
    split = pd.read_csv(tmp_path / "split.csv").set_index("image_id")
    assert set(split.loc[manifest["parent_image_id"], "subset"]) == {"train"}


# --- download


@pytest.fixture
def archive() -> Iterator[str]:
    """Address of a stand-in for the ISIC Archive, with one photograph."""
    buffer = BytesIO()
    Image.effect_noise((120, 90), 60).convert("RGB").save(buffer, "JPEG")
    photograph = buffer.getvalue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{self.server.server_address[1]}"
            entry = {
                "isic_id": "ISIC_0000001",
                "copyright_license": "CC-BY",
                "attribution": "Anonymous",
                "files": {"full": {"url": f"{address}/1.jpg", "size": len(photograph)}},
                "metadata": {"clinical": {"diagnosis_3": "Nevus"}},
            }
            page = json.dumps({"count": 1, "next": None, "previous": None, "results": [entry]})
            body = photograph if self.path.startswith("/1.jpg") else page.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v2/"
        server.shutdown()
        thread.join()


def test_a_download_shows_size_and_licences_and_waits_for_confirmation(
    call, archive: str, tmp_path: Path
):
    done = call("download", tmp_path / "nevi", "--json", MELANOMA_ARCHIVE_URL=archive)

    assert (done.returncode, done.stdout) == (2, "")
    assert "1 images, 0.0 MB" in done.stderr
    assert "Licences: CC-BY (1)" in done.stderr
    assert "The download was not confirmed" in done.stderr
    assert not (tmp_path / "nevi").exists()


@pytest.mark.parametrize(("options", "answer"), [(["--yes"], ""), ([], "y\n")])
def test_a_confirmed_download_can_be_summarised(
    call, archive: str, tmp_path: Path, options: list[str], answer: str
):
    folder = tmp_path / "nevi"
    arguments = ["download", folder, "--query", 'diagnosis_3:"Nevus"', "--collection", "65"]
    arguments += ["--limit", "1", "--json", *options]

    first, again = (
        parse_strictly(call(*arguments, answer=answer, MELANOMA_ARCHIVE_URL=archive))
        for _ in range(2)
    )

    assert (first["num_downloaded"], first["num_present"], first["failures"]) == (1, 0, [])
    assert (again["num_downloaded"], again["num_present"]) == (0, 1)
    assert first["licences"] == {"CC-BY": 1}
    summary = parse_strictly(call("summary", folder, "--json"))
    assert summary["collections"][0]["layout"] == "isic-archive"
    assert summary["counts"] == {"NV": {"unassigned": 1, "total": 1}}


def test_another_server_than_the_archive_is_refused(call, archive: str, tmp_path: Path):
    address = archive.replace("/api/v2/", "/1.jpg?")  # answers with a photograph for a page

    done = call("download", tmp_path / "new", "--yes", MELANOMA_ARCHIVE_URL=address)

    assert (done.returncode, done.stdout) == (2, "")
    assert "ISIC Archive" in done.stderr
    assert "Traceback" not in done.stderr


# --- training with a cleaned table


def test_training_refuses_a_wrong_cleaned_table(
    tmp_path: Path,
    drawn: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "table.csv").write_text("path,action\na.jpg,keep\n")
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "m"))

    status = main(["train", str(drawn), "--table", str(tmp_path / "table.csv")])

    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert "A cleaned table has the columns" in err

import json
import shutil
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.lookalikes.index import open_index


@pytest.fixture
def lesions(
    tmp_path: Path, unguarded: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The six drawn lesions in folders of two diagnoses."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(unguarded, tmp_path / "models" / "unguarded")
    shutil.copy(bundled / "split.csv.gz", tmp_path / "models" / "unguarded")
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("MELANOMA_MODEL", "unguarded")
    monkeypatch.chdir(tmp_path)
    for number, lesion in enumerate(DEMONSTRATION_LESIONS):
        kind = tmp_path / "clinic" / ("melanoma" if number % 2 else "nevus")
        kind.mkdir(parents=True, exist_ok=True)
        shutil.copy(lesion.path, kind / f"{number}.jpg")
    return tmp_path / "clinic"


def test_a_folder_is_indexed_and_what_it_holds_is_printed(lesions: Path, capsys):
    assert main(["index", str(lesions), "--all"]) == 0
    printed = capsys.readouterr()

    assert printed.out.splitlines() == [
        "6 photographs of 6 lesions, by unguarded.",
        "melanoma: 3 lesions",
        "nevus: 3 lesions",
    ]
    path = lesions.parent / "clinic.lookalikes"
    assert f"MELANOMA_INDEXES={path}" in printed.err
    assert "Indexing photographs: 6/6" in printed.err
    assert open_index(path, "unguarded").facts.num_lesions == 6


def test_the_facts_are_printed_as_one_json_document(lesions: Path, tmp_path: Path, capsys):
    (lesions / "nevus" / "broken.jpg").write_bytes(b"no image")
    out = tmp_path / "named.index"
    assert main(["index", str(lesions), "--all", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert document["path"] == str(out)
    assert document["by_diagnosis"] == {"MEL": 3, "NV": 3}
    assert (document["num_unreadable"], document["model_id"]) == (1, "unguarded")


def test_without_histopathology_the_error_says_what_to_do(lesions: Path, capsys):
    assert main(["index", str(lesions)]) == 2
    assert "0 of them confirmed by histopathology" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_a_sentence(lesions: Path, tmp_path: Path, capsys):
    out = tmp_path / "nowhere" / "x.lookalikes"
    assert main(["index", str(lesions), "--all", "--out", str(out)]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_a_stopped_command_says_that_it_continues(
    lesions: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("melanoma_core.lookalikes.embedder.Embedder.embed", stop)
    assert main(["index", str(lesions), "--all"]) == 130
    assert "The same command continues from here." in capsys.readouterr().err


def test_the_nearest_lesions_are_measured(lesions: Path, capsys):
    assert main(["index", str(lesions), "--all", "--measure"]) == 0
    table = capsys.readouterr().out

    assert "| Melanomas among the 5 lesions nearest to a melanoma | 0.400" in table
    assert "| Same diagnosis, nevus |" in table

    assert main(["index", str(lesions), "--all", "--measure", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["melanoma"]["value"] == pytest.approx(0.4)
    assert document["melanoma_by_chance"] == 0.5

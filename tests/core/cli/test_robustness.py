import json
import shutil
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS


@pytest.fixture
def lesions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six drawn lesions in two class folders."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    folder = tmp_path / "lesions"
    for number, lesion in enumerate(DEMONSTRATION_LESIONS):
        path = folder / ("melanoma" if number % 2 else "nevus") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(lesion.path, path)
    return folder


def test_the_figures_of_every_artefact_are_printed_as_json(lesions: Path, capsys):
    assert main(["robustness", str(lesions), "--limit", "4", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert list(document) == [
        *("model_id", "notice", "is_lineage_known", "unchecked", "summary", "figures")
    ]
    assert document["summary"].startswith("Artefacts were drawn onto 4 photographs of 4 lesions")
    assert document["figures"]["gel bubbles"]["refused"]["total"] == 4


def test_the_figures_are_printed_as_tables(lesions: Path, capsys):
    assert main(["robustness", str(lesions), "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert "Alerts and refusals with artefacts" in lines
    assert [line.split(" | ")[0] for line in lines if line.startswith("| h")] == ["| hair"] * 2


def test_limits_of_the_warnings_are_chosen_on_request(lesions: Path, capsys):
    assert main(["robustness", str(lesions), "--choose-limits", "--json"]) == 0

    assert list(json.loads(capsys.readouterr().out)["limits"]) == ["ink", "hair", "ruler"]


def test_a_folder_without_photographs_is_refused(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()

    assert main(["robustness", str(tmp_path / "empty")]) == 2
    assert "Found no" in capsys.readouterr().err

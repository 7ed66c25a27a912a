import json
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.jsonable import from_jsonable
from melanoma_core.models.card import OutlineFacts, load_card
from melanoma_core.records.repeatability import ModelLimits, read_limits
from tests.core.records.drawn_skin import write_lesions
from tests.drawn_models import write_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty drawn lesions, two photographs and outlines of each."""
    folder = tmp_path_factory.mktemp("drawn") / "ham10000"
    write_lesions(folder, 20)
    return folder


def test_registration_is_measured_with_counts_and_intervals(
    lesions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    folder = write_model(tmp_path / "models", "outlining", can_read=False, outline_side=16)
    facts = OutlineFacts(16, 0.5, "validation", {}, "drawn")  # the whole photograph
    replace(load_card(folder), outline=facts).save(folder)

    arguments = ["registration", str(lesions), "--model", "outlining", "--keep", "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)

    (figures,) = document["registration"]["sources"].values()
    assert (figures["same"]["count"], figures["same"]["total"]) == (10, 10)
    assert figures["same"]["low"] == pytest.approx(0.69, abs=0.01)
    assert (figures["others"]["count"], figures["alike"]["count"]) == (0, 0)
    assert document["registration"]["min_inliers"] <= 6
    area = document["outlines"]["both by a person"]["area"]
    assert area["limit"] < 0.1
    limits = read_limits(folder)
    assert limits is not None
    assert limits == from_jsonable(ModelLimits, document["limits"])
    assert (limits.model_id, limits.num_lesions) == ("outlining", 20)
    assert limits.probabilities.keys() >= {"MEL", "NV"}
    assert "area" not in limits.network  # the network's outline reaches the edge


def test_figures_are_printed_as_sentences(lesions: Path, capsys):
    assert main(["registration", str(lesions), "--limit", "4"]) == 0
    printed = capsys.readouterr().out
    assert "- two photographs of one lesion: registered: 100.0% (15.8–100.0), 2 of 2" in printed
    assert "Both by a person: 95% of pairs of the first half differ by at most" in printed
    assert "- area: a factor of 1.0" in printed


def test_a_folder_without_lesions_that_have_several_photographs_is_refused(tmp_path, capsys):
    folder = tmp_path / "ham10000"
    write_lesions(folder, 3)
    assert main(["registration", str(folder)]) == 2
    assert "Found 3 lesions with several photographs" in capsys.readouterr().err

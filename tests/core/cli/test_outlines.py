import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from melanoma_core.cli.main import main
from melanoma_core.models.card import OutlineFacts, load_card
from tests.core.cli.conftest import WriteOutlined
from tests.drawn_models import write_model


@pytest.fixture
def lesions(write_outlined: WriteOutlined) -> Path:
    """Six drawn lesions, four of them with the same disc as outline."""

    def outline(height: int, width: int) -> NDArray[np.bool_]:
        down, across = np.ogrid[:height, :width]
        disc: NDArray[np.bool_] = np.hypot(down - height / 2, across - width / 2) <= height / 4
        return disc

    return write_outlined(outline)


def test_measures_are_summarised_by_diagnosis(lesions: Path, capsys):
    assert main(["outlines", str(lesions), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert document["dice"] is None
    assert list(document["spreads"]) == ["MEL", "NV"]
    border = document["spreads"]["NV"]["border_irregularity"]
    assert border["mean"]["value"] == pytest.approx(1, abs=0.01)
    assert border["mean"]["total"] == 2
    assert border["quartiles"] == pytest.approx([1, 1, 1], abs=0.01)
    assert document["spreads"]["MEL"]["asymmetry"]["mean"]["value"] == pytest.approx(0, abs=0.01)
    assert document["roc_auc"]["diameter"]["value"] == 0.5
    assert all(each["value"] == 0 for each in document["missing"]["MEL"].values())
    assert len(document["colours"]["MEL"]) == 6


def test_measures_are_printed_as_tables(lesions: Path, capsys):
    assert main(["outlines", str(lesions), "--limit", "3"]) == 0
    printed = capsys.readouterr()

    assert "Asymmetry. ROC AUC of this measure alone for melanoma: 0.500" in printed.out
    assert "| Diagnosis | Photographs | Lesions | Mean | Quartiles |" in printed.out
    assert "Share of photographs with each colour" in printed.out
    assert "This model draws no outline" in printed.err


def test_the_outlines_of_a_model_are_compared_with_manually_drawn_ones(
    lesions: Path, tmp_path: Path, capsys
):
    folder = write_model(tmp_path / "models", "outlining", can_read=False, outline_side=16)
    facts = OutlineFacts(16, 0.5, "validation", {}, "drawn")  # the whole photograph
    replace(load_card(folder), outline=facts).save(folder)

    assert main(["outlines", str(lesions), "--model", "outlining", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model_id"] == "outlining"
    share = document["spreads"]["NV"]["area_share"]["mean"]["value"]
    assert document["dice"]["dice"]["value"] == pytest.approx(2 * share / (1 + share), abs=0.01)
    assert document["dice"]["failed"]["value"] == 1

    assert main(["outlines", str(lesions), "--model", "outlining"]) == 0
    assert "Outlines of outlining on 4 photographs of 4 lesions" in capsys.readouterr().out


def test_without_an_outline_the_error_says_what_is_needed(
    tmp_path: Path, draw, capsys, monkeypatch
):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    for number in range(2):
        draw(tmp_path / "data" / "nevus" / f"{number}.png", number)
    assert main(["outlines", str(tmp_path / "data")]) == 2
    assert "Found no outline for the 2 images" in capsys.readouterr().err

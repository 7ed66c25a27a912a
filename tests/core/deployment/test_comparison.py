from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.deployment.comparison import (
    FOUND,
    MISSED,
    RAISED,
    SPARED,
    Comparison,
    compare_readings,
    gather_readings,
    list_unread,
)
from melanoma_core.models.lineage import get_probabilities
from tests.drawn_models import write_model


def compare(models_dir: Path, candidate: str, deployed: str) -> Comparison:
    comparison = compare_readings(
        gather_readings(models_dir / candidate), gather_readings(models_dir / deployed)
    )
    assert isinstance(comparison, Comparison)
    return comparison


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, "steady", missed=10, false_alerts=120)
    write_model(folder, "better", missed=4, false_alerts=100)
    write_model(folder, "elsewhere", first_test=200)
    write_model(folder, "silent", keeps=False)
    return folder


def test_two_models_are_compared_on_the_same_photographs(models: Path):
    found = compare(models, "better", "steady")

    assert (found.num_images, found.num_lesions) == (600, 600)
    assert (found.num_melanomas, found.num_melanoma_lesions) == (200, 200)
    assert (found.num_test, found.num_learned, found.num_unread) == (600, 0, 0)
    assert found.images_sha256 == found.expected_sha256
    assert found.candidate["sensitivity"].value == pytest.approx(196 / 200)
    assert found.deployed["sensitivity"].value == pytest.approx(190 / 200)
    gain = found.differences["sensitivity"]
    assert gain.value == pytest.approx(6 / 200)
    assert 0 < gain.low < gain.value < gain.high < 0.06
    assert found.differences["specificity"].value == pytest.approx(20 / 400)
    assert found.mcnemar["sensitivity"].only_one == 6
    assert found.mcnemar["sensitivity"].only_other == 0
    assert found.mcnemar["sensitivity"].p_value == pytest.approx(2 / 2**6)


def test_disagreements_come_with_the_missed_melanomas_first(models: Path):
    worse = compare(models, "steady", "better").disagreements
    better = compare(models, "better", "steady").disagreements

    assert worse["kind"].tolist() == [MISSED] * 6 + [RAISED] * 20
    assert better["kind"].tolist() == [FOUND] * 6 + [SPARED] * 20
    assert worse["image_id"].iloc[0].startswith("t")
    assert (worse["candidate"].iloc[:6] < 0.4).all()
    assert (worse["deployed"].iloc[:6] >= 0.4).all()


def test_photographs_that_only_one_has_read_are_not_compared_and_are_counted(models: Path):
    found = compare(models, "elsewhere", "steady")

    assert (found.num_test, found.num_images, found.num_unread) == (600, 400, 200)
    assert found.images_sha256 != found.expected_sha256


def test_what_the_deployed_model_learned_from_is_left_out(models: Path):
    candidate, deployed = (gather_readings(models / name) for name in ("better", "steady"))
    assert deployed.split is not None
    split = deployed.split.copy()
    by_bytes = split["image_id"] == "r0000"
    by_lesion = split["image_id"] == "r0001"
    split.loc[by_bytes, "sha256"] = "hash-t0000"
    split.loc[by_lesion, "lesion_id"] = "lesion-t0001"

    found = compare_readings(candidate, replace(deployed, split=split))

    assert isinstance(found, Comparison)
    assert (found.num_learned, found.num_images, found.num_unread) == (2, 598, 0)
    assert found.images_sha256 == found.expected_sha256


def test_a_candidate_without_readings_is_told_to_be_trained_anew(models: Path):
    candidate, deployed = (gather_readings(models / name) for name in ("silent", "steady"))

    assert "keeps no readings of its test photographs" in str(compare_readings(candidate, deployed))
    assert list_unread(candidate, deployed).empty


def test_a_deployed_model_without_readings_reads_the_photographs_again(models: Path):
    candidate, deployed = (gather_readings(models / name) for name in ("better", "silent"))
    reason = compare_readings(candidate, deployed)
    assert "Name the folder that holds these photographs" in str(reason)
    unread = list_unread(candidate, deployed)
    assert len(unread) == 600

    again = unread.drop(columns=["image_id", "label"])
    found = compare_readings(candidate, deployed, again)

    assert isinstance(found, Comparison)
    assert found.num_images == 600
    assert not found.knows_learned
    assert found.differences["sensitivity"].value == 0
    assert candidate.predictions is not None
    assert np.isfinite(get_probabilities(candidate.predictions)).all()

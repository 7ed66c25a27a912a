from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.deployment.comparison import (
    ComparedModel,
    Comparison,
    compare_models,
    list_unread,
    load_compared_model,
)
from melanoma_core.deployment.gate import judge
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.predictions import get_probabilities
from tests.drawn_models import CLEAN, make_split, write_model

pytestmark = pytest.mark.slow

KEY, ELSEWHERE = IdKey(), IdKey()


def compare(models_dir: Path, candidate: str, deployed: str) -> Comparison:
    comparison = compare_models(
        load_compared_model(models_dir / candidate, KEY),
        load_compared_model(models_dir / deployed, KEY),
    )
    assert isinstance(comparison, Comparison)
    return comparison


def candidate_lesion(candidate: ComparedModel, image_id: str) -> str:
    assert candidate.split is not None
    return str(candidate.split.set_index("image_id")["lesion_id"][image_id])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, "steady", missed=10, false_alerts=120, can_read=False)
    write_model(folder, "better", missed=4, false_alerts=100, can_read=False)
    write_model(folder, "elsewhere", first_test=200, can_read=False)
    write_model(folder, "silent", with_lineage=False, can_read=False)
    return folder


@pytest.fixture(scope="module")
def found(models: Path) -> Comparison:
    """The better model compared with the deployed one."""
    return compare(models, "better", "steady")


def test_two_models_are_compared_on_the_same_photographs(found: Comparison):
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


def test_skin_cancer_alerts_are_compared_where_both_models_have_one(models: Path):
    # With melanoma as the only skin cancer, these are the melanoma alerts.
    write_model(
        models, "both", missed=4, false_alerts=100, can_read=False, skin_cancer_threshold=0.4
    )
    write_model(
        models, "too", missed=10, false_alerts=120, can_read=False, skin_cancer_threshold=0.4
    )

    found, one = compare(models, "both", "too"), compare(models, "both", "steady")

    assert found.differences["skin_cancer_sensitivity"].value == pytest.approx(6 / 200)
    assert found.mcnemar["skin_cancer_sensitivity"].only_one == 6
    assert found.candidate["skin_cancer_specificity"].value == pytest.approx(300 / 400)
    assert "skin_cancer_sensitivity" not in one.differences
    assert one.mcnemar.keys() == {"sensitivity", "specificity"}
    assert judge("both", "too", CLEAN, found).is_allowed


def test_disagreements_come_with_the_missed_melanomas_first(models: Path, found: Comparison):
    worse = compare(models, "steady", "better").disagreements
    better = found.disagreements

    assert worse["kind"].tolist() == [
        *["melanoma missed by the candidate only"] * 6,
        *["false alert of the candidate only"] * 20,
    ]
    assert better["kind"].tolist() == [
        *["melanoma found by the candidate only"] * 6,
        *["false alert of the deployed model only"] * 20,
    ]
    assert worse["image_id"].iloc[0].startswith("t")
    assert (worse["candidate"].iloc[:6] < 0.4).all()
    assert (worse["deployed"].iloc[:6] >= 0.4).all()


def test_photographs_with_a_prediction_of_one_model_only_are_counted_and_not_compared(models: Path):
    found = compare(models, "elsewhere", "steady")

    assert (found.num_test, found.num_images, found.num_unread) == (600, 400, 200)
    assert found.images_sha256 != found.expected_sha256


def test_training_photographs_of_the_deployed_model_are_left_out(models: Path):
    candidate, deployed = (load_compared_model(models / name, KEY) for name in ("better", "steady"))
    assert deployed.split is not None
    split = deployed.split.copy()
    by_bytes = split["image_id"] == "r0000"
    by_lesion = split["image_id"] == "r0001"
    split.loc[by_bytes, "sha256"] = "hash-t0000"
    split.loc[by_lesion, "lesion_id"] = candidate_lesion(candidate, "t0001")

    found = compare_models(candidate, replace(deployed, split=split))

    assert isinstance(found, Comparison)
    assert (found.num_learned, found.num_images, found.num_unread) == (2, 598, 0)
    assert found.images_sha256 == found.expected_sha256


def test_a_candidate_without_predictions_has_to_be_trained_again(models: Path):
    candidate, deployed = (load_compared_model(models / name, KEY) for name in ("silent", "steady"))

    assert "keeps no predictions of its test photographs" in str(
        compare_models(candidate, deployed)
    )
    assert list_unread(candidate, deployed).empty


def test_a_deployed_model_without_predictions_reads_the_photographs_again(models: Path):
    candidate, deployed = (load_compared_model(models / name, KEY) for name in ("better", "silent"))
    reason = compare_models(candidate, deployed)
    assert "Name the folder that holds these photographs" in str(reason)
    unread = list_unread(candidate, deployed)
    assert len(unread) == 600

    again = unread.drop(columns=["image_id", "label"])
    found = compare_models(candidate, deployed, again)

    assert list_unread(candidate, deployed, again).empty
    assert len(list_unread(candidate, deployed, again[:590])) == 10
    assert isinstance(found, Comparison)
    assert found.num_images == 600
    assert not found.knows_learned
    assert found.differences["sensitivity"].value == 0
    assert candidate.predictions is not None
    assert np.isfinite(get_probabilities(candidate.predictions)).all()


@pytest.mark.parametrize(
    ("candidate_key", "deployed_key", "num_learned"),
    [
        (KEY, KEY, 1),
        (KEY, None, 1),  # as the bundled model, whose ids are public
        (None, KEY, 1),
        (ELSEWHERE, ELSEWHERE, 1),  # two models of another installation
        (KEY, ELSEWHERE, 0),
        (ELSEWHERE, KEY, 0),
        (ELSEWHERE, None, 0),
    ],
)
def test_a_lesion_that_the_deployed_model_has_seen_is_found_by_its_hash_if_the_key_is_the_same(
    tmp_path: Path, candidate_key: IdKey | None, deployed_key: IdKey | None, num_learned: int
):
    split = make_split()
    split.loc[split["image_id"] == "r0000", "lesion_id"] = "lesion-t0000"
    write_model(tmp_path, "candidate", can_read=False, key=candidate_key)
    write_model(tmp_path, "deployed", can_read=False, key=deployed_key, split=split)

    found = compare(tmp_path, "candidate", "deployed")
    verdict = judge("candidate", "deployed", CLEAN, found)

    assert found.num_learned == num_learned
    assert bool(found.unchecked) == (num_learned == 0)
    assert verdict.is_allowed
    if found.unchecked:
        assert "lesions and patients of 1,200 of the 1,200 images" in found.unchecked
        assert found.unchecked in verdict.reasons

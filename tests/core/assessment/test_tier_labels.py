"""The evaluation of a model on a folder with labels of a tier."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.assessment.assessment import Assessment, assess
from melanoma_core.assessment.selection import select_photographs
from melanoma_core.assessment.tables import describe_assessment, format_tables
from melanoma_core.data.cache import FactCache
from melanoma_core.data.cleaning import decide_files
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.registry import BUNDLED

Draw = Callable[..., None]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(BUNDLED, num_threads=1)


def open_drawn(folder: Path, draw: Draw, counts: dict[str, int]) -> OpenedFolder:
    places = [f"{name}/{number}.png" for name, count in counts.items() for number in range(count)]
    for number, place in enumerate(places):
        draw(folder / place, number)
    return open_folder(folder, FactCache(folder.parent / "cache"))


@pytest.fixture
def mixed(tmp_path: Path, draw: Draw) -> OpenedFolder:
    counts = {"melanoma": 2, "nevus": 1, "malignant": 3, "benign": 4, "wart": 1}
    return open_drawn(tmp_path / "mixed", draw, counts)


@pytest.fixture
def two_classes(tmp_path: Path, draw: Draw) -> OpenedFolder:
    counts = {"train/malignant": 2, "train/benign": 2, "test/malignant": 3, "test/benign": 4}
    return open_drawn(tmp_path / "two", draw, counts)


def join(assessment: Assessment) -> str:
    return " ".join(describe_assessment(assessment))


def test_the_tiers_of_a_folder_are_evaluated_for_what_they_answer(
    classifier: Classifier, mixed: OpenedFolder
):
    assessment = assess(classifier, select_photographs(mixed, None, None))

    assert (assessment.num_selected, assessment.num_unlabelled) == (10, 1)
    evaluation = assessment.evaluation
    assert evaluation.tiers == {"malignant": 3, "benign": 4}
    totals = {
        name: evaluation.figures[name].total
        for name in ("sensitivity", "specificity", "skin_cancer_roc_auc", "accuracy")
    }
    assert totals == {
        "sensitivity": 2,
        "specificity": 5,
        "skin_cancer_roc_auc": 10,
        "accuracy": 3,
    }
    assert "7 of the images have a risk tier as label" in join(assessment)
    assert "Of the 3 malignant ones it is not known which are melanomas." in join(assessment)
    assert "No image has a diagnosis" not in join(assessment)


def test_a_folder_of_two_classes_says_what_it_cannot_answer(
    classifier: Classifier, two_classes: OpenedFolder
):
    assessment = assess(classifier, select_photographs(two_classes, None, None))

    assert (assessment.subset, assessment.evaluation.num_images) == ("test", 7)
    assert assessment.num_refused_cancers is not None
    assert "No image is known to be a melanoma." in join(assessment)
    assert "No image has a diagnosis." in join(assessment)
    tables = format_tables(assessment)
    assert "| Skin cancer ROC AUC |" in tables
    assert "| Specificity of the melanoma alert |" in tables  # of the benign ones
    for absent in ("Accuracy", "Sensitivity of the melanoma", "True diagnosis", "undefined"):
        assert absent not in tables
    assert "2 of the images" not in join(assessment)


def test_a_cleaned_table_keeps_its_tiers_in_an_evaluation(mixed: OpenedFolder):
    decisions = decide_files(mixed.records)

    selection = select_photographs(mixed, None, None, decisions)

    assert selection.table["label"].value_counts().to_dict() == {
        "benign": 4,
        "malignant": 3,
        "MEL": 2,
        "NV": 1,
    }


def test_a_contradicted_label_is_no_tier(mixed: OpenedFolder):
    records = mixed.records.assign(
        contradiction=mixed.records["contradiction"].mask(
            mixed.records["name"] == "malignant", "a table says otherwise"
        )
    )

    selection = select_photographs(replace(mixed, records=records), None, None)

    assert "malignant" not in set(selection.table["label"])

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from melanoma_core.errors import RunError
from melanoma_core.runs.comparison import (
    compare_predictions,
    count_confusions,
    explain_incomparable,
    normalise_rows,
    tabulate_differences,
)
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.training.predictions import select_held_out, tabulate_predictions
from melanoma_core.training.recipe import PRESETS

CLASSES = ("melanoma", "nevus", "wart")


def make_run(test_sha256: str = "a", class_names: tuple[str, ...] = CLASSES) -> Run:
    known = {
        "run_id": "1",
        "name": "baseline 1",
        "state": RunState.FINISHED,
        "spec": RunSpec(PRESETS["baseline"], class_names, "drawn", {}),
        "test_sha256": test_sha256,
    }
    return Run(**(dict.fromkeys(Run.__dataclass_fields__) | known))


def predict(labels: list[str], said: list[str], groups: list[int] | None = None) -> pd.DataFrame:
    """Predictions of a run that is certain of each class."""
    ids = [f"image {index}" for index in range(len(labels))]
    table = pd.DataFrame(
        {
            "image_id": ids,
            "sha256": ids,
            "subset": "test",
            "group": groups or range(len(labels)),
            "source": "drawn",
            "label": labels,
        }
    )
    probabilities = np.eye(len(CLASSES))[[CLASSES.index(name) for name in said]]
    return tabulate_predictions(select_held_out(table), probabilities, CLASSES)


def test_equal_recipes_have_no_differences_whatever_their_names():
    baseline = PRESETS["baseline"]
    assert tabulate_differences({}).empty
    assert tabulate_differences({"a": baseline}).empty
    assert tabulate_differences({"a": baseline, "b": replace(baseline, name="other")}).empty


def test_only_the_differing_fields_are_listed():
    baseline = PRESETS["baseline"]
    changed = replace(baseline, image_size=64, mirror=True)
    table = tabulate_differences({"one": baseline, "two": changed, "three": baseline})
    assert list(table.index) == ["image_size", "mirror"]
    assert table.loc["image_size"].tolist() == [180, 64, 180]
    assert table.loc["mirror"].tolist() == [False, True, False]


def test_only_runs_with_equal_test_images_and_classes_are_comparable():
    assert explain_incomparable([]) == ""
    assert explain_incomparable([make_run(), make_run()]) == ""
    assert "evaluated on different test images" in explain_incomparable([make_run(), make_run("b")])
    assert "different classes" in explain_incomparable([make_run(), make_run("a", CLASSES[:2])])


def test_the_confusion_matrix_counts_true_and_predicted_classes():
    predictions = predict(
        ["melanoma", "melanoma", "nevus", "nevus", "nevus"],
        ["melanoma", "nevus", "nevus", "nevus", "wart"],
    )
    counts = count_confusions(predictions, "test")
    assert counts.index.tolist() == counts.columns.tolist() == list(CLASSES)
    assert counts.to_numpy().tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]
    shares = normalise_rows(counts)
    assert shares.loc["melanoma"].tolist() == [0.5, 0.5, 0]
    assert shares.loc["nevus"].tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    assert shares.loc["wart"].isna().all()
    assert count_confusions(predictions, "published").to_numpy().sum() == 0


def test_leaked_images_can_be_left_out_of_the_confusion_matrix():
    predictions = predict(["nevus", "nevus"], ["nevus", "wart"]).assign(leaked=[True, False])
    counts = count_confusions(predictions, "test", without_leaked=True)
    assert counts.loc["nevus"].tolist() == [0, 0, 1]


def test_a_run_compared_to_itself_has_no_difference_and_no_interval():
    one = predict(["melanoma", "nevus"], ["melanoma", "wart"])
    figure = compare_predictions(one, one, "test")["accuracy"]
    assert figure.value == 0
    assert math.isnan(figure.low)
    assert math.isnan(figure.high)
    empty = compare_predictions(one, one, "published")["accuracy"]
    assert (math.isnan(empty.value), empty.total) == (True, 0)


def test_the_difference_of_two_runs_has_an_interval_resampled_by_lesion():
    labels = ["melanoma"] * 10 + ["nevus"] * 30
    worse = ["nevus"] * 4 + ["melanoma"] * 6 + ["nevus"] * 30
    # Four photographs of one melanoma are one piece of evidence.
    groups = [0] * 4 + list(range(1, 37))
    one, other = predict(labels, labels, groups), predict(labels, worse, groups)
    figures = compare_predictions(one, other[::-1], "test")
    assert figures["accuracy"].value == pytest.approx(0.1)
    # AUC 1 against 6 of 10 won and 4 of 10 tied: 0.6 + 0.2.
    assert figures["melanoma_roc_auc"].value == pytest.approx(0.2)
    assert figures["accuracy"].low == 0
    assert 0.2 < figures["accuracy"].high < 0.35
    assert (figures["accuracy"].total, figures["accuracy"].num_lesions) == (40, 37)
    mirrored = compare_predictions(other, one, "test")["accuracy"]
    assert mirrored.value == pytest.approx(-0.1)


def test_predictions_of_different_images_or_labels_are_not_compared():
    one = predict(["nevus", "nevus"], ["nevus", "nevus"])
    for other in (one[:1], one.assign(label="wart"), one.rename(columns={"p_wart": "p_mole"})):
        with pytest.raises(RunError, match="Found different images or classes in the test subset"):
            compare_predictions(one, other, "test")

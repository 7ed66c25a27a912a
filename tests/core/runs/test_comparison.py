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
    judge_fit,
    share_rows,
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
    """As a run would, that is sure of what it says."""
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


def draw_curves(train: list[float], validation: list[float], reached: float = 0.8) -> pd.DataFrame:
    """Losses from epoch 1, and the balanced accuracy on train images of three classes."""
    rows = [
        (epoch, subset, "loss", value)
        for subset, losses in (("train", train), ("validation", validation))
        for epoch, value in enumerate(losses, start=1)
    ]
    rows += [(len(train), "train", f"recall/{name}", reached) for name in CLASSES]
    rows += [(len(train), "train", "balanced_accuracy", reached)]
    # What else a run tells, and what is told inside an epoch, decides nothing.
    rows += [(1, "", "learning_rate", 1e-3), (0.5, "batch", "loss", 99.0)]
    return pd.DataFrame(rows, columns=["epoch", "subset", "metric", "value"])


def test_recipes_that_are_alike_differ_in_nothing_whatever_their_names():
    baseline = PRESETS["baseline"]
    assert tabulate_differences({}).empty
    assert tabulate_differences({"a": baseline}).empty
    assert tabulate_differences({"a": baseline, "b": replace(baseline, name="other")}).empty


def test_only_the_fields_that_differ_are_told():
    baseline = PRESETS["baseline"]
    changed = replace(baseline, image_size=64, mirror=True)
    table = tabulate_differences({"one": baseline, "two": changed, "three": baseline})
    assert list(table.index) == ["image_size", "mirror"]
    assert table.loc["image_size"].tolist() == [180, 64, 180]
    assert table.loc["mirror"].tolist() == [False, True, False]


def test_runs_are_compared_on_the_same_test_images_and_classes_alone():
    assert explain_incomparable([]) == ""
    assert explain_incomparable([make_run(), make_run()]) == ""
    assert "not measured on the same test images" in explain_incomparable(
        [make_run(), make_run("b")]
    )
    assert "other classes" in explain_incomparable([make_run(), make_run("a", CLASSES[:2])])


def test_confusions_are_counted_by_true_class_and_what_was_put_first():
    predictions = predict(
        ["melanoma", "melanoma", "nevus", "nevus", "nevus"],
        ["melanoma", "nevus", "nevus", "nevus", "wart"],
    )
    counts = count_confusions(predictions, "test")
    assert counts.index.tolist() == counts.columns.tolist() == list(CLASSES)
    assert counts.to_numpy().tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]
    shares = share_rows(counts)
    assert shares.loc["melanoma"].tolist() == [0.5, 0.5, 0]
    assert shares.loc["nevus"].tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    assert shares.loc["wart"].isna().all()
    assert count_confusions(predictions, "published").to_numpy().sum() == 0


def test_leaked_images_can_be_left_out_of_the_confusions():
    predictions = predict(["nevus", "nevus"], ["nevus", "wart"]).assign(leaked=[True, False])
    counts = count_confusions(predictions, "test", without_leaked=True)
    assert counts.loc["nevus"].tolist() == [0, 0, 1]


def test_a_run_compared_to_itself_differs_by_nothing_and_has_no_interval():
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


def test_predictions_of_other_images_or_labels_are_not_compared():
    one = predict(["nevus", "nevus"], ["nevus", "nevus"])
    for other in (one[:1], one.assign(label="wart"), one.rename(columns={"p_wart": "p_mole"})):
        with pytest.raises(RunError, match="Found other images or classes in the test subset"):
            compare_predictions(one, other, "test")


def test_nothing_is_said_before_an_epoch_was_measured_and_little_before_six_were():
    assert judge_fit(draw_curves([], [])) == ""
    assert judge_fit(draw_curves([1.0, 0.5, 0.2, 0.1, 0.01], [1.0, 2.0, 3.0, 4.0, 5.0])) == (
        "Too early to say: 5 of 6 epochs that it takes are done."
    )
    # An epoch that only one of both was measured in does not count yet.
    assert judge_fit(draw_curves([1.0] * 6, [1.0] * 5)).startswith("Too early to say: 5 of 6")


def test_a_loss_that_is_no_number_has_broken_down():
    curves = draw_curves([1.0, 0.9, math.nan], [1.0, 0.9, 0.8])
    assert judge_fit(curves) == (
        "Broken down in epoch 3: its loss is no number any more. Lower the learning rate."
    )
    assert judge_fit(draw_curves([1.0], [math.inf])).startswith("Broken down in epoch 1")


def test_a_validation_loss_that_rises_while_the_train_loss_falls_is_overfitting():
    train = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3]
    validation = [1.1, 1.0, 0.9, 1.0, 1.1, 1.2]
    assert judge_fit(draw_curves(train, validation)) == (
        "Overfits since epoch 3: the validation loss rose from 0.900 to 1.200, while the train "
        "loss fell from 0.600 to 0.300. End training there (early stopping), or add augmentation, "
        "dropout or photographs."
    )
    shuffled = draw_curves(train, validation).sample(frac=1, random_state=1)
    assert judge_fit(shuffled) == judge_fit(draw_curves(train, validation))


def test_one_bad_epoch_is_no_overfitting():
    sentence = judge_fit(draw_curves([1.0, 0.8, 0.6, 0.5, 0.4, 0.3], [1.1, 1, 0.9, 0.8, 0.7, 1.2]))
    assert sentence.startswith("Still learning")


def test_both_losses_falling_is_still_learning():
    falling = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert judge_fit(draw_curves(falling, falling)) == (
        "Still learning: both losses fall (now 0.500 on train, 0.500 on validation). More epochs "
        "may help."
    )
    # Even where it has not got beyond guessing yet.
    assert judge_fit(draw_curves(falling, falling, 1 / 3)).startswith("Still learning")


def test_a_train_loss_that_falls_alone_is_learning_by_heart():
    sentence = judge_fit(draw_curves([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], [1.0] * 6))
    assert sentence.startswith("Learns by heart: the train loss still falls")


def test_no_more_than_guessing_on_train_is_underfitting():
    flat = [1.1] * 6
    assert judge_fit(draw_curves(flat, flat, 0.35)) == (
        "Underfits: on the train images themselves its balanced accuracy is 35.0%, hardly above "
        "the 33.3% of guessing, and the loss falls no more. Try another learning rate, less "
        "augmentation or a larger network."
    )


def test_flat_losses_of_a_network_that_has_learned_are_settled():
    flat = [0.5] * 6
    assert judge_fit(draw_curves(flat, flat, 0.9)).startswith("Settled: neither loss falls")
    # Whether it guesses is not known: nothing is claimed.
    losses = draw_curves(flat, flat).query("metric == 'loss'")
    assert judge_fit(losses).startswith("Settled")

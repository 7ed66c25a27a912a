import math
import os

import numpy as np
import pandas as pd
import pytest

from melanoma_core.errors import DatasetError, RunError
from melanoma_core.models.predictions import list_classes
from melanoma_core.training.classes import find_positive
from melanoma_core.training.predictions import (
    evaluate_subset,
    read_predictions,
    select_held_out,
    select_subset,
    tabulate_predictions,
    write_predictions,
)

CLASSES = ("melanoma", "nevus")


def make_table(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
    """Return a table with rows of (subset, group, label)."""
    table = pd.DataFrame(rows, columns=["subset", "group", "label"], dtype=object)
    names = [f"image {index}" for index in range(len(table))]
    return table.assign(image_id=names, sha256=[f"sha {name}" for name in names], source="drawn")


def predict(rows: list[tuple[str, int, str]], melanoma: list[float]) -> pd.DataFrame:
    """Return the predictions of a run with these probabilities of melanoma."""
    held_out = select_held_out(make_table(rows))
    one = np.array(melanoma)
    return tabulate_predictions(held_out, np.stack([one, 1 - one], axis=1), CLASSES)


def test_all_subsets_but_train_are_held_out_and_sorted_by_subset():
    table = make_table(
        [
            ("test", 1, "nevus"),
            ("train", 2, "nevus"),
            ("published", 2, "nevus"),
            ("validation", 3, "nevus"),
            ("test", 2, "melanoma"),
        ]
    )
    rows = select_held_out(table)
    assert list(rows["image_id"]) == ["image 2", "image 3", "image 0", "image 4"]
    assert list(rows["leaked"]) == [True, False, False, True]
    assert list(rows.index) == [0, 1, 2, 3]
    assert select_held_out(table[1:2]).empty


@pytest.mark.parametrize(
    "name", ['a,"b"\n c', "a\rb", "NA", "p_1", "", "ünïcödé 皮", os.fsdecode(b"\xff")]
)
def test_predictions_are_read_as_they_were_written(tmp_path, name):
    label = name.encode("utf-8", "replace").decode()  # class names are valid text
    table = make_table([("test", 7, label), ("validation", 8, "p_nevus")])
    for column in ("image_id", "source"):
        table[column] = pd.Series([f"{name} 1", f"{name} 2"], dtype=object)
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(3), 2).astype(np.float32)
    written = tabulate_predictions(
        select_held_out(table), probabilities, (label, "p_nevus", "label")
    )
    write_predictions(written, tmp_path / "predictions.csv")
    read = read_predictions(tmp_path / "predictions.csv")
    assert read.astype(object).equals(written.astype(object))
    assert list_classes(read) == (label, "p_nevus", "label")
    scores = read.iloc[:, -3:].to_numpy()
    assert scores.dtype == np.float32
    assert scores.tobytes() == probabilities.tobytes()
    assert read["leaked"].dtype == bool


def test_a_file_that_is_no_table_of_predictions_is_refused(tmp_path):
    file = tmp_path / "predictions.csv"
    with pytest.raises(RunError, match="Cannot read the predictions"):
        read_predictions(file)
    for text in ("", "image_id,label\n1,nevus\n", '"'):
        file.write_text(text, "utf-8")
        with pytest.raises(RunError, match=r"predictions\.csv"):
            read_predictions(file)
    write_predictions(predict([("test", 1, "nevus")], [0.5]), file)
    for whole, part in (("True", "maybe"), ("False", ""), (",0.5,", ",half,")):
        text = file.read_text("utf-8").replace(whole, part)
        file.write_text(text, "utf-8")
    with pytest.raises(RunError, match="A finished run writes them"):
        read_predictions(file)


def test_an_empty_subset_is_undefined_and_not_zero():
    figures = evaluate_subset(predict([("test", 1, "nevus")], [0.1]), "published")
    assert list(figures)[-2:] == ["recall_melanoma", "recall_nevus"]
    assert all(math.isnan(figure.value) and figure.total == 0 for figure in figures.values())
    defined = evaluate_subset(predict([("test", 1, "nevus")], [0.1]), "test")
    assert list(defined) == list(figures)
    assert math.isnan(defined["sensitivity"].value)
    assert defined["specificity"].value == 1


def test_sensitivity_is_that_of_melanoma_as_the_most_probable_class():
    rows = [
        ("test", 1, "melanoma"),
        ("test", 2, "melanoma"),
        ("test", 3, "melanoma"),
        ("test", 4, "nevus"),
        ("test", 5, "nevus"),
        ("validation", 6, "nevus"),
    ]
    # The validation image comes first.
    figures = evaluate_subset(predict(rows, [0.9, 0.9, 0.6, 0.4, 0.7, 0.2]), "test")
    assert (figures["sensitivity"].count, figures["sensitivity"].total) == (2, 3)
    assert (figures["specificity"].count, figures["specificity"].total) == (1, 2)
    assert (figures["accuracy"].count, figures["accuracy"].total) == (3, 5)
    assert figures["balanced_accuracy"].value == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Of the 6 pairs, 0.9 beats both nevi, 0.6 and 0.4 one of them each.
    assert figures["melanoma_roc_auc"].value == pytest.approx(4 / 6)


def test_the_most_probable_of_three_classes_can_be_below_one_half():
    table = make_table([("test", 1, "melanoma"), ("test", 2, "nevus")])
    probabilities = np.array([[0.4, 0.3, 0.3], [0.4, 0.5, 0.1]])
    predictions = tabulate_predictions(
        select_held_out(table), probabilities, ("melanoma", "nevus", "wart")
    )
    figures = evaluate_subset(predictions, "test")
    assert figures["sensitivity"].value == figures["specificity"].value == 1


def test_leaked_images_can_be_excluded():
    rows = [
        ("train", 1, "nevus"),
        ("test", 1, "nevus"),
        ("test", 2, "nevus"),
        ("test", 3, "melanoma"),
    ]
    predictions = predict(rows, [0.1, 0.9, 0.9])
    assert evaluate_subset(predictions, "test")["accuracy"].value == pytest.approx(2 / 3)
    unseen = evaluate_subset(predictions, "test", without_leaked=True)["accuracy"]
    assert (unseen.count, unseen.total, unseen.num_lesions) == (1, 2, 2)
    chosen = select_subset(predictions, "test", without_leaked=True)
    assert list(chosen["image_id"]) == ["image 2", "image 3"]


def test_ten_images_of_one_lesion_count_as_one_lesion():
    ten = [("test", 1, "nevus")] * 10 + [("test", 2, "melanoma")]
    figures = evaluate_subset(predict(ten, [0.1] * 10 + [0.9]), "test")
    # 2 of 2 lesions are right: the exact interval begins at 0.025 to the power of 1/2.
    assert figures["accuracy"].low == pytest.approx(0.025**0.5)


def test_melanoma_is_found_by_any_of_its_names_and_must_occur_once():
    assert find_positive(("nevus", "Melanoma")) == 1
    assert find_positive(("mel", "nv")) == 0
    with pytest.raises(DatasetError, match="Found 0 classes that mean melanoma among nevus"):
        find_positive(("nevus",))
    with pytest.raises(DatasetError, match="Found 2 classes that mean melanoma"):
        find_positive(("melanoma", "melanoma in situ"))


def test_among_tiers_the_malignant_one_takes_the_place_of_melanoma():
    assert find_positive(("benign", "Malignant")) == 1
    assert find_positive(("malignant", "premalignant", "benign")) == 0
    with pytest.raises(DatasetError, match="all malignant ones into one named malignant"):
        find_positive(("benign", "premalignant"))
    assert find_positive(("benign", "melanoma")) == 1  # a mix of both needs a melanoma


def test_the_tiers_of_a_left_out_collection_are_evaluated_with_its_diagnoses():
    rows = [("test", number, label) for number, label in enumerate(["MEL", "benign", "malignant"])]
    table = predict(rows, [0.9, 0.2, 0.8]).rename(
        columns={"p_melanoma": "p_MEL", "p_nevus": "p_NV"}
    )

    figures = evaluate_subset(table, "test")

    assert (figures["melanoma_roc_auc"].value, figures["melanoma_roc_auc"].total) == (1.0, 2)
    assert (figures["recall_MEL"].count, figures["recall_MEL"].total) == (1, 1)
    assert math.isnan(figures["accuracy"].value)  # one diagnosis has a recall alone

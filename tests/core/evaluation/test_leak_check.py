import pandas as pd
import pytest

from melanoma_core.evaluation.leak_check import find_leaks

COLUMNS = ("image_id", "subset", "sha256", "lesion_id", "patient_id", "group", "parent_image_id")


def make_table(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


CLEAN = (
    ("a", "train", "h1", "L1", "P1", 0, None),
    ("b", "validation", "h2", "L2", "P2", 1, None),
    ("c", "test", "h3", "L3", "P3", 2, None),
    ("d", "test", "h4", None, None, 3, None),
)


def test_a_clean_split_has_no_leak_and_lists_what_was_compared():
    leakage = find_leaks(make_table(*CLEAN))

    assert leakage.found == 0
    assert leakage.examples == ()
    assert (leakage.num_test, leakage.num_others) == (2, 2)
    assert leakage.checked_by == (
        "photograph (SHA-256)",
        "lesion",
        "patient",
        "group of copies and near copies",
    )


def test_a_missing_column_was_not_compared():
    table = make_table(*CLEAN).assign(lesion_id=None).drop(columns="patient_id")

    assert find_leaks(table).checked_by == (
        "photograph (SHA-256)",
        "group of copies and near copies",
    )


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (("x", "train", "h3", "L9", "P9", 9, None), "photograph (SHA-256)"),
        (("x", "train", "h9", "L3", "P9", 9, None), "lesion"),
        (("x", "train", "h9", "L9", "P3", 9, None), "patient"),
        (("x", "train", "h9", "L9", "P9", 2, None), "group of copies and near copies"),
        (("x", "train", "h9", "L9", "P9", 9, "c"), "lineage of new images"),
        (("x", "validation", "h9", "L3", "P9", 9, None), "lesion"),
        (("x", "published", "h9", "L3", "P9", 9, None), "lesion"),
    ],
)
def test_a_planted_leak_is_found_and_named(planted: tuple[object, ...], reason: str):
    leakage = find_leaks(make_table(*CLEAN, planted))

    other = "x" if reason.startswith("lineage") else f"x in {planted[1]}"
    assert leakage.found == 1
    assert leakage.examples == (f"c in test and {other}: the same {reason}",)


def test_an_image_made_by_oversampling_leaks_from_its_parent():
    leakage = find_leaks(make_table(*CLEAN, ("x", "test", "h9", None, None, 9, "a")))

    assert leakage.found == 1
    assert leakage.examples == ("x in test and a: the same lineage of new images",)


def test_missing_lesions_and_patients_are_not_shared():
    table = make_table(*CLEAN, ("x", "train", "h9", None, None, 9, None))

    assert find_leaks(table).found == 0


def test_images_that_the_parent_model_was_trained_on_count_too():
    before = make_table(
        ("old", "train", "h4", None, None, 7, None), ("old2", "train", "h8", "L3", None, 2, None)
    )

    leakage = find_leaks(make_table(*CLEAN), before)

    assert leakage.found == 2
    assert leakage.checked_by[-1] == "ancestry, by the model that it was started from"
    assert leakage.examples[0].startswith("d in test and old in train")


def test_group_numbers_of_another_split_are_ignored():
    before = make_table(("old", "train", "h9", "L9", "P9", 2, None))

    assert find_leaks(make_table(*CLEAN), before).found == 0


def test_an_image_that_leaks_in_several_ways_counts_once_and_five_examples_are_kept():
    twins = [(f"t{i}", "train", "h3", "L3", "P3", 2, None) for i in range(9)]
    more = [(f"u{i}", "test", f"u{i}", "L1", "P1", 0, None) for i in range(9)]

    leakage = find_leaks(make_table(*CLEAN, *twins, *more))

    assert leakage.found == 10
    assert len(leakage.examples) == 5


def test_a_split_without_a_test_subset_has_no_leak():
    table = make_table(*CLEAN[:2])

    assert (find_leaks(table).found, find_leaks(table).num_test) == (0, 0)

import numpy as np
import pytest

from melanoma_core.lookalikes.duckling import order_ducklings
from tests.core.lookalikes.conftest import turn


def test_fewer_than_three_lesions_have_no_order():
    assert order_ducklings({}) == ()
    two = order_ducklings({"b": turn(0), "a": turn(90)})

    assert [(each.lesion, each.rank) for each in two] == [("a", None), ("b", None)]
    assert all(np.isnan(each.distance) for each in two)


def test_the_lesion_that_is_most_unlike_the_others_is_first():
    ordered = order_ducklings({"a": turn(0), "b": turn(2), "c": turn(40), "d": turn(5)})

    assert [each.lesion for each in ordered] == ["c", "a", "d", "b"]
    assert [each.rank for each in ordered] == [1, 2, 2, 4]
    chord = 2 * np.sin(np.radians(38) / 2)  # to the median of the others, at 2 degrees
    assert ordered[0].distance == pytest.approx(chord, abs=1e-6)


def test_equal_distances_share_a_rank_and_follow_each_other_by_id():
    ordered = order_ducklings({"c": turn(0), "a": turn(0), "b": turn(0), "d": turn(60)})

    assert [(each.lesion, each.rank) for each in ordered] == [
        ("d", 1),
        ("a", 2),
        ("b", 2),
        ("c", 2),
    ]


def test_all_alike_share_the_first_rank():
    assert {each.rank for each in order_ducklings(dict.fromkeys("abc", turn(7)))} == {1}


def test_a_lesion_with_several_photographs_counts_once():
    few = order_ducklings({"a": turn(0), "b": turn(4), "c": turn(50), "d": turn(1)})
    many = order_ducklings({"a": turn(0), "b": turn(4), "c": turn(*[50] * 30), "d": turn(1)})

    assert few == many


def test_a_second_odd_lesion_does_not_hide_the_first():
    nevi = {f"nevus {number}": turn(number) for number in range(6)}

    ordered = order_ducklings(nevi | {"odd": turn(70), "odder": turn(72)})

    assert [each.lesion for each in ordered[:2]] == ["odder", "odd"]


def test_brightness_of_a_photograph_does_not_make_it_odd():
    ordered = order_ducklings({"a": turn(0), "b": 9 * turn(1), "c": turn(2), "d": turn(40)})

    assert ordered[0].lesion == "d"

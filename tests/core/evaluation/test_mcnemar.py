import numpy as np
import pytest

from melanoma_core.evaluation.mcnemar import McNemar, compare_hits


def make_hits(both: int, only_one: int, only_other: int, none: int) -> tuple[np.ndarray, ...]:
    one = np.r_[np.ones(both + only_one), np.zeros(only_other + none)].astype(bool)
    other = np.r_[np.ones(both), np.zeros(only_one), np.ones(only_other), np.zeros(none)].astype(
        bool
    )
    return one, other, np.arange(len(one))


def test_the_exact_p_value_is_that_of_a_fair_coin():
    # 1 of 9 discordant lesions: 2 * (C(9,0) + C(9,1)) / 2^9.
    outcome = compare_hits(*make_hits(10, 1, 8, 3))

    assert outcome == McNemar(1, 8, 22, pytest.approx(20 / 512))


def test_networks_that_never_differ_have_a_p_value_of_1():
    assert compare_hits(*make_hits(5, 0, 0, 5)) == McNemar(0, 0, 10, 1.0)


def test_without_lesions_the_p_value_is_1():
    assert compare_hits(*make_hits(0, 0, 0, 0)) == McNemar(0, 0, 0, 1.0)


def test_only_the_first_image_of_a_lesion_counts():
    one = np.array([True, True, True, False])
    other = np.array([False, False, False, True])
    lesions = np.array([7, 7, 7, 9])

    assert compare_hits(one, other, lesions) == McNemar(1, 1, 2, 1.0)

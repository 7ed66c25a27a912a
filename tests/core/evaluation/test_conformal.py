import math

import numpy as np
import pytest

from melanoma_core.evaluation.conformal import fit_bounds, mark_members, measure_sets
from melanoma_core.evaluation.prediction_set import (
    Abstention,
    ConformalBound,
    ConformalBounds,
    make_prediction_set,
)
from melanoma_core.evaluation.resampling import draw_lesions

NAMES = ("MEL", "NV", "DF")


def draw(generator: np.random.Generator, num_images: int, shares: list[float]):
    labels = generator.choice(len(shares), num_images, p=shares)
    return generator.dirichlet([1] * len(shares), num_images) * 0.6 + 0.4 * np.eye(len(shares))[
        labels
    ], labels


def test_nine_lesions_are_the_fewest_that_have_a_bound():
    probabilities = np.tile([0.2, 0.8], (19, 1))
    probabilities[:9, 0] = np.arange(1, 10) / 10
    labels = np.array([0] * 9 + [1] * 10)
    bounds = fit_bounds(probabilities, labels, np.arange(19), ("MEL", "NV"), "validation").bounds
    assert bounds["MEL"] == ConformalBound(0.1, 9)  # the ninth of nine: 0.9 · 10
    one_less = fit_bounds(
        probabilities[1:], labels[1:], np.arange(18), ("MEL", "NV"), "validation"
    ).bounds
    assert one_less["MEL"] == ConformalBound(None, 8)
    assert one_less["NV"] == ConformalBound(0.8, 10)


def test_photographs_of_one_lesion_are_one_case():
    probabilities, labels = np.tile([0.2, 0.8], (20, 1)), np.zeros(20, dtype=int)
    bounds = fit_bounds(probabilities, labels, np.repeat(np.arange(5), 4), ("MEL", "NV"), "x")
    assert bounds.bounds["MEL"] == ConformalBound(None, 5)
    assert bounds.bounds["NV"] == ConformalBound(None, 0)


def test_nine_of_ten_lesions_of_each_class_are_in_their_set_rare_ones_too():
    generator = np.random.default_rng(0)
    covered, size = np.zeros(3), []
    for _ in range(300):
        shares = [0.2, 0.6, 0.2]
        bounds = fit_bounds(*draw(generator, 150, shares), np.arange(150), NAMES, "validation")
        probabilities, labels = draw(generator, 300, shares)
        members = mark_members(bounds, NAMES, probabilities)
        right = members[np.arange(300), labels]
        covered += [right[labels == index].mean() for index in range(3)]
        size.append(members.sum(axis=1).mean())
    # At least 90%, and hardly more: by at most one over the number of lesions.
    assert covered / 300 == pytest.approx([0.915, 0.905, 0.915], abs=0.015)
    assert 1 < np.mean(size) < 2


def test_coverage_and_size_are_measured_by_class():
    probabilities = np.array(
        [[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.9, 0.1, 0]]
    )
    labels = np.array([0, 0, 1, 1, 2])
    bounds = ConformalBounds(
        0.9,
        "validation",
        {
            "MEL": ConformalBound(0.5, 40),
            "NV": ConformalBound(0.4, 90),
            "DF": ConformalBound(None, 3),
        },
    )
    draws = draw_lesions(np.arange(5), 100, seed=0)
    figures = measure_sets(draws, bounds, probabilities, labels, NAMES)
    assert (figures["coverage"].count, figures["coverage"].total) == (3, 4)
    assert figures["coverage_MEL"].value == 1
    assert figures["coverage_NV"].value == 1 / 2
    assert math.isnan(figures["coverage_DF"].value)
    assert figures["set_size"].value == 1
    assert figures["set_size_MEL"].value == 1.5
    assert math.isnan(figures["set_size_DF"].value)


def test_a_set_names_the_most_probable_first_and_says_what_it_does_not_know():
    bounds = ConformalBounds(
        0.9,
        "validation",
        {
            "MEL": ConformalBound(0.1, 40),
            "NV": ConformalBound(0.5, 90),
            "DF": ConformalBound(None, 3),
            "BCC": ConformalBound(0.3, 20),
        },
    )
    names = ("MEL", "NV", "DF", "BCC")
    found = make_prediction_set(bounds, names, (0.1, 0.4, 0.2, 0.3), 0)
    assert (found.members, found.unknown, found.ruled_out) == (("BCC", "MEL"), ("DF",), ("NV",))
    assert found.abstention is Abstention.TOO_MANY
    assert make_prediction_set(bounds, names, (0.05, 0.5, 0.4, 0.05), 0).abstention is None
    empty = make_prediction_set(bounds, names, (0.05, 0.2, 0.7, 0.05), 0)
    assert empty.members == ()
    assert empty.abstention is Abstention.EMPTY
    # Were dermatofibroma the melanoma, no set would say anything.
    unknown = make_prediction_set(bounds, names, (0.05, 0.5, 0.4, 0.05), 2)
    assert unknown.abstention is Abstention.MELANOMA_UNKNOWN

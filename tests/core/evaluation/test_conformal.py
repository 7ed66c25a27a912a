import math
from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.evaluation.conformal import fit_bounds, measure_sets
from melanoma_core.evaluation.prediction_set import Abstention, make_prediction_set
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds, DecisionRules

NAMES = ("MEL", "NV", "DF")


def draw(generator: np.random.Generator, num_images: int, shares: list[float]):
    labels = generator.choice(len(shares), num_images, p=shares)
    noise = generator.dirichlet([1] * len(shares), num_images)
    probabilities = 0.6 * noise + 0.4 * np.eye(len(shares))[labels]
    return LabelledPredictions(probabilities, labels, np.arange(num_images))


def test_nine_lesions_are_the_fewest_that_have_a_bound():
    probabilities = np.tile([0.2, 0.8], (19, 1))
    probabilities[:9, 0] = np.arange(1, 10) / 10
    labels = np.array([0] * 9 + [1] * 10)
    predictions = LabelledPredictions(probabilities, labels, np.arange(19))
    bounds = fit_bounds(predictions, ("MEL", "NV"), "validation").bounds
    assert bounds["MEL"] == ConformalBound(0.1, 9)  # the ninth of nine: 0.9 · 10
    fewer = predictions.select(np.arange(19) > 0)
    one_less = fit_bounds(fewer, ("MEL", "NV"), "validation").bounds
    assert one_less["MEL"] == ConformalBound(None, 8)
    assert one_less["NV"] == ConformalBound(0.8, 10)


def test_photographs_of_one_lesion_are_one_case():
    probabilities, labels = np.tile([0.2, 0.8], (20, 1)), np.zeros(20, dtype=int)
    predictions = LabelledPredictions(probabilities, labels, np.repeat(np.arange(5), 4))
    bounds = fit_bounds(predictions, ("MEL", "NV"), "validation")
    assert bounds.bounds["MEL"] == ConformalBound(None, 5)
    assert bounds.bounds["NV"] == ConformalBound(None, 0)


def test_nine_of_ten_lesions_of_each_class_reach_their_bound_and_more_are_in_their_set():
    generator, shares = np.random.default_rng(0), [0.2, 0.6, 0.2]
    reached, covered, size = np.zeros(3), np.zeros(3), 0.0
    resamples = resample_lesions(np.arange(300), num_resamples=1)
    for _ in range(200):
        bounds = fit_bounds(draw(generator, 150, shares), NAMES, "validation")
        rules = DecisionRules(NAMES, 0, conformal=bounds)
        tested = draw(generator, 300, shares)
        figures = measure_sets(resamples, tested, rules)
        covered += [figures[f"coverage_{name}"].value for name in NAMES]
        size += figures["set_size"].value
        own = tested.probabilities[np.arange(300), tested.labels]
        lowest = [bounds.bounds[name].lowest_probability for name in NAMES]
        reached += [np.mean(own[tested.labels == index] >= lowest[index]) for index in range(3)]
    # At least 90%, and at most one over the number of lesions more.
    assert reached / 200 == pytest.approx([0.915, 0.905, 0.915], abs=0.015)
    # The leading diagnosis is in each set, so that some lesions more are covered.
    assert covered / 200 == pytest.approx([0.947, 0.946, 0.956], abs=0.002)
    assert 1 < size / 200 < 2


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
    predictions = LabelledPredictions(probabilities, labels, np.arange(5))
    rules = DecisionRules(NAMES, 0, conformal=bounds)
    figures = measure_sets(resample_lesions(np.arange(5), 100), predictions, rules)
    assert (figures["coverage"].count, figures["coverage"].total) == (3, 4)
    assert figures["coverage_MEL"].value == 1
    assert figures["coverage_NV"].value == 1 / 2
    assert math.isnan(figures["coverage_DF"].value)
    # Of 0.2, 0.2 and 0.6, dermatofibroma leads: it is in that set, although it has no bound.
    assert figures["set_size"].value == 1.25
    assert figures["set_size_MEL"].value == 1.5
    assert math.isnan(figures["set_size_DF"].value)


def test_a_set_lists_the_most_probable_class_first_and_the_classes_without_a_bound():
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
    rules = DecisionRules(("MEL", "NV", "DF", "BCC"), 0, conformal=bounds)
    found = make_prediction_set(rules, (0.25, 0.1, 0.2, 0.45))
    assert (found.members, found.unknown, found.ruled_out) == (("BCC", "MEL"), ("DF",), ("NV",))
    assert found.abstention is Abstention.TOO_MANY
    assert make_prediction_set(rules, (0.05, 0.5, 0.4, 0.05)).abstention is None
    # Without a bound, the leading diagnosis is in the set all the same.
    leading = make_prediction_set(rules, (0.05, 0.2, 0.7, 0.05))
    assert (leading.members, leading.unknown) == (("DF",), ())
    assert leading.abstention is None
    # If dermatofibroma were the melanoma, no set would be informative.
    unknown = make_prediction_set(replace(rules, melanoma_index=2), (0.05, 0.5, 0.4, 0.05))
    assert unknown.abstention is Abstention.MELANOMA_UNKNOWN


def test_the_leading_diagnosis_is_in_the_set_below_its_bound_and_counts_as_covered():
    bounds = {"MEL": ConformalBound(0.05, 40), "NV": ConformalBound(0.6, 90)}
    rules = DecisionRules(("MEL", "NV"), 0, conformal=ConformalBounds(0.9, "validation", bounds))
    assert make_prediction_set(rules, (0.443, 0.557)).members == ("NV", "MEL")
    predictions = LabelledPredictions(np.array([[0.443, 0.557]]), np.array([1]), np.arange(1))
    figures = measure_sets(resample_lesions(np.arange(1), 10), predictions, rules)
    assert (figures["coverage_NV"].value, figures["set_size"].value) == (1, 2)


def test_a_model_without_bounds_makes_no_sets():
    rules = DecisionRules(("MEL", "NV"), 0)
    predictions = LabelledPredictions(np.array([[0.2, 0.8]]), np.array([1]), np.arange(1))
    assert make_prediction_set(rules, (0.2, 0.8)) is None
    assert measure_sets(resample_lesions(np.arange(1), 10), predictions, rules) == {}

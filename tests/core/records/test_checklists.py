from dataclasses import fields
from itertools import product

import pytest

from melanoma_core.records.checklists import AbcdBand, score_abcd, score_seven_points
from melanoma_core.records.loop import AbcdRule, SevenPointChecklist

CRITERIA = [field.name for field in fields(SevenPointChecklist)]
MAJOR = {"atypical_network", "blue_white_veil", "atypical_vessels"}


def check(*present: str) -> SevenPointChecklist:
    return SevenPointChecklist(**{name: name in present for name in CRITERIA})


def test_a_checklist_without_a_criterion_scores_nothing():
    score = score_seven_points(check())
    assert (score.points, score.is_suspicious) == (0, False)


@pytest.mark.parametrize("name", CRITERIA)
def test_a_major_criterion_counts_two_points_and_a_minor_one_one(name: str):
    score = score_seven_points(check(name))
    assert score.points == (2 if name in MAJOR else 1)
    assert not score.is_suspicious


def test_one_major_and_one_minor_criterion_are_suspicious():
    score = score_seven_points(check("blue_white_veil", "regression"))
    assert (score.points, score.is_suspicious) == (3, True)


def test_three_minor_criteria_are_suspicious_and_two_are_not():
    assert (
        score_seven_points(check("irregular_streaks", "irregular_dots", "regression")).points == 3
    )
    assert not score_seven_points(check("irregular_streaks", "irregular_dots")).is_suspicious


def test_all_seven_criteria_score_ten_points():
    assert score_seven_points(check(*CRITERIA)).points == 10


def count(a: int, b: int, c: int, d: int) -> AbcdRule:
    return AbcdRule(asymmetry=a, border=b, colours=c, structures=d)


@pytest.mark.parametrize(
    ("rule", "total", "band"),
    [
        (count(0, 0, 1, 1), 1.0, AbcdBand.BENIGN),  # the least of Stolz 1994
        (count(2, 8, 6, 5), 8.9, AbcdBand.MELANOMA),  # the most
        (count(1, 4, 3, 3), 4.7, AbcdBand.BENIGN),
        (count(1, 0, 4, 3), 4.8, AbcdBand.SUSPICIOUS),
        (count(1, 6, 4, 3), 5.4, AbcdBand.SUSPICIOUS),
        (count(1, 7, 4, 3), 5.5, AbcdBand.MELANOMA),
        (count(2, 4, 3, 3), 6.0, AbcdBand.MELANOMA),
    ],
)
def test_the_total_dermoscopy_score_weighs_its_four_counts(
    rule: AbcdRule, total: float, band: AbcdBand
):
    score = score_abcd(rule)
    assert (score.total, score.band) == (total, band)


def test_the_810_quartets_have_the_scores_from_1_to_8_9():
    # Tas (2019), doi:10.5812/jssc.102138, counts 810 quartets.
    quartets = list(product(range(3), range(9), range(1, 7), range(1, 6)))
    totals = [score_abcd(count(*each)).total for each in quartets]
    assert (len(totals), min(totals), max(totals)) == (810, 1.0, 8.9)

"""What is measured of registration: choices on one half of the lesions, figures on the other."""

import math

import numpy as np
import pandas as pd
import pytest

from melanoma_core.errors import DatasetError
from melanoma_core.records.registration import Registration, register_photographs
from melanoma_core.records.registration_study import (
    choose_pairs,
    misplace,
    study_registration,
    take_again,
)
from melanoma_core.records.repeatability import Drawn
from melanoma_core.records.repeatability_study import make_limits, measure_distances, summarise
from tests.core.records.drawn_skin import draw_skin, write_lesions


def list_images(number: int, per_lesion: int = 2) -> pd.DataFrame:
    rows = [
        (f"{lesion}-{each}.jpg", f"L{lesion}", "a" if lesion % 2 else "b", lesion // 2)
        for lesion in range(number)
        for each in range(per_lesion)
    ]
    return pd.DataFrame(rows, columns=["path", "lesion_id", "source", "group"])


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Six lesions with two photographs each; three in either half."""
    folder = tmp_path_factory.mktemp("drawn") / "ham"
    table = write_lesions(folder, 6)
    files = [folder / "images" / f"{name}.png" for name in table["image_id"]]
    return pd.DataFrame(
        {
            "lesion_id": table["lesion_id"][::2].to_numpy(),
            "source": "ham",
            "group": np.arange(6),
            "earlier": files[::2],
            "later": files[1::2],
            "is_reported": [False, True] * 3,
        }
    )


@pytest.mark.parametrize(("number", "per_lesion"), [(0, 2), (19, 2), (40, 1)])
def test_fewer_than_twenty_lesions_with_two_photographs_are_too_few(number, per_lesion):
    with pytest.raises(DatasetError, match="lesions with several photographs"):
        choose_pairs(list_images(number, per_lesion))


def test_lesions_of_one_group_lie_in_one_half_and_halves_are_equal():
    pairs = choose_pairs(list_images(80, 3))
    assert len(pairs) == 80
    assert (pairs["earlier"] != pairs["later"]).all()
    assert pairs.groupby("group")["is_reported"].nunique().max() == 1
    assert pairs["is_reported"].mean() == 0.5


def test_a_limit_counts_the_lesions_of_each_source():
    pairs = choose_pairs(list_images(80), limit=15)
    assert pairs["source"].value_counts().to_dict() == {"a": 15, "b": 15}


def test_the_choice_of_photographs_is_repeatable():
    assert choose_pairs(list_images(40, 4)).equals(choose_pairs(list_images(40, 4)))


def test_a_photograph_taken_again_is_misplaced_by_less_than_a_pixel():
    pixels = np.asarray(draw_skin(3))
    rng = np.random.default_rng(7)
    for _ in range(3):
        matrix, later = take_again(pixels, rng)
        found = register_photographs(pixels, later)
        assert isinstance(found, Registration)
        assert misplace(found, matrix) * 300 < 1


def test_a_registration_that_is_off_by_three_pixels_is_misplaced_by_one_percent():
    pixels = np.asarray(draw_skin(3))
    found = register_photographs(pixels, pixels)
    assert isinstance(found, Registration)
    shifted = np.array([[1, 0, 3], [0, 1, 0], [0, 0, 1.0]])
    assert misplace(found, shifted) == pytest.approx(0.01, abs=1e-6)
    far = np.array([[1, 0, 9e9], [0, 1, 0], [0, 0, 1.0]])
    assert math.isnan(misplace(found, far))


@pytest.mark.slow
def test_drawn_lesions_are_registered_and_different_ones_refused(pairs):
    seen = []
    study = study_registration(pairs, lambda done, total: seen.append((done, total)))
    assert seen == [(each, 6) for each in range(1, 7)]
    assert study.min_inliers <= 6
    assert study.num_compared >= 6
    figures = study.sources["ham"]
    assert (figures.same.count, figures.same.total) == (3, 3)
    assert (figures.others.count, figures.alike.count, figures.alike.total) == (0, 0, 3)
    assert (figures.warped.count, figures.accurate.count) == (3, 3)
    assert figures.error_quantiles[1] < 0.005
    assert figures.matching.value == 1
    assert figures.dice.value > 0.95


@pytest.mark.slow
def test_outlines_of_one_lesion_differ_little_and_limits_come_from_the_first_half(pairs):
    distances = measure_distances(pairs)
    assert set(distances["kind"]) == {Drawn.PERSON}
    area = distances[distances["name"] == "area"]
    assert len(area) == 6
    assert area["distance"].abs().max() < 0.1
    agreement = summarise(distances)[Drawn.PERSON]["area"]
    chosen = area[~area["is_reported"]]["distance"].abs()
    assert agreement.limit == chosen.max()
    assert (agreement.num_chosen, agreement.within.total) == (3, 3)


def test_limits_of_a_model_are_sorted_by_who_drew():
    rows = [
        (group, group % 2 == 1, kind, name, 0.1 * group)
        for group in range(4)
        for kind, name in ((Drawn.NETWORK, "area"), (Drawn.MIXED, "area"), ("probabilities", "MEL"))
    ]
    columns = ["group", "is_reported", "kind", "name", "distance"]
    limits = make_limits("m1", pd.DataFrame(rows, columns=columns))
    assert limits.network == {"area": pytest.approx(0.2)}
    assert limits.mixed == {"area": pytest.approx(0.2)}
    assert limits.probabilities == {"MEL": pytest.approx(0.2)}
    assert (limits.model_id, limits.num_lesions) == ("m1", 4)

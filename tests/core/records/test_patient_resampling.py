import numpy as np
import pytest

from melanoma_core.evaluation.resampling import measure_share, resample_lesions
from melanoma_core.records.patient_resampling import (
    explain_few,
    measure_shares_by_patient,
    number_patients,
    resample_patients,
    sum_by_patient,
)


def measure(patient: np.ndarray, event: np.ndarray, **options: int):
    among = np.ones(len(event), dtype=bool)
    chosen = (options.get("num_resamples", 1000), options.get("seed", 0))
    return measure_shares_by_patient(patient, {"share": (event, among)}, {}, chosen)["share"]


def test_no_lesion_gives_an_undefined_share() -> None:
    share = measure(np.array([], dtype=int), np.array([], dtype=bool))
    assert np.isnan(share.value)
    assert share.total == 0


def test_one_patient_says_nothing_however_many_lesions() -> None:
    share = measure(np.zeros(50, dtype=int), np.arange(50) < 25)
    assert (share.value, share.total, share.num_lesions) == (0.5, 50, 1)
    assert share.low < 0.001
    assert share.high > 0.999


def test_a_patient_with_50_lesions_does_not_shrink_the_interval() -> None:
    generator = np.random.default_rng(3)
    alone, event = np.arange(40), generator.random(40) < 0.7
    single = measure(alone, event)
    # Every patient has 50 lesions, all alike.
    repeated = measure(np.repeat(alone, 50), np.repeat(event, 50))
    assert repeated.total == 2000
    assert (repeated.low, repeated.high) == pytest.approx((single.low, single.high), abs=0.03)


def test_a_share_of_all_has_the_exact_interval_of_its_patients() -> None:
    share = measure(np.repeat(np.arange(30), 2), np.ones(60, dtype=bool))
    assert (share.value, share.high) == (1.0, 1.0)
    assert share.low == pytest.approx(0.025 ** (1 / 30))


def test_intervals_are_those_of_drawing_patients_one_by_one() -> None:
    generator = np.random.default_rng(1)
    patient = generator.integers(0, 300, 500)
    event = generator.random(500) < 0.8
    expected = measure_share(resample_lesions(patient, 4000), event, np.ones(500, dtype=bool))
    found = measure(patient, event, num_resamples=4000)
    assert (found.value, found.count, found.num_lesions) == (
        expected.value,
        expected.count,
        expected.num_lesions,
    )
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.004)


@pytest.mark.parametrize("num_patients", [3, 4000])  # drawn one by one, and by kind
def test_every_resample_has_as_many_patients_as_there_are(num_patients: int) -> None:
    rows = np.stack([np.ones(num_patients, dtype=bool), np.arange(num_patients) % 2 == 0])
    sums = sum_by_patient(np.arange(num_patients), rows, 50)
    assert (sums.values[0] == num_patients).all()
    assert sums.values[1, 1:].std() > 0
    assert sums.patients.tolist() == [num_patients, (num_patients + 1) // 2]


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    patient, event = np.arange(200), np.arange(200) % 3 == 0
    assert measure(patient, event) == measure(patient, event)
    assert measure(patient, event).low != measure(patient, event, seed=1).low


def test_a_difference_is_paired() -> None:
    generator = np.random.default_rng(5)
    one = generator.random(400) < 0.7
    other = one.copy()
    other[:4] = ~other[:4]
    among = np.ones(400, dtype=bool)
    figures = measure_shares_by_patient(
        np.arange(400),
        {"one": (one, among), "other": (other, among)},
        {"difference": ("one", "other")},
    )
    difference = figures["difference"]
    assert difference.high - difference.low < 0.03
    assert figures["one"].high - figures["one"].low > 0.07


def test_equal_judges_differ_by_nothing_and_the_interval_is_not_known() -> None:
    among = np.ones(50, dtype=bool)
    shares = {"one": (among, among), "other": (among, among)}
    figures = measure_shares_by_patient(np.arange(50), shares, {"d": ("one", "other")})
    assert figures["d"].value == 0
    assert np.isnan(figures["d"].low)


def test_resamples_for_evaluation_sum_as_its_own_do() -> None:
    patient = np.array([0, 0, 1, 2, 2, 2])
    resamples = resample_patients(patient, 200)
    sums = resamples.sum(np.stack([np.ones(6), np.arange(6)]))
    assert sums.shape == (2, 201)
    assert sums[:, 0].tolist() == [6.0, 15.0]
    weights = resamples.weights.astype(float)
    assert (weights[1:].sum(axis=1) == 3).all()
    assert sums[0].tolist() == (weights @ [2.0, 1.0, 3.0]).tolist()


def test_too_few_is_fewer_than_thirty_patients() -> None:
    assert explain_few(30, "a melanoma") == ""
    assert explain_few(1, "a melanoma") == (
        "Too few to say: 1 patient with a melanoma; 30 are needed"
    )


def test_patients_are_numbered_in_the_order_of_their_lesions() -> None:
    assert number_patients([]).tolist() == []
    assert number_patients(["b", "a", "b"]).tolist() == [0, 1, 0]

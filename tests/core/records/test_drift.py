import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.card import NoveltyLimit, load_card
from melanoma_core.records.drift import (
    ShareKind,
    Verdict,
    judge_psi,
    measure_drift,
    measure_share_drift,
)
from melanoma_core.records.drift_reference import (
    Reference,
    make_card_reference,
    make_own_reference,
)
from melanoma_core.records.photograph_table import (
    Measure,
    PhotographFacts,
    list_photographs,
    make_photograph_table,
)
from melanoma_core.settings import ASSETS
from tests.core.records.made_cases import DAY, CaseMaker, make_reading

BRIGHTNESS = Measure.BRIGHTNESS


def draw(
    num_patients: int, month: int, shift: float = 0.0, *, each: int = 2, seed: int = 0
) -> list[PhotographFacts]:
    """Photographs whose brightness is normal; those of a patient are alike."""
    generator = np.random.default_rng((seed, month))
    return [
        PhotographFacts(
            patient_id=f"p{month}-{patient}",
            on=date(2026, month, 1),
            model_id="m",
            device="",
            values={BRIGHTNESS: shift + 0.6 * own + 0.8 * generator.normal()},
            has_quality_warning=False,
        )
        for patient, own in enumerate(generator.normal(size=num_patients))
        for _ in range(each)
    ]


def make_reference(values: list[float], name: str = "r") -> Reference:
    count = len(values)
    return Reference(
        name, "", {BRIGHTNESS: np.array(values)}, np.arange(count), np.zeros(count, dtype=int)
    )


def measure(photographs: list[PhotographFacts], reference: Reference):
    return measure_drift(make_photograph_table(photographs), reference)


STANDARD = make_reference(np.random.default_rng(0).normal(size=2000).tolist())


def test_no_photograph_shifts_nothing() -> None:
    table = make_photograph_table([])
    assert measure_drift(table, STANDARD) == ()
    assert make_own_reference(table) is None


def test_equal_photographs_have_little_change() -> None:
    (shift,) = measure(draw(200, 3), STANDARD)
    assert (shift.month, shift.verdict) == ("2026-03", Verdict.LITTLE)
    assert shift.psi.low == 0
    assert (shift.psi.total, shift.psi.num_lesions) == (400, 200)


def test_a_large_shift_raises_an_alert_in_its_month_alone() -> None:
    shifts = measure(draw(200, 3) + draw(200, 4, shift=1.0), STANDARD)
    assert [(each.month, each.verdict) for each in shifts] == [
        ("2026-03", Verdict.LITTLE),
        ("2026-04", Verdict.ALERT),
    ]
    assert shifts[1].median == pytest.approx(1.0, abs=0.2)
    assert shifts[1].reference_median == pytest.approx(0.0, abs=0.1)


def test_few_patients_say_nothing_however_many_photographs() -> None:
    (shift,) = measure(draw(10, 3, shift=2.0, each=100), STANDARD)
    assert (shift.psi.total, shift.verdict) == (1000, Verdict.TOO_FEW)
    assert math.isnan(shift.psi.low)


def test_an_interval_from_little_to_large_says_nothing() -> None:
    for psi, expected in {
        (0.05, 0.0, 0.2): Verdict.LITTLE,
        (0.15, 0.05, 0.2): Verdict.SOME,
        (0.15, 0.05, 0.3): Verdict.TOO_FEW,
        (0.3, 0.2, 0.4): Verdict.ALERT,
        (0.2, 0.12, 0.4): Verdict.SOME,
        (math.nan, math.nan, math.nan): Verdict.TOO_FEW,
    }.items():
        assert judge_psi(Figure(*psi, None, 100, 100)) is expected


def test_a_value_of_its_own_has_its_own_bin() -> None:
    """All photographs of the reference have one size; smaller and larger ones differ."""
    reference = make_reference([600.0] * 500)
    assert len(reference.resample(BRIGHTNESS, 10, 0).shares) == 3
    for size, expected in ((600.0, Verdict.LITTLE), (300.0, Verdict.ALERT), (900.0, Verdict.ALERT)):
        photographs = [replace(each, values={BRIGHTNESS: size}) for each in draw(100, 3)]
        (shift,) = measure(photographs, reference)
        assert shift.verdict is expected, size


def test_bins_of_the_reference_have_equal_mass() -> None:
    shares = make_reference([float(n) for n in range(1000)]).resample(BRIGHTNESS, 10, 0)
    assert shares.shares[:, 0] == pytest.approx(0.1, abs=0.001)
    assert (len(shares.edges), shares.median) == (9, 499.0)


def test_unknown_values_are_left_out() -> None:
    photographs = draw(60, 3)
    unknown = [replace(each, values={}) for each in draw(60, 4)]
    shifts = measure(photographs + unknown, STANDARD)
    assert [each.month for each in shifts] == ["2026-03"]


def test_the_first_months_with_a_hundred_patients_are_the_reference() -> None:
    table = make_photograph_table(draw(60, 1) + draw(60, 2) + draw(60, 3) + draw(90, 4, 1.5))
    reference = make_own_reference(table)
    assert reference is not None
    assert reference.name == "the first photographs of this record (2026-01 to 2026-02)"
    assert list(reference.values) == [BRIGHTNESS]
    shifts = measure_drift(table, reference)
    assert [each.month for each in shifts] == ["2026-03", "2026-04"]
    assert shifts[1].verdict is Verdict.ALERT
    assert make_own_reference(make_photograph_table(draw(60, 1))) is None


def test_scores_are_compared_for_one_model_alone() -> None:
    photographs = [
        replace(each, values={Measure.MELANOMA: 0.1, **each.values}) for each in draw(120, 1)
    ]
    table = make_photograph_table(photographs)
    alone, scored = make_own_reference(table), make_own_reference(table, "m")
    assert alone is not None
    assert scored is not None
    assert list(alone.values) == [BRIGHTNESS]
    assert list(scored.values) == [Measure.MELANOMA, BRIGHTNESS]
    assert make_own_reference(table, "another") is None


def make_predictions(labels: list[str], melanoma: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"label": labels, "p_MEL": melanoma, "p_NV": [1 - each for each in melanoma]}
    )


def test_the_cards_reference_can_be_weighted_to_a_prevalence() -> None:
    labels, melanoma = ["MEL"] * 50 + ["NV"] * 50, [0.9] * 50 + [0.1] * 50
    predictions = make_predictions(labels, melanoma)
    plain = make_card_reference("m", predictions)
    rare = make_card_reference("m", predictions, Prevalence(0.02, 0.02))
    assert plain is not None
    assert rare is not None
    # The second bin holds 0.1 alone.
    assert plain.resample(Measure.MELANOMA, 5, 0).shares[1, 0] == pytest.approx(0.5, abs=0.02)
    assert rare.resample(Measure.MELANOMA, 5, 0).shares[1, 0] == pytest.approx(0.95, abs=0.02)
    assert rare.name.endswith("at the prevalence of the clinic")


def test_a_kind_of_lesion_that_the_card_lacks_leaves_no_reference() -> None:
    predictions = make_predictions(["MEL", "NV"], [0.9, 0.1])
    assert make_card_reference("m", predictions, Prevalence(0.02, 0.08)) is None


def test_the_share_out_of_distribution_is_compared_with_the_cards() -> None:
    card = load_card(ASSETS / "model")
    usual = Figure(0.01, 0.005, 0.02, 10, 1000, 900)
    limit = NoveltyLimit(10.0, "validation", 0.005, {"test": usual}, "")
    card = replace(card, model_id="m", novelty=limit)
    far = [
        replace(each, values={Measure.NOVELTY: 20.0 if number % 5 == 0 else 5.0})
        for number, each in enumerate(draw(100, 3, each=1))
    ]
    near = [replace(each, values={Measure.NOVELTY: 5.0}) for each in draw(100, 4, each=1)]
    few = [replace(each, values={Measure.NOVELTY: 20.0}) for each in draw(10, 5, each=1)]
    shifts = measure_share_drift(make_photograph_table(far + near + few), card)
    found = [each for each in shifts if each.kind is ShareKind.OUT_OF_DISTRIBUTION]
    assert [(each.month, each.share.value, each.verdict) for each in found] == [
        ("2026-03", 0.2, Verdict.ALERT),
        ("2026-04", 0.0, Verdict.LITTLE),
        ("2026-05", 1.0, Verdict.TOO_FEW),
    ]
    assert {each.usual for each in found} == {0.02}


def test_quality_warnings_are_compared_with_those_of_the_training_photographs() -> None:
    card = replace(load_card(ASSETS / "model"), model_id="m")
    warned = [
        replace(each, has_quality_warning=number % 4 == 0)
        for number, each in enumerate(draw(100, 3, each=1))
    ]
    (shift,) = measure_share_drift(make_photograph_table(warned), card)
    assert (shift.kind, shift.share.value, shift.usual, shift.verdict) == (
        ShareKind.QUALITY_WARNING,
        0.25,
        0.01,
        Verdict.ALERT,
    )


def test_photographs_come_from_the_ai_readings_of_a_lesion() -> None:
    case = CaseMaker()
    case.visit("v").read_by_ai("v", melanoma=0.3)
    read = make_reading("v", "photograph of v", melanoma=0.6)
    dark = replace(read.photographs[0], brightness=0.2, sharpness=1e-3, contrast=0.1, novelty=7.0)
    case.add("ai_readings", "again", replace(read, photographs=(dark,)))
    (facts,) = list_photographs([case.make()])  # the last one of this model counts
    assert (facts.on, facts.model_id, facts.has_quality_warning) == (DAY, "model", True)
    assert facts.values[Measure.MELANOMA] == 0.6
    assert facts.values[Measure.SKIN_CANCER] == 0.6
    assert facts.values[BRIGHTNESS] == 0.2
    assert (facts.values[Measure.LONGER_SIDE], facts.values[Measure.SHORTER_SIDE]) == (600, 450)


def test_a_refused_photograph_has_its_distance_and_no_score() -> None:
    case = CaseMaker()
    case.visit("v")
    read = make_reading("v", "photograph of v")
    refused = replace(read.photographs[0], probabilities=(), refusal="unlike", novelty=50.0)
    case.add("ai_readings", "r", replace(read, probabilities=(), photographs=(refused,)))
    (facts,) = list_photographs([case.make()])
    assert facts.values[Measure.NOVELTY] == 50.0
    assert Measure.MELANOMA not in facts.values


@pytest.mark.slow
def test_intervals_hold_the_true_index_and_equal_months_raise_no_alert() -> None:
    generator = np.random.default_rng(4)
    for shift, true, patients in ((0.0, 0.0, 60), (0.5, 0.238, 150), (0.8, 0.6, 150)):
        hits, alerts = [], []
        for seed in range(100):
            reference = make_reference(generator.normal(size=400).tolist())
            (found,) = measure(draw(patients, 3, shift, each=3, seed=seed), reference)
            hits.append(found.psi.low <= true <= found.psi.high)
            alerts.append(found.verdict is Verdict.ALERT)
        assert np.mean(hits) >= 0.92, shift
        assert (np.mean(alerts) == 0) if shift == 0 else True
        assert (np.mean(alerts) > 0.95) if shift == 0.8 else True

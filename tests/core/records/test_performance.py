import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import Condition, Judge, Scope, make_table
from melanoma_core.records.performance import (
    Difference,
    Group,
    Grouping,
    Performance,
    Rates,
    measure_groups,
    measure_performance,
)
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.taxonomy import Confirmation
from tests.drawn_audit import ACT, WAIT, Clinic, draw_cases, make_case

MELANOMA, SKIN_CANCER = Condition.MELANOMA, Condition.SKIN_CANCER


def measure(cases: list[AuditCase], scope: Scope = Scope.HISTOLOGY) -> Performance:
    return measure_performance(make_table(cases, scope), num_resamples=200)


def get_rates(
    result: Performance | Group, judge: Judge, condition: Condition = MELANOMA
) -> Rates | None:
    found = [each for each in result.rates if (each.judge, each.condition) == (judge, condition)]
    return found[0] if found else None


def get_difference(result: Performance, one: Judge, other: Judge) -> Difference:
    (found,) = [
        each
        for each in result.differences
        if (each.one, each.other, each.condition) == (one, other, MELANOMA)
    ]
    return found


def test_no_case_gives_no_rate() -> None:
    result = measure([])
    assert (result.num_lesions, result.num_patients, result.rates, result.differences) == (
        0,
        0,
        (),
        (),
    )
    assert math.isnan(result.excisions.per_melanoma.value)
    assert result.excisions.too_few == (
        "Too few to say: 0 patients with a lesion with histology; 30 are needed"
    )


def test_without_a_melanoma_sensitivity_is_undefined_and_specificity_is_not() -> None:
    rates = get_rates(measure([make_case("NV", n) for n in range(40)]), Judge.FIRST_READ)
    assert rates is not None
    assert math.isnan(rates.sensitivity.value)
    assert rates.few_positives
    assert (rates.specificity.value, rates.few_negatives) == (1.0, "")


def test_with_nothing_but_melanomas_specificity_is_undefined() -> None:
    result = measure([make_case("MEL", n) for n in range(40)])
    rates = get_rates(result, Judge.NETWORK)
    assert rates is not None
    assert (rates.sensitivity.value, math.isnan(rates.specificity.value)) == (1.0, True)
    assert (result.excisions.per_melanoma.value, result.excisions.per_melanoma.low) == (1.0, 1.0)


def test_rates_by_hand() -> None:
    cases = [
        make_case("MEL", 0),
        make_case("MEL", 1, management=WAIT, opinion=Opinion.NV),
        make_case("MEL", 2, melanoma_alert=False, decision=WAIT),
        make_case("NV", 3),
        make_case("NV", 4, melanoma_alert=True, skin_cancer_alert=True),
        make_case("BCC", 5, opinion=Opinion.BCC),
        make_case("BCC", 6, skin_cancer_alert=False),
    ]
    result = measure(cases)
    expected = {
        (Judge.FIRST_READ, MELANOMA): (2 / 3, 2 / 4),
        (Judge.FIRST_READ, SKIN_CANCER): (4 / 5, 1.0),
        (Judge.FIRST_OPINION, MELANOMA): (2 / 3, 1.0),
        (Judge.FIRST_OPINION, SKIN_CANCER): (3 / 5, 1.0),
        (Judge.NETWORK, MELANOMA): (2 / 3, 3 / 4),
        (Judge.NETWORK, SKIN_CANCER): (4 / 5, 1 / 2),
        (Judge.TOGETHER, MELANOMA): (2 / 3, 2 / 4),
    }
    for (judge, condition), pair in expected.items():
        rates = get_rates(result, judge, condition)
        assert rates is not None
        assert (rates.sensitivity.value, rates.specificity.value) == pytest.approx(pair), judge
    assert (result.num_melanomas, result.num_skin_cancers) == (3, 5)
    difference = get_difference(result, Judge.NETWORK, Judge.FIRST_READ)
    assert (difference.sensitivity.value, difference.specificity.value) == (0.0, 0.25)
    assert (difference.found_by_one, difference.found_by_other) == (1, 1)
    assert (difference.spared_by_one, difference.spared_by_other) == (2, 1)


def test_a_read_made_together_with_the_network_is_no_first_read() -> None:
    together = {"order": ReadOrder.TOGETHER, "is_blind": False}
    result = measure([make_case("MEL", n, **together) for n in range(3)])
    assert get_rates(result, Judge.FIRST_READ) is None
    assert get_rates(result, Judge.FIRST_OPINION) is None
    assert get_rates(result, Judge.TOGETHER) is not None


def test_a_decision_without_the_ai_reading_is_not_one_with_it() -> None:
    result = measure([make_case("MEL", n, knew_ai=False) for n in range(3)])
    assert get_rates(result, Judge.TOGETHER) is None


def test_a_refusal_counts_against_the_network_where_readings_are_intended() -> None:
    refused = {"melanoma_alert": None, "skin_cancer_alert": None, "melanoma_probability": None}
    cases = [make_case("MEL", 0), make_case("MEL", 1, **refused), make_case("NV", 2, **refused)]
    result = measure(cases)
    read, intended = (get_rates(result, judge) for judge in (Judge.NETWORK, Judge.NETWORK_INTENDED))
    assert read is not None
    assert intended is not None
    assert (read.sensitivity.value, read.sensitivity.total) == (1.0, 1)
    assert (intended.sensitivity.value, intended.specificity.value) == (0.5, 0.0)


def test_a_model_without_a_skin_cancer_alert_has_no_rate_for_it() -> None:
    result = measure([make_case("MEL", n, skin_cancer_alert=None) for n in range(2)])
    assert get_rates(result, Judge.NETWORK, SKIN_CANCER) is None


def test_follow_up_counts_only_where_it_is_asked_for() -> None:
    follow_up = {"confirmation": Confirmation.FOLLOW_UP, "excised_on": None}
    cases = [make_case("MEL", 0), make_case("NV", 1), make_case("NV", 2, **follow_up)]
    alone, both = measure(cases), measure(cases, Scope.WITH_FOLLOW_UP)
    assert (alone.num_lesions, alone.by_follow_up) == (2, 0)
    assert (both.num_lesions, both.by_histology, both.by_follow_up) == (3, 2, 1)
    assert both.excisions.excised == 2  # what was not excised is no excision


def test_a_lesion_without_ground_truth_never_counts() -> None:
    unknown = replace(make_case("NV", 0), confirmation=None, is_melanoma=None, truth=None)
    assert measure([unknown], Scope.WITH_FOLLOW_UP).num_lesions == 0


def test_a_malignant_lesion_that_may_be_a_melanoma_counts_for_skin_cancer_alone() -> None:
    result = measure([make_case("malignant", 0, is_melanoma=None, management=ACT)])
    assert (result.num_melanomas, result.num_skin_cancers) == (0, 1)
    assert get_rates(result, Judge.FIRST_READ) is None
    rates = get_rates(result, Judge.FIRST_READ, SKIN_CANCER)
    assert rates is not None
    assert rates.sensitivity.total == 1


def test_excisions_per_melanoma_with_its_interval() -> None:
    cases = [make_case("MEL" if n < 10 else "NV", n) for n in range(80)]
    excisions = measure(cases).excisions
    assert (excisions.excised, excisions.melanomas) == (80, 10)
    assert excisions.per_melanoma.value == 8.0
    assert 4.5 < excisions.per_melanoma.low < 8 < excisions.per_melanoma.high < 25
    assert excisions.too_few == ""


def test_without_a_melanoma_excisions_have_a_lower_limit_alone() -> None:
    per_melanoma = measure([make_case("NV", n) for n in range(50)]).excisions.per_melanoma
    assert math.isnan(per_melanoma.value)
    assert per_melanoma.low == pytest.approx(1 / (1 - 0.025 ** (1 / 50)))
    assert math.isnan(per_melanoma.high)


def test_groups_are_in_order_and_the_unknown_is_last() -> None:
    cases = [
        make_case("NV", 0, skin_type="II", visited_on=date(2026, 5, 1)),
        make_case("MEL", 1, skin_type="", visited_on=date(2025, 12, 1)),
        make_case("NV", 2, skin_type="I", visited_on=date(2026, 5, 3)),
    ]
    table = make_table(cases)
    months = measure_groups(table, Grouping.MONTH, num_resamples=20)
    assert [(each.value, each.num_lesions, each.num_melanomas) for each in months] == [
        ("2025-12", 1, 1),
        ("2026-05", 2, 0),
    ]
    tones = measure_groups(table, Grouping.SKIN_TYPE, num_resamples=20)
    assert [each.value for each in tones] == ["I", "II", "not recorded"]
    rates = get_rates(months[1], Judge.FIRST_READ)
    assert rates is not None
    assert rates.specificity.total == 2


@pytest.mark.parametrize("grouping", Grouping)
def test_the_groups_of_each_kind_hold_every_lesion_once(grouping: Grouping) -> None:
    table = make_table(draw_cases(30))
    groups = measure_groups(table, grouping, num_resamples=5)
    assert sum(each.num_lesions for each in groups) == len(table.cases)
    assert sum(each.excisions.melanomas for each in groups) == table.count(MELANOMA)


def test_a_drawn_clinic_shows_the_rates_that_it_was_drawn_with() -> None:
    result = measure(draw_cases(1500, Clinic(doctor=(0.8, 0.7), network=(0.9, 0.6))))
    for judge, (sensitivity, specificity) in {
        Judge.FIRST_READ: (0.8, 0.7),
        Judge.NETWORK: (0.9, 0.6),
    }.items():
        rates = get_rates(result, judge)
        assert rates is not None
        assert rates.sensitivity.low < sensitivity < rates.sensitivity.high
        assert rates.specificity.low < specificity < rates.specificity.high
    difference = get_difference(result, Judge.NETWORK, Judge.FIRST_READ)
    assert difference.sensitivity.low < 0.1 < difference.sensitivity.high


@pytest.mark.slow
def test_intervals_hold_the_true_value_in_about_95_of_100_clinics() -> None:
    """30 to 40 patients have a melanoma; lesions of a patient are alike."""
    clinic = Clinic(lesions_per_patient=2, prevalence=0.15, spread=0.5)
    truth = measure(draw_cases(40_000, clinic, seed=999))
    hits = []
    for seed in range(300):
        result = measure_performance(
            make_table(draw_cases(130, clinic, seed)), num_resamples=400, seed=seed
        )
        for judge in (Judge.FIRST_READ, Judge.NETWORK):
            true, found = get_rates(truth, judge), get_rates(result, judge)
            assert true is not None
            assert found is not None
            pairs = (
                (true.sensitivity, found.sensitivity),
                (true.specificity, found.specificity),
            )
            hits.append([each.low <= one.value <= each.high for one, each in pairs])
    coverage = np.mean(hits, axis=0)
    assert (coverage > 0.91).all(), coverage
    assert (coverage < 0.98).all(), coverage


def test_management_that_acts_is_tissue_or_a_referral() -> None:
    for management in Management:
        rates = get_rates(measure([make_case("MEL", 0, management=management)]), Judge.FIRST_READ)
        assert rates is not None
        assert rates.sensitivity.value == float(management.acts)

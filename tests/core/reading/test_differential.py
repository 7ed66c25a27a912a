import itertools

import numpy as np
import pytest

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.differential import list_differential
from melanoma_core.reading.statement import describe_possible
from melanoma_core.taxonomy import Diagnosis, RiskTier
from tests.made_readings import make_reading


def name(reading, adapted=None) -> list[str]:
    return [str(each.diagnosis) for each in list_differential(reading, adapted)]


def test_without_a_prediction_set_it_is_the_leading_diagnosis_and_what_is_likely():
    assert name(make_reading({"MEL": 0.02, "NV": 0.8, "BCC": 0.08, "BKL": 0.1}, 0.05)) == [
        "NV",
        "BKL",
    ]


def test_the_leading_diagnosis_is_in_even_if_the_set_lacks_it():
    reading = make_reading({"MEL": 0.02, "NV": 0.93, "BCC": 0.05}, 0.05, members=("BCC",))
    assert name(reading) == ["NV", "BCC"]


def test_below_one_percent_there_are_malignant_members_alone_and_they_are_marked():
    shares = {"MEL": 0.004, "NV": 0.984, "AK": 0.004, "DF": 0.004, "SCC": 0.004}
    reading = make_reading(shares, 0.05, members=("NV", "MEL", "AK", "DF", "SCC"))
    listed = list_differential(reading)
    assert [str(each.diagnosis) for each in listed] == ["NV", "MEL", "SCC"]
    assert [each.is_unlikely for each in listed] == [False, True, True]


def test_what_an_alert_names_is_in_even_below_one_percent():
    reading = make_reading({"MEL": 0.008, "NV": 0.992, "BCC": 0.0}, 0.005, members=("NV",))
    assert name(reading) == ["NV", "MEL"]


def test_a_cancer_of_which_the_set_knows_too_few_cases_is_not_excluded():
    from dataclasses import replace

    reading = make_reading({"MEL": 0.02, "NV": 0.97, "SCC": 0.01}, 0.05, members=("NV", "MEL"))
    assert reading.prediction_set is not None
    unknown = replace(reading.prediction_set, unknown=("SCC",), ruled_out=())
    assert "SCC" in name(replace(reading, prediction_set=unknown))


def test_in_a_clinic_the_probabilities_are_those_of_the_clinic():
    reading = make_reading({"MEL": 0.5, "NV": 0.45, "BCC": 0.05}, 0.05, members=("MEL",))
    adapted = AdaptedReading(
        Prevalence(0.02, 0.08), reading.class_names, (0.09, 0.9, 0.01), 0.09, 0.1
    )
    listed = list_differential(reading, adapted)
    assert [(str(each.diagnosis), each.probability) for each in listed] == [
        ("NV", 0.9),
        ("MEL", 0.09),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_no_differential_contradicts_itself_or_the_set_in_words(seed):
    card = load_card(BUNDLED)
    rng = np.random.default_rng(seed)
    names = card.class_names
    for concentration, size in itertools.product((0.1, 0.4, 2.0), range(1, 8)):
        shares = rng.dirichlet(np.full(len(names), concentration))
        members = tuple(rng.choice(names, size, replace=False).tolist())
        probabilities = dict(zip(names, shares.tolist(), strict=True))
        reading = make_reading(probabilities, 0.044, 0.044, members=members)
        listed = list_differential(reading)
        found = {each.diagnosis for each in listed}
        assert listed[0].diagnosis is reading.top_diagnosis
        assert [each.probability for each in listed] == sorted(
            (each.probability for each in listed), reverse=True
        )
        for text, share in probabilities.items():
            diagnosis = Diagnosis(text)
            if share >= 0.1:
                assert diagnosis in found
                said = describe_possible(reading, card)
                assert diagnosis.title in said
            if share < 0.01 and diagnosis in found:
                assert diagnosis.tier is RiskTier.MALIGNANT

import pytest

from melanoma_core.reading.ranking import (
    choose_explained,
    group_by_tier,
    measure_suspicion,
    rank_diagnoses,
)
from melanoma_core.taxonomy import Diagnosis, RiskTier
from tests.made_readings import make_reading as read

PROBABILITIES = {"MEL": 0.2, "NV": 0.4, "BCC": 0.25, "AK": 0.05, "BKL": 0.1}


def test_diagnoses_come_with_the_most_probable_first():
    assert [diagnosis for diagnosis, _ in rank_diagnoses(read(PROBABILITIES, 0.1))] == [
        Diagnosis.NV,
        Diagnosis.BCC,
        Diagnosis.MEL,
        Diagnosis.BKL,
        Diagnosis.AK,
    ]


def test_tiers_come_with_the_most_dangerous_first_whatever_is_probable():
    malignant, premalignant, benign = group_by_tier(read(PROBABILITIES, 0.1))
    assert malignant.tier is RiskTier.MALIGNANT
    assert malignant.probability == pytest.approx(0.45)
    assert malignant.diagnoses == [(Diagnosis.BCC, 0.25), (Diagnosis.MEL, 0.2)]
    assert premalignant.diagnoses == [(Diagnosis.AK, 0.05)]
    assert benign.diagnoses == [(Diagnosis.NV, 0.4), (Diagnosis.BKL, 0.1)]


def test_a_tier_without_any_diagnosis_of_the_model_is_left_out():
    tiers = [share.tier for share in group_by_tier(read({"MEL": 0.3, "NV": 0.7}, 0.5))]
    assert tiers == [RiskTier.MALIGNANT, RiskTier.BENIGN]


def test_melanoma_is_explained_first_on_an_alert_and_the_most_probable_one_without():
    assert choose_explained(read(PROBABILITIES, 0.1)) is Diagnosis.MEL
    assert choose_explained(read(PROBABILITIES, 0.9)) is Diagnosis.NV


def test_the_leading_skin_cancer_is_explained_first_on_a_skin_cancer_alert():
    assert choose_explained(read(PROBABILITIES, 0.9, 0.45)) is Diagnosis.BCC
    assert choose_explained(read(PROBABILITIES, 0.9, 0.46)) is Diagnosis.NV
    assert choose_explained(read(PROBABILITIES, 0.2, 0.45)) is Diagnosis.MEL


def test_a_carcinoma_is_more_suspicious_than_a_nevus_with_more_melanoma():
    carcinoma = read({"MEL": 0.01, "NV": 0.09, "BCC": 0.9})
    nevus = read({"MEL": 0.2, "NV": 0.8, "BCC": 0.0})
    assert measure_suspicion(carcinoma) > measure_suspicion(nevus)


def test_of_equal_malignant_shares_the_one_with_more_melanoma_comes_first():
    melanoma = read({"MEL": 0.5, "NV": 0.5, "BCC": 0.0})
    carcinoma = read({"MEL": 0.25, "NV": 0.5, "BCC": 0.25})
    assert measure_suspicion(melanoma) > measure_suspicion(carcinoma)

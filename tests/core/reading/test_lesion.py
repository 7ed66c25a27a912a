"""The reading of a lesion: the mean of its photographs' logits, calibrated for lesions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.images import read_image
from melanoma_core.models.card import ModelCard, OperatingPoint, load_card
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.reading.reading import Reading, read_photograph
from melanoma_core.taxonomy import Diagnosis, RiskTier
from tests.made_readings import make_reading


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    """Card of a model of three classes, whose temperature leaves probabilities as they are."""
    return replace(
        load_card(bundled),
        model_id="test",
        class_names=("MEL", "NV", "BCC"),
        temperature=1.0,
        lesion_temperature=None,
        operating_point=OperatingPoint(0.3, 0.95, "validation"),
        skin_cancer_operating_point=OperatingPoint(0.5, 0.95, "validation"),
        conformal=None,
    )


def read(melanoma: float, nevus: float, carcinoma: float) -> Reading:
    return make_reading({"MEL": melanoma, "NV": nevus, "BCC": carcinoma}, 0.3, 0.5)


def test_a_lesion_without_a_photograph_or_with_those_of_another_model_is_refused(card: ModelCard):
    with pytest.raises(ValueError, match="found readings of no model; a lesion needs at least one"):
        combine_readings(card, [])
    other = make_reading({"MEL": 0.5, "NV": 0.5}, model_id="other")
    with pytest.raises(ValueError, match="all of the model test"):
        combine_readings(card, [read(0.2, 0.7, 0.1), other])


def test_the_lesion_of_one_photograph_has_its_probabilities_to_the_last_bit(card: ModelCard):
    single = read(0.2, 0.7, 0.1)
    lesion = combine_readings(replace(card, lesion_temperature=2.0), [single])

    assert lesion.probabilities == single.probabilities
    assert (lesion.alert, lesion.skin_cancer_alert) == (single.alert, single.skin_cancer_alert)
    assert lesion.readings == (single,)
    assert not lesion.alerts_differ
    assert not lesion.diagnoses_differ


def test_copies_of_a_photograph_count_once_to_the_last_bit(card: ModelCard):
    card = replace(card, lesion_temperature=2.0)
    single = replace(read(0.2, 0.7, 0.1), fingerprint="a")
    other = replace(read(0.6, 0.3, 0.1), fingerprint="b")
    lesion = combine_readings(card, [single, single])

    assert lesion.probabilities == single.probabilities
    assert (lesion.counted, lesion.num_copies) == ((single,), 1)
    assert lesion.readings == (single, single)
    both = combine_readings(card, [single, other])
    again = combine_readings(card, [single, other, single])
    assert again.probabilities == both.probabilities != single.probabilities


def test_photographs_without_a_fingerprint_are_not_taken_for_copies(card: ModelCard):
    lesion = combine_readings(card, [read(0.2, 0.7, 0.1), read(0.6, 0.3, 0.1)])
    assert (len(lesion.counted), lesion.num_copies) == (2, 0)


def test_the_logits_are_averaged_not_the_probabilities(card: ModelCard):
    lesion = combine_readings(card, [read(0.8, 0.1, 0.1), read(0.1, 0.8, 0.1)])

    roots = np.sqrt([0.08, 0.08, 0.01])  # geometric means
    assert lesion.probabilities == pytest.approx(tuple(roots / roots.sum()))
    assert lesion.melanoma_probability == lesion.probabilities[0]
    assert lesion.skin_cancer_probability == pytest.approx(0.5751, abs=1e-4)
    assert (lesion.alert, lesion.skin_cancer_alert) == (True, True)


def test_the_mean_is_calibrated_with_the_temperature_of_lesions(card: ModelCard):
    photographs = [read(0.8, 0.1, 0.1), read(0.1, 0.8, 0.1)]
    hot = combine_readings(replace(card, lesion_temperature=2.0), photographs)
    older = combine_readings(replace(card, temperature=2.0), photographs)

    roots = np.array([0.08, 0.08, 0.01]) ** 0.25
    assert hot.probabilities == pytest.approx(tuple(roots / roots.sum()))
    assert older.probabilities == hot.probabilities


def test_a_probability_of_zero_neither_fails_nor_decides_alone(card: ModelCard):
    lesion = combine_readings(card, [read(0.0, 1.0, 0.0), read(1.0, 0.0, 0.0)])

    assert lesion.probabilities == pytest.approx((0.5, 0.5, 0.0), abs=1e-5)


def test_photographs_that_disagree_are_named_by_alert_or_by_diagnosis(card: ModelCard):
    nevus, melanoma, both = read(0.1, 0.8, 0.1), read(0.8, 0.1, 0.1), read(0.4, 0.5, 0.1)

    assert combine_readings(card, [nevus, melanoma]).alerts_differ
    assert combine_readings(card, [nevus, melanoma]).diagnoses_differ
    same_alerts = combine_readings(card, [melanoma, both])
    assert not same_alerts.alerts_differ
    assert same_alerts.diagnoses_differ


def test_a_photograph_that_was_read_anyway_does_not_count_beside_others(card: ModelCard):
    first, second = read(0.1, 0.8, 0.1), read(0.2, 0.7, 0.1)
    unlike = replace(second, read_anyway=True)
    lesion = combine_readings(card, [unlike, first])

    assert lesion.probabilities == first.probabilities
    assert (lesion.read_anyway, lesion.num_set_aside) == (False, 1)
    assert not combine_readings(card, [first, second]).read_anyway


def test_a_lesion_of_photographs_that_were_all_read_anyway_carries_the_mark(card: ModelCard):
    unlike = [
        replace(each, read_anyway=True) for each in (read(0.1, 0.8, 0.1), read(0.2, 0.7, 0.1))
    ]
    lesion = combine_readings(card, unlike)

    assert (lesion.read_anyway, lesion.num_set_aside) == (True, 0)
    assert lesion.counted == tuple(unlike)


def test_a_reading_knows_its_leading_diagnosis_and_the_sum_of_its_skin_cancers():
    reading = make_reading({"MEL": 0.125, "NV": 0.5, "BCC": 0.25, "SCC": 0.125})

    assert reading.top_diagnosis is Diagnosis.NV
    assert reading.risk_tier is RiskTier.BENIGN
    assert reading.leading_skin_cancer is Diagnosis.BCC
    assert reading.skin_cancer_probability == 0.5
    assert reading.skin_cancer_alert is None


def test_the_skin_cancer_alert_is_raised_at_its_threshold_and_not_just_below_it():
    probabilities = {"MEL": 0.125, "NV": 0.75, "BCC": 0.125}

    assert make_reading(probabilities, skin_cancer_threshold=0.25).skin_cancer_alert is True
    above = float(np.nextafter(0.25, 1))
    assert make_reading(probabilities, 0.2, skin_cancer_threshold=above).skin_cancer_alert is False


def test_a_melanoma_alert_is_a_skin_cancer_alert_whatever_the_thresholds():
    reading = make_reading({"MEL": 0.045, "NV": 0.952, "BCC": 0.003}, 0.044, 0.05)
    assert (reading.alert, reading.skin_cancer_alert) == (True, True)


def test_photographs_of_the_network_combine_to_a_reading_between_them(
    unguarded_classifier: Classifier, draw, tmp_path: Path
):
    readings = [
        read_photograph(unguarded_classifier, read_image(draw(tmp_path / f"{seed}.jpg", seed)))
        for seed in range(2)
    ]
    assert all(isinstance(reading, Reading) for reading in readings)
    lesion = combine_readings(unguarded_classifier.card, readings)

    low, high = sorted(reading.melanoma_probability for reading in readings)
    assert low <= lesion.melanoma_probability <= high
    assert sum(lesion.probabilities) == pytest.approx(1)

"""What is chosen on validation: the thresholds of both alerts, the temperature of lesions."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.models.card import OperatingPoint, load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.networks.measurement import _fit_lesions, choose_points


def test_the_skin_cancer_threshold_is_never_above_that_of_melanoma():
    names = ("MEL", "NV", "BCC")
    points = [OperatingPoint(0.5, 1.0, "validation")] * 2
    three = replace(
        load_card(BUNDLED),
        class_names=names,
        melanoma_index=0,
        operating_point=points[0],
        skin_cancer_operating_point=points[1],
        conformal=None,
    )
    # The least melanoma has 10% and a carcinoma beside it of 30%: any skin cancer 40% at least.
    rows = np.array([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1], [0.05, 0.05, 0.9], [0.01, 0.98, 0.01]])
    predictions = LabelledPredictions(rows, np.array([0, 0, 2, 1]), np.arange(4))

    melanoma, skin_cancer = choose_points(three, predictions)

    assert (melanoma.threshold, skin_cancer.threshold) == (0.1, 0.1)
    assert choose_points(replace(three, skin_cancer_operating_point=None), predictions)[1] is None
    carcinoma = replace(predictions, probabilities=rows[[0, 1, 3, 3]])
    _, lower = choose_points(three, carcinoma)
    assert lower.threshold == pytest.approx(0.02)


def test_the_temperature_of_lesions_is_fitted_on_those_with_several_photographs():
    # Forty lesions with two equal photographs each, right in three of four: 4 / ln 3 as for one
    # photograph. A hundred lesions with one photograph, all right, would make it lower.
    uncalibrated = np.tile([np.exp(4.0), 1.0], (180, 1)) / (1 + np.exp(4.0))
    names = np.r_[np.repeat(np.arange(40), 2), np.arange(100, 200)].astype(str)
    labels = np.r_[np.repeat(np.arange(40) % 4 == 3, 2), np.zeros(100, bool)].astype(np.int64)

    assert _fit_lesions(uncalibrated, labels, names) == pytest.approx(4 / np.log(3), rel=1e-3)


def test_fewer_than_thirty_lesions_with_several_photographs_have_no_temperature_of_their_own():
    names = np.r_[np.repeat(np.arange(29), 2), np.arange(100, 142)].astype(str)
    uncalibrated = np.full((100, 2), 0.5)

    assert _fit_lesions(uncalibrated, np.zeros(100, np.int64), names) is None

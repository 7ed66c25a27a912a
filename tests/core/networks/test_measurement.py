import numpy as np
import pytest

from melanoma_core.networks.measurement import _fit_lesions


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

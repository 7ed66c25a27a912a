"""Whether a probability means what it says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import Draws, measure_shares, to_figure

_NUM_BINS = 10


@dataclass(frozen=True)
class CalibrationBin:
    """Images with much the same probability.

    Attributes:
        predicted: Their mean probability.
        observed: How often it came true.
    """

    predicted: float
    observed: Figure


def measure_calibration(
    draws: Draws, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> tuple[CalibrationBin, ...]:
    """Measure the calibration curve, in up to 10 bins of equal mass, lowest probability first.

    Args:
        draws: The resamples.
        probability: float64 [N], in [0, 1].
        is_event: bool [N], whether what it is the probability of was there.
    """
    members = [row for row in split_into_bins(probability) if row.any()]
    observed = measure_shares(draws, {str(i): (is_event, row) for i, row in enumerate(members)})
    return tuple(
        CalibrationBin(float(probability[row].mean()), figure)
        for row, figure in zip(members, observed.values(), strict=True)
    )


def measure_brier_score(
    draws: Draws, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Figure:
    """Measure the mean squared distance of probability and outcome: 0 is best.

    Brier, "Verification of forecasts expressed in terms of probability" (1950), in the form for
    one event, in [0, 1]. Who always says 50% scores 0.25; who always says how frequent the event
    is scores that frequency times its complement.
    """
    values = draws.sum((probability - is_event) ** 2) / draws.sum(np.ones(len(probability)))
    return to_figure(values, draws.num_lesions, None, len(probability), draws.num_lesions)


def measure_calibration_error(
    draws: Draws, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Figure:
    """Measure how far probability and frequency lie apart, averaged over bins of images.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015); 10 bins
    of equal mass after Nixon et al., "Measuring calibration in deep learning" (2019). It is never
    negative, so that chance only adds to it: on few images a perfectly calibrated network scores
    above 0, and its interval lies above 0.

    Args:
        draws: The resamples.
        probability: float64 [N], in [0, 1].
        is_event: bool [N], whether what it is the probability of was there.
    """
    members = split_into_bins(probability)
    gaps = np.where(is_event, 1 - probability, -probability)
    errors = np.abs(draws.sum(gaps * members))
    values = errors.sum(axis=0) / draws.sum(np.ones(len(gaps)))
    return to_figure(values, draws.num_lesions, None, len(gaps), draws.num_lesions)


def split_into_bins(probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which images lie in each of 10 bins of equal mass, bool [10, N]; some may be empty.

    Equal probabilities share a bin, so that the order of the images does not matter.
    """
    edges = np.quantile(probability, np.arange(1, _NUM_BINS) / _NUM_BINS)
    return np.asarray(np.searchsorted(edges, probability) == np.arange(_NUM_BINS)[:, None])

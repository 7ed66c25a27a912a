"""How well probabilities are calibrated: calibration curve, calibration error, Brier score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.evaluation.resampling import Resamples, divide, measure_shares, to_figure

_NUM_BINS = 10


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of the calibration curve: images with similar probabilities.

    Attributes:
        predicted: Mean predicted probability.
        observed: Share of the images for which the event is true.
    """

    predicted: float
    observed: Figure


@dataclass(frozen=True)
class Reliability:
    """How well probabilities are calibrated.

    Attributes:
        calibration: The calibration curve.
        calibration_error: Expected calibration error.
        brier_score: Brier score.
    """

    calibration: tuple[CalibrationBin, ...]
    calibration_error: Figure
    brier_score: Figure


def measure_reliability(
    resamples: Resamples, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Reliability:
    """Compute what the three functions below do, in one pass over the resamples.

    With many images and lesions this takes a fraction of their time.

    Args:
        resamples: Of the N images.
        probability: float64 [N], predicted, in [0, 1].
        is_event: bool [N], whether the predicted event is true.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probability, is_event = np.array([0.5] * 4), np.array([True, False, False, False])
        >>> found = measure_reliability(resample_lesions(np.arange(4)), probability, is_event)
        >>> found.calibration_error.value, found.brier_score.value
        (0.25, 0.25)
    """
    num_images, num_lesions = len(probability), resamples.num_lesions
    if not num_images:
        return Reliability((), UNDEFINED, UNDEFINED)
    members = [row for row in _split_into_bins(probability) if row.any()]
    gaps = np.where(is_event, 1 - probability, -probability)
    rows = np.array(
        [
            *(row & is_event for row in members),
            *members,
            *(row * gaps for row in members),
            (probability - is_event) ** 2,
        ],
        dtype=np.float64,
    )
    sums = resamples.sum(rows)
    hits, counts, differences = np.split(sums[:-1], 3)
    total = counts.sum(axis=0)
    errors, squares = divide(np.abs(differences).sum(axis=0), total), divide(sums[-1], total)
    return Reliability(
        tuple(
            _to_bin(resamples, probability, (row, values), int(hit[0]))
            for row, values, hit in zip(members, divide(hits, counts), hits, strict=True)
        ),
        to_figure(errors, num_lesions, None, num_images, num_lesions),
        to_figure(squares, num_lesions, None, num_images, num_lesions),
    )


def _to_bin(
    resamples: Resamples,
    probability: NDArray[np.float64],
    measured: tuple[NDArray[np.bool_], NDArray[np.float64]],
    hits: int,
) -> CalibrationBin:
    row, values = measured
    lesions = resamples.count_lesions(row)
    observed = to_figure(values, lesions, hits, int(row.sum()), lesions)
    return CalibrationBin(float(probability[row].mean()), observed)


def measure_calibration(
    resamples: Resamples, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> tuple[CalibrationBin, ...]:
    """Compute the calibration curve, in up to 10 bins of equal mass, lowest probability first.

    Args:
        resamples: Of the N images.
        probability: float64 [N], predicted, in [0, 1].
        is_event: bool [N], whether the predicted event is true.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probability, is_event = np.array([0.5] * 4), np.array([True, False, False, False])
        >>> curve = measure_calibration(resample_lesions(np.arange(4)), probability, is_event)
        >>> [(bin.predicted, bin.observed.value) for bin in curve]
        [(0.5, 0.25)]
    """
    if not len(probability):
        return ()
    members = [row for row in _split_into_bins(probability) if row.any()]
    observed = measure_shares(resamples, {str(i): (is_event, row) for i, row in enumerate(members)})
    return tuple(
        CalibrationBin(float(probability[row].mean()), figure)
        for row, figure in zip(members, observed.values(), strict=True)
    )


def measure_brier_score(
    resamples: Resamples, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Figure:
    """Compute the Brier score, the mean squared difference of probability and outcome.

    Brier, "Verification of forecasts expressed in terms of probability" (1950), in the form for
    one event, in [0, 1]; 0 is best. A constant probability of 50% scores 0.25. A constant
    probability equal to the frequency f of the event scores f (1 - f).

    Args:
        resamples: Of the N images.
        probability: float64 [N], predicted, in [0, 1].
        is_event: bool [N], whether the predicted event is true.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probability, is_event = np.array([0.5, 1.0]), np.array([True, True])
        >>> measure_brier_score(resample_lesions(np.arange(2)), probability, is_event).value
        0.125
    """
    num_images = len(probability)
    if not num_images:
        return UNDEFINED
    values = divide(
        resamples.sum((probability - is_event) ** 2), resamples.sum(np.ones(num_images))
    )
    return to_figure(values, resamples.num_lesions, None, num_images, resamples.num_lesions)


def measure_calibration_error(
    resamples: Resamples, probability: NDArray[np.float64], is_event: NDArray[np.bool_]
) -> Figure:
    """Compute the expected calibration error (ECE): mean gap of probability and frequency.

    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015), with
    10 bins of equal mass after Nixon et al., "Measuring calibration in deep learning" (2019). The
    error is never negative, so chance only increases it: on few images a perfectly calibrated
    network scores above 0, and so does its interval.

    Args:
        resamples: Of the N images.
        probability: float64 [N], predicted, in [0, 1].
        is_event: bool [N], whether the predicted event is true.

    Example:
        >>> from melanoma_core.evaluation.resampling import resample_lesions
        >>> probability, is_event = np.array([0.5] * 4), np.array([True, False, False, False])
        >>> measure_calibration_error(resample_lesions(np.arange(4)), probability, is_event).value
        0.25
    """
    if not len(probability):
        return UNDEFINED
    members = _split_into_bins(probability)
    gaps = np.where(is_event, 1 - probability, -probability)
    errors = np.abs(resamples.sum(gaps * members))
    values = divide(errors.sum(axis=0), resamples.sum(np.ones(len(gaps))))
    return to_figure(values, resamples.num_lesions, None, len(gaps), resamples.num_lesions)


def _split_into_bins(probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the members of 10 bins of equal mass, bool [10, N]; a bin may be empty.

    Equal probabilities share a bin, so that the order of the images does not matter.
    """
    edges = np.quantile(probability, np.arange(1, _NUM_BINS) / _NUM_BINS)
    return np.asarray(np.searchsorted(edges, probability) == np.arange(_NUM_BINS)[:, None])

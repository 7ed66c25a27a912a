"""Faithfulness tests of heatmaps, computed on arrays.

There are two kinds. With an outline of the lesion: the share of the heatmap inside it, compared
with chance and with a heatmap that is always centred. Without an outline: how the prediction
changes when the regions that the heatmap marks are removed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import divide, resample_lesions, to_difference, to_figure

_NUM_STEPS = 10
_BLUR = 0.05  # of the side; at 192 px it removes all structure of a lesion
_CONTROL_WIDTH = 0.2  # of the side; see `make_centred_map`

_Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def measure_energy_inside(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Compute the share of each heatmap's total strength that lies inside the lesion.

    The energy-based pointing game: Wang et al., "Score-CAM" (2020, arXiv:1910.01279).

    Args:
        heatmaps: float [N, H, W], at or above 0.
        outlines: bool [N, H, W], true inside the lesion.

    Returns:
        float64 [N] in [0, 1]; NaN where the heatmap or the outline is empty.

    Example:
        >>> outlines = np.array([[[True, False], [False, False]]])
        >>> measure_energy_inside(np.array([[[3.0, 1.0], [0.0, 0.0]]]), outlines)
        array([0.75])
    """
    strength = heatmaps.astype(np.float64)
    total = strength.sum(axis=(1, 2))
    inside = (strength * outlines).sum(axis=(1, 2))
    return _divide_where(_is_defined(heatmaps, outlines), inside, total)


def play_pointing_game(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Play the pointing game: is the maximum of each heatmap inside the lesion?

    Zhang et al., "Top-down neural attention by excitation backprop" (2016, arXiv:1608.00507),
    without their tolerance of some pixels around the object.

    Args:
        heatmaps: float [N, H, W], at or above 0.
        outlines: bool [N, H, W], true inside the lesion.

    Returns:
        float64 [N]: 1 for a hit, 0 for a miss; with several maxima, the share of them inside. NaN
        where the heatmap or the outline is empty.

    Example:
        >>> outlines = np.array([[[True, False], [False, False]]])
        >>> play_pointing_game(np.array([[[3.0, 1.0], [0.0, 0.0]]]), outlines)
        array([1.])
    """
    is_peak = heatmaps == heatmaps.max(axis=(1, 2), keepdims=True)
    hits = (is_peak & outlines).sum(axis=(1, 2))
    return _divide_where(_is_defined(heatmaps, outlines), hits, is_peak.sum(axis=(1, 2)))


def measure_lesion_share(outlines: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute the share of each image that the lesion covers, float64 [N]; NaN if it is empty.

    Example:
        >>> measure_lesion_share(np.array([[[True, False], [False, False]]]))
        array([0.25])
    """
    shares = outlines.mean(axis=(1, 2))
    return np.where(shares > 0, shares, np.nan)


def make_centred_map(side: int) -> NDArray[np.float64]:
    """Return the control heatmap: a blob at the image centre, where photographers put the lesion.

    It is a normal distribution whose standard deviation is a fifth of the side. Two thirds of it
    lie in the central 28% of the image, about the area that the lesions of HAM10000 cover.

    Args:
        side: Height and width, in pixels.

    Returns:
        float64 [side, side] in (0, 1].

    Example:
        >>> make_centred_map(3).round(2).tolist()
        [[0.06, 0.25, 0.06], [0.25, 1.0, 0.25], [0.06, 0.25, 0.06]]
    """
    offsets = (np.arange(side) - (side - 1) / 2) / (_CONTROL_WIDTH * side)
    profile = np.exp(-(offsets**2) / 2)
    return np.asarray(np.outer(profile, profile))


@dataclass(frozen=True)
class CurveAreas:
    """Areas under the deletion and insertion curves of one image; NaN if the heatmap is empty.

    Attributes:
        deletion: Mean probability while the strongest pixels are removed first, in [0, 1]; low is
            good.
        deletion_random: The same, with pixels removed in a random order.
        insertion: Mean probability while the strongest pixels are inserted first, in [0, 1]; high
            is good.
        insertion_random: The same, with pixels inserted in a random order.
    """

    deletion: float
    deletion_random: float
    insertion: float
    insertion_random: float


def trace_photograph(
    predict: _Predict,
    pixels: NDArray[np.uint8],
    heatmap: NDArray[np.floating[Any]],
    random_map: NDArray[np.floating[Any]],
) -> CurveAreas:
    """Compute deletion and insertion of one image, for its heatmap and for a random one.

    Petsiuk et al., "RISE" (2018, arXiv:1806.07421). Deletion replaces pixels with the image's mean
    colour in the order of the heatmap, a tenth of the image at a time. Insertion copies them into
    a blurred version of the image.

    Args:
        predict: Maps uint8 [M, H, W, 3] to the probability that the heatmap explains, float64 [M].
        pixels: uint8 [H, W, 3].
        heatmap: float [H, W], at or above 0.
        random_map: float [H, W], the control. It must be as smooth as the heatmap; otherwise
            single pixels would be compared with regions.
    """
    if not heatmap.max() > 0:
        return CurveAreas(np.nan, np.nan, np.nan, np.nan)
    orders = [_order_pixels(heatmap), _order_pixels(random_map)]
    mean_colour = np.broadcast_to(pixels.mean(axis=(0, 1)).round().astype(np.uint8), pixels.shape)
    blurred = gaussian_filter(pixels, (_BLUR * len(pixels), _BLUR * len(pixels), 0))
    deleted = [_replace_in_order(pixels, mean_colour, order) for order in orders]
    inserted = [_replace_in_order(blurred, pixels, order) for order in orders]
    ends = [pixels, mean_colour, blurred]
    probabilities = predict(np.concatenate([np.stack(ends), *deleted, *inserted]))
    whole, empty, blurry = probabilities[:3]
    curves = probabilities[3:].reshape(4, _NUM_STEPS - 1)
    return CurveAreas(
        deletion=_area(whole, curves[0], empty),
        deletion_random=_area(whole, curves[1], empty),
        insertion=_area(blurry, curves[2], whole),
        insertion_random=_area(blurry, curves[3], whole),
    )


def draw_random_map(
    coarse: tuple[int, int], side: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a random heatmap, as coarse as those of the network.

    Args:
        coarse: Height and width of the network's activation maps.
        side: Height and width of the returned map, in pixels.
        rng: Random number generator.

    Returns:
        float64 [side, side] in [0, 1].

    Example:
        >>> draw_random_map((2, 2), side=64, rng=np.random.default_rng(0)).shape
        (64, 64)
    """
    factors = (side / coarse[0], side / coarse[1])
    enlarged = zoom(rng.random(coarse), factors, order=1, grid_mode=True, mode="nearest")
    return np.asarray(enlarged)


def average(values: NDArray[np.float64], lesion_ids: NDArray[Any]) -> Figure:
    """Average a score in [0, 1] over images, with a 95% confidence interval resampled by lesion.

    Args:
        values: float64 [N]; NaN is left out of the average and of the counts.
        lesion_ids: str or int [N], equal for images of the same lesion.

    Example:
        >>> figure = average(np.array([0.25, 0.75, np.nan]), np.arange(3))
        >>> figure.value, figure.total
        (0.5, 2)
    """
    resampled, total, num_lesions = _resample(values, lesion_ids)
    return to_figure(resampled, num_lesions, None, total, num_lesions)


def average_difference(values: NDArray[np.float64], lesion_ids: NDArray[Any]) -> Figure:
    """Average the difference of two scores, in [-1, 1]; arguments as in `average`."""
    return to_difference(*_resample(values, lesion_ids))


def _resample(
    values: NDArray[np.float64], lesion_ids: NDArray[Any]
) -> tuple[NDArray[np.float64], int, int]:
    is_defined = ~np.isnan(values)
    if not is_defined.any():
        return np.full(2, np.nan), 0, 0
    resamples = resample_lesions(lesion_ids[is_defined])
    defined = values[is_defined]
    means = divide(resamples.sum(defined), resamples.sum(np.ones(len(defined))))
    return means, len(defined), resamples.num_lesions


def _order_pixels(heatmap: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return the rank of each pixel, int [H, W]; 0 is the strongest.

    A fixed shuffle orders equally strong pixels; otherwise regions without evidence would be
    ordered from top to bottom.
    """
    flat = heatmap.ravel()
    shuffled = np.random.default_rng(0).permutation(flat.size)
    ranks = np.empty(flat.size, dtype=np.intp)
    ranks[shuffled[np.argsort(-flat[shuffled], kind="stable")]] = np.arange(flat.size)
    return np.asarray(ranks.reshape(heatmap.shape))


def _replace_in_order(
    before: NDArray[np.uint8], after: NDArray[np.uint8], ranks: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """Return the image after each step but the last, uint8 [_NUM_STEPS - 1, H, W, 3]."""
    limits = np.arange(1, _NUM_STEPS) * ranks.size / _NUM_STEPS
    return np.asarray(np.where((ranks < limits[:, None, None])[..., None], after, before))


def _area(first: float, between: NDArray[np.float64], last: float) -> float:
    return float(np.trapezoid([first, *between, last], dx=1 / _NUM_STEPS))


def _is_defined(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    return np.asarray((heatmaps.max(axis=(1, 2)) > 0) & outlines.any(axis=(1, 2)))


def _divide_where(
    is_defined: NDArray[np.bool_], numerator: NDArray[Any], denominator: NDArray[Any]
) -> NDArray[np.float64]:
    undefined = np.full(len(is_defined), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=is_defined))

"""Whether a heatmap shows what the network looks at: measures of maps, given as arrays.

Two kinds. Where the lesion's outline is known: how much of the map lies inside it, against what
lies inside by chance and what a map that only knows the centre of a picture would reach. And
without an outline: whether the answer follows the map, when what it marks is taken away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import divide, draw_lesions, to_difference, to_figure

NUM_STEPS = 10
_BLUR = 0.05  # of the side; at 192 px no structure of a lesion is left
_CONTROL_WIDTH = 0.2  # of the side; see `make_centred_map`
_NUM_RESAMPLES = 1000

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def measure_energy_inside(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Measure which share of each map's strength lies inside the lesion.

    The energy-based pointing game: Wang et al., "Score-CAM" (2020, arXiv:1910.01279).

    Args:
        heatmaps: float [N, H, W], at or above 0.
        outlines: bool [N, H, W], true inside the lesion.

    Returns:
        float64 [N] in [0, 1]; NaN where the map or the outline is empty.
    """
    strength = heatmaps.astype(np.float64)
    total = strength.sum(axis=(1, 2))
    inside = (strength * outlines).sum(axis=(1, 2))
    return _where(_is_defined(heatmaps, outlines), inside, total)


def play_pointing_game(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Find whether each map is strongest inside the lesion.

    Zhang et al., "Top-down neural attention by excitation backprop" (2016, arXiv:1608.00507),
    without their tolerance of some pixels around the object.

    Args:
        heatmaps: float [N, H, W], at or above 0.
        outlines: bool [N, H, W], true inside the lesion.

    Returns:
        float64 [N]: 1 for a hit, 0 for a miss; where several places are equally strong, the share
        of them inside. NaN where the map or the outline is empty.
    """
    is_peak = heatmaps == heatmaps.max(axis=(1, 2), keepdims=True)
    hits = (is_peak & outlines).sum(axis=(1, 2))
    return _where(_is_defined(heatmaps, outlines), hits, is_peak.sum(axis=(1, 2)))


def measure_lesion_share(outlines: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return which share of each picture the lesion takes, float64 [N]; NaN where it is empty."""
    shares = outlines.mean(axis=(1, 2))
    return np.where(shares > 0, shares, np.nan)


def make_centred_map(side: int) -> NDArray[np.float64]:
    """Draw the control: a blob at the centre of the picture, the same for every photograph.

    Photographers put the lesion there. A normal distribution whose standard deviation is a fifth
    of the side: two thirds of it lie in the middle 28% of the picture, about what the lesions of
    HAM10000 take of theirs.

    Returns:
        float64 [side, side] in (0, 1].
    """
    offsets = (np.arange(side) - (side - 1) / 2) / (_CONTROL_WIDTH * side)
    profile = np.exp(-(offsets**2) / 2)
    return np.asarray(np.outer(profile, profile))


@dataclass(frozen=True)
class Areas:
    """Areas under the curves of one photograph, in [0, 1]; NaN where the map is empty.

    Attributes:
        deletion: Mean probability while what the map marks is taken away first; low is good.
        deletion_random: Likewise in a random order.
        insertion: Mean probability while what the map marks is shown first; high is good.
        insertion_random: Likewise in a random order.
    """

    deletion: float
    deletion_random: float
    insertion: float
    insertion_random: float


def trace_photograph(
    predict: Predict,
    pixels: NDArray[np.uint8],
    heatmap: NDArray[np.floating[Any]],
    random_map: NDArray[np.floating[Any]],
) -> Areas:
    """Measure deletion and insertion of one photograph, by its map and by a random one.

    Petsiuk et al., "RISE" (2018, arXiv:1806.07421): pixels are taken away in the order of the map,
    a tenth of the picture at a time, and replaced by the photograph's mean colour; or they are
    put into a blurred copy of it.

    Args:
        predict: uint8 [M, H, W, 3] -> the probability that the map is of, float64 [M].
        pixels: uint8 [H, W, 3].
        heatmap: float [H, W], at or above 0.
        random_map: float [H, W], the control: as smooth as the map, or single pixels would be
            compared with places.
    """
    if not heatmap.max() > 0:
        return Areas(np.nan, np.nan, np.nan, np.nan)
    orders = [_order_pixels(heatmap), _order_pixels(random_map)]
    mean_colour = np.broadcast_to(pixels.mean(axis=(0, 1)).round().astype(np.uint8), pixels.shape)
    blurred = gaussian_filter(pixels, (_BLUR * len(pixels), _BLUR * len(pixels), 0))
    deleted = [_replace_in_order(pixels, mean_colour, order) for order in orders]
    inserted = [_replace_in_order(blurred, pixels, order) for order in orders]
    ends = [pixels, mean_colour, blurred]
    said = predict(np.concatenate([np.stack(ends), *deleted, *inserted]))
    whole, empty, unclear = said[:3]
    curves = said[3:].reshape(4, NUM_STEPS - 1)
    return Areas(
        deletion=_area(whole, curves[0], empty),
        deletion_random=_area(whole, curves[1], empty),
        insertion=_area(unclear, curves[2], whole),
        insertion_random=_area(unclear, curves[3], whole),
    )


def draw_random_map(
    coarse: tuple[int, int], side: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a map without meaning, as coarse as the network's own.

    Args:
        coarse: Height and width of the maps that the network gives.
        side: Of the square that it is enlarged to, in pixels.
        rng: Draws it.

    Returns:
        float64 [side, side] in [0, 1].
    """
    factors = (side / coarse[0], side / coarse[1])
    enlarged = zoom(rng.random(coarse), factors, order=1, grid_mode=True, mode="nearest")
    return np.asarray(enlarged)


def average(values: NDArray[np.float64], lesion_ids: NDArray[Any]) -> Figure:
    """Average a measure in [0, 1] over photographs, with its 95% interval resampled by lesion.

    Args:
        values: float64 [N]; NaN where undefined, which is left out of average and counts.
        lesion_ids: str or int [N], which photographs show the same lesion.
    """
    resampled, total, num_lesions = _resample(values, lesion_ids)
    return to_figure(resampled, num_lesions, None, total, num_lesions)


def average_difference(values: NDArray[np.float64], lesion_ids: NDArray[Any]) -> Figure:
    """Average a measure in [-1, 1], as differences of two measures are; see `average`."""
    return to_difference(*_resample(values, lesion_ids))


def _resample(
    values: NDArray[np.float64], lesion_ids: NDArray[Any]
) -> tuple[NDArray[np.float64], int, int]:
    is_defined = ~np.isnan(values)
    if not is_defined.any():
        return np.full(2, np.nan), 0, 0
    draws = draw_lesions(lesion_ids[is_defined], _NUM_RESAMPLES, seed=0)
    defined = values[is_defined]
    means = divide(draws.sum(defined), draws.sum(np.ones(len(defined))))
    return means, len(defined), draws.num_lesions


def _order_pixels(heatmap: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return the rank of each pixel, int [H, W]; 0 is the strongest.

    Of pixels that are equally strong, as all are where there is no evidence, any may come first: a
    fixed shuffle, since the order of reading would begin at the top.
    """
    flat = heatmap.ravel()
    shuffled = np.random.default_rng(0).permutation(flat.size)
    ranks = np.empty(flat.size, dtype=np.intp)
    ranks[shuffled[np.argsort(-flat[shuffled], kind="stable")]] = np.arange(flat.size)
    return np.asarray(ranks.reshape(heatmap.shape))


def _replace_in_order(
    before: NDArray[np.uint8], after: NDArray[np.uint8], ranks: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """Return the picture as it is changed step by step, uint8 [NUM_STEPS - 1, H, W, 3]."""
    limits = np.arange(1, NUM_STEPS) * ranks.size / NUM_STEPS
    return np.asarray(np.where((ranks < limits[:, None, None])[..., None], after, before))


def _area(first: float, between: NDArray[np.float64], last: float) -> float:
    return float(np.trapezoid([first, *between, last], dx=1 / NUM_STEPS))


def _is_defined(
    heatmaps: NDArray[np.floating[Any]], outlines: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    return np.asarray((heatmaps.max(axis=(1, 2)) > 0) & outlines.any(axis=(1, 2)))


def _where(
    is_defined: NDArray[np.bool_], numerator: NDArray[Any], denominator: NDArray[Any]
) -> NDArray[np.float64]:
    undefined = np.full(len(is_defined), np.nan)
    return np.asarray(np.divide(numerator, denominator, out=undefined, where=is_defined))

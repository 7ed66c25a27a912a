"""Scale class activation maps to heatmaps, and shape them as they are shown on the photograph.

What is shown is what is tested: overlays, faithfulness tests and the energy inside the outline all
take their heatmaps from `shape_heatmaps`.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from melanoma_core.models.methods import Method

# Products of this size stay below the limit from which OpenBLAS starts threads. Its threads spin
# while they wait. They made a reading four times slower, because ONNX Runtime lost the cores.
_UNTHREADED_PRODUCTS = 2**17
_SALIENCY_QUANTILE = 0.99
_FLAT = 1e-5  # rounding differences of float32 sums, relative to the strongest value
# Colour is diagnostic in dermoscopy, so weak evidence has no tint: none up to the floor, in full
# from twice the floor.
FLOOR = 0.1
# A heatmap has a clear region if its strongest place reaches a quarter of full strength, and if
# half of that strength is reached on at most half of the photograph.
_CLEAR_STRENGTH = 0.25
_CLEAR_AREA = 0.5
_GRID = 64  # of the photograph, for the area


def scale_evidence(
    activation_maps: NDArray[np.float32], heatmap_scale: float
) -> NDArray[np.float32]:
    """Scale activation maps to strengths of the evidence for a class.

    Evidence against the class becomes 0. The scale is fixed for the model, so that a heatmap
    without evidence stays dark instead of being stretched. Except for the scale, this is Grad-CAM
    on the logit (Selvaraju et al. 2017, arXiv:1610.02391, appendix A).

    Args:
        activation_maps: float32 [..., h, w], in logits.
        heatmap_scale: Value that is drawn at full strength (`ModelCard.heatmap_scale`).

    Returns:
        float32 [..., h, w] in [0, 1].

    >>> scale_evidence(np.array([[-5.0, 1.5, 30.0]], np.float32), 3.0)
    array([[0. , 0.5, 1. ]], dtype=float32)
    """
    strengths: NDArray[np.float32] = np.clip(activation_maps / np.float32(heatmap_scale), 0, 1)
    return strengths


def shape_heatmaps(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return heatmaps as they are shown on a photograph: smooth, and without weak evidence.

    The network's grid has few cells. Linear interpolation shows them as squares with straight
    edges. Cubic B-splines have none, and keep the strength at the centre of each cell (Unser,
    "Splines: a perfect fit for signal and image processing", 1999).

    Args:
        maps: float32 [C, h, w] in [0, 1], strengths.
        height: Height of the photograph, in pixels.
        width: Width of the photograph, in pixels.

    Returns:
        float32 [C, height, width] in [0, 1]: 0 up to `FLOOR`, unchanged from twice the floor, and
        a smooth transition between them.

    >>> shape_heatmaps(np.array([[[0.1, 0.15, 0.5]]], np.float32), 1, 3).round(3)
    array([[[0.   , 0.075, 0.5  ]]], dtype=float32)
    """
    rows = interpolate_smoothly(maps.shape[1], height)
    columns = interpolate_smoothly(maps.shape[2], width)
    shaped = _multiply(maps, rows, columns)
    # In place, because allocating memory takes longer than the arithmetic. First the overshoot of
    # the splines goes, then the weak evidence with a smooth step (3t² - 2t³).
    np.clip(shaped, max(0.0, float(maps.min())), float(maps.max()), out=shaped)
    step = shaped - np.float32(FLOOR)
    step *= np.float32(1 / FLOOR)
    np.clip(step, 0, 1, out=step)
    shaped *= step
    shaped *= step
    step *= -2
    step += 3
    shaped *= step
    np.clip(shaped, 0, 1, out=shaped)  # rounding
    return shaped


def has_clear_region(heatmap: NDArray[np.float32]) -> bool:
    """Return whether a heatmap marks a region that stands out.

    Its strongest place must reach a quarter of full strength. At least half of that strength must
    cover at most half of the photograph: what marks nearly everything marks nothing.

    Args:
        heatmap: float32 [h, w] in [0, 1], strengths at the resolution of the network.

    >>> has_clear_region(np.full((6, 6), 0.9, np.float32))
    False
    >>> has_clear_region(np.eye(6, dtype=np.float32))
    True
    """
    (shaped,) = shape_heatmaps(heatmap[None], _GRID, _GRID)
    strongest = float(shaped.max())
    if not strongest >= _CLEAR_STRENGTH:
        return False
    return float((shaped >= strongest / 2).mean()) <= _CLEAR_AREA


def enlarge(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Enlarge maps to the size of the photograph, with bilinear interpolation.

    Args:
        maps: float32 [C, h, w].
        height: Height of the photograph, in pixels.
        width: Width of the photograph, in pixels.

    Returns:
        float32 [C, height, width], between the smallest and largest value of `maps`.

    >>> enlarge(np.array([[[0.0, 1.0]]], np.float32), 1, 4)
    array([[[0.  , 0.25, 0.75, 1.  ]]], dtype=float32)
    """
    rows, columns = interpolate(maps.shape[1], height), interpolate(maps.shape[2], width)
    enlarged = _multiply(maps, rows, columns)
    # The weights sum to 1 except for rounding, which must not leave the range of the maps.
    np.clip(enlarged, maps.min(), maps.max(), out=enlarged)
    return enlarged


def _multiply(
    maps: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Enlarge along both axes. They are independent, so each map takes two small products."""
    wide = maps @ columns.T
    enlarged = np.empty((len(maps), len(rows), len(columns)), dtype=np.float32)
    strip = max(1, _UNTHREADED_PRODUCTS // wide[0].size)
    for top in range(0, len(rows), strip):
        np.matmul(rows[top : top + strip], wide, out=enlarged[:, top : top + strip])
    return enlarged


@lru_cache(maxsize=64)
def interpolate(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix [target, source] of bilinear interpolation, pixel centres aligned.

    It is shared between readings, and read-only.

    >>> interpolate(1, 2)
    array([[1.],
           [1.]], dtype=float32)
    """
    position = _place(source, target).clip(0, source - 1)
    distance = np.abs(position[:, None] - np.arange(source)[None, :])
    weights: NDArray[np.float32] = np.maximum(0, 1 - distance).astype(np.float32)
    weights.setflags(write=False)  # the cache shares it between readings
    return weights


@lru_cache(maxsize=64)
def interpolate_smoothly(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix [target, source] of interpolation with cubic B-splines.

    Pixel centres are aligned, and the map is mirrored at the border of the photograph. It is
    shared between readings, and read-only.

    >>> interpolate_smoothly(2, 3)[1]
    array([0.5, 0.5], dtype=float32)
    """
    at_centres = _weigh_splines(np.arange(source, dtype=np.float64), source)
    at_targets = _weigh_splines(_place(source, target), source)
    weights: NDArray[np.float32] = np.linalg.solve(at_centres.T, at_targets.T).T.astype(np.float32)
    weights.setflags(write=False)
    return weights


def _place(source: int, target: int) -> NDArray[np.float64]:
    """Return the position of each target pixel in cells of the source, float64 [target]."""
    return np.asarray((np.arange(target) + 0.5) * (source / target) - 0.5)


def _weigh_splines(position: NDArray[np.float64], source: int) -> NDArray[np.float64]:
    """Return the weights of the cubic B-splines of mirrored cells, float64 [N, source]."""
    cells = np.arange(-2, source + 2)
    distance = np.abs(position[:, None] - cells[None, :])
    inner = 2 / 3 - distance**2 + distance**3 / 2
    outer = np.maximum(0, 2 - distance) ** 3 / 6
    weights = np.where(distance < 1, inner, outer)
    mirrored = np.where(cells < 0, -1 - cells, np.minimum(cells, 2 * source - 1 - cells))
    folded = np.zeros((len(position), source))
    np.add.at(folded.T, mirrored.clip(0, source - 1), weights.T)
    return folded


def scale_to_strongest(heatmap: NDArray[np.float32], method: Method) -> NDArray[np.float32]:
    """Scale a heatmap without a unit to strengths, relative to its strongest point.

    Such heatmaps can be compared within a photograph, not between photographs. A constant heatmap
    has no information and stays dark. Saliency has a value per pixel; its strongest 1% is drawn at
    full strength, because a single pixel would leave all others dark (Smilkov et al. 2017,
    arXiv:1706.03825, section 3.1).

    Args:
        heatmap: float32 [h, w], at least 0.
        method: The method that computed it.

    Returns:
        float32 [h, w] in [0, 1].
    """
    quantile = _SALIENCY_QUANTILE if method is Method.SALIENCY else 1.0
    strongest = float(np.quantile(heatmap, quantile))
    if not strongest > 0 or np.ptp(heatmap) <= _FLAT * strongest:
        return np.zeros_like(heatmap)
    strengths: NDArray[np.float32] = np.clip(heatmap / np.float32(strongest), 0, 1)
    return strengths

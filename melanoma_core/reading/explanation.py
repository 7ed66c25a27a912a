"""Scale class activation maps to heatmaps, and enlarge them to the photograph."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from melanoma_core.models.methods import Method

# Products of this size stay below the limit from which OpenBLAS starts threads. Its threads spin
# while they wait. They made a reading four times slower, because ONNX Runtime lost the cores.
_UNTHREADED_PRODUCTS = 2**17
_SALIENCY_QUANTILE = 0.99
_FLAT = 1e-5  # rounding differences of float32 sums, relative to the strongest value


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


def enlarge(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Enlarge heatmaps to the size of the photograph, with bilinear interpolation.

    The axes are independent, so that each heatmap takes two small matrix products.

    Args:
        maps: float32 [C, h, w].
        height: Height of the photograph, in pixels.
        width: Width of the photograph, in pixels.

    Returns:
        float32 [C, height, width], between the smallest and largest value of `maps`.

    >>> enlarge(np.array([[[0.0, 1.0]]], np.float32), 1, 4)
    array([[[0.  , 0.25, 0.75, 1.  ]]], dtype=float32)
    """
    rows = interpolate(maps.shape[1], height)
    wide = maps @ interpolate(maps.shape[2], width).T
    enlarged = np.empty((len(maps), height, width), dtype=np.float32)
    strip = max(1, _UNTHREADED_PRODUCTS // wide[0].size)
    for top in range(0, height, strip):
        np.matmul(rows[top : top + strip], wide, out=enlarged[:, top : top + strip])
    # The weights sum to 1 except for rounding, which must not leave the range of the maps.
    np.clip(enlarged, maps.min(), maps.max(), out=enlarged)
    return enlarged


@lru_cache(maxsize=64)
def interpolate(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix [target, source] of bilinear interpolation, pixel centres aligned.

    It is shared between readings, and read-only.

    >>> interpolate(1, 2)
    array([[1.],
           [1.]], dtype=float32)
    """
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    position = position.clip(0, source - 1)
    distance = np.abs(position[:, None] - np.arange(source)[None, :])
    weights: NDArray[np.float32] = np.maximum(0, 1 - distance).astype(np.float32)
    weights.setflags(write=False)  # the cache shares it between readings
    return weights


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

"""Heatmaps from the class activation maps, and the scale that maps are drawn on."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from melanoma_core.models.methods import Method

# Multiplications that OpenBLAS does without calling its threads. Those wait by spinning, and took
# the cores from ONNX Runtime's: a reading lasted four times as long.
_UNTHREADED_PRODUCTS = 2**17
_SALIENCY_QUANTILE = 0.99
_FLAT = 1e-5  # differences of float32 sums, as a share of the map's strength


def scale_evidence(
    activation_maps: NDArray[np.float32], heatmap_scale: float
) -> NDArray[np.float32]:
    """Turn activation maps into strengths: evidence for a class, none against it.

    The scale belongs to the model, not to the photograph: a map without evidence stays dark
    instead of being stretched until it glows. Up to that scale this is Grad-CAM on the logit
    (Selvaraju et al. 2017, arXiv:1610.02391, appendix A).

    Args:
        activation_maps: float32 [..., h, w], in logits.
        heatmap_scale: Value that is drawn at full strength (`ModelCard.heatmap_scale`).

    Returns:
        float32 [..., h, w] in [0, 1].
    """
    strengths: NDArray[np.float32] = np.clip(activation_maps / np.float32(heatmap_scale), 0, 1)
    return strengths


def enlarge(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Enlarge maps to a photograph's size, bilinearly.

    The two axes are independent, so that each map is two small matrix products.

    Args:
        maps: float32 [C, h, w].
        height: Of the photograph, in pixels.
        width: Likewise.

    Returns:
        float32 [C, height, width], between the smallest and largest value of `maps`.
    """
    rows = _weights(maps.shape[1], height)
    wide = maps @ _weights(maps.shape[2], width).T
    enlarged = np.empty((len(maps), height, width), dtype=np.float32)
    strip = max(1, _UNTHREADED_PRODUCTS // wide[0].size)
    for top in range(0, height, strip):
        np.matmul(rows[top : top + strip], wide, out=enlarged[:, top : top + strip])
    # Weights sum to one but for rounding, which must not leave the range of the map.
    np.clip(enlarged, maps.min(), maps.max(), out=enlarged)
    return enlarged


@lru_cache(maxsize=64)
def _weights(source: int, target: int) -> NDArray[np.float32]:
    """Return the matrix [target, source] of bilinear interpolation, pixel centres aligned."""
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    position = position.clip(0, source - 1)
    distance = np.abs(position[:, None] - np.arange(source)[None, :])
    weights: NDArray[np.float32] = np.maximum(0, 1 - distance).astype(np.float32)
    weights.setflags(write=False)  # shared by all who read
    return weights


def scale_to_strongest(heatmap: NDArray[np.float32], method: Method) -> NDArray[np.float32]:
    """Turn the map of a method without a unit into strengths, against its own strongest place.

    Such maps can be compared within a photograph, not between two. A map that is the same
    everywhere says nothing of places and stays dark. Saliency is that of single pixels, of which
    one in a hundred is drawn at full strength, or one would leave all others dark (Smilkov et al.
    2017, arXiv:1706.03825, section 3.1).

    Args:
        heatmap: float32 [h, w], at or above 0.
        method: That made it.

    Returns:
        float32 [h, w] in [0, 1].
    """
    quantile = _SALIENCY_QUANTILE if method is Method.SALIENCY else 1.0
    strongest = float(np.quantile(heatmap, quantile))
    if not strongest > 0 or np.ptp(heatmap) <= _FLAT * strongest:
        return np.zeros_like(heatmap)
    strengths: NDArray[np.float32] = np.clip(heatmap / np.float32(strongest), 0, 1)
    return strengths

"""What lies over a photograph in the image viewer: transparent, so that its pixels stay sharp."""

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from melanoma_core.reading.explanation import shape_heatmaps
from melanoma_core.reading.outline import place_outline
from melanoma_core.reading.overlay import draw_contour, draw_levels, encode_lines, encode_tint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoma_core.reading.entry import Entry

_TINT_SIDE = 640  # px; a heatmap is smooth, so the viewer enlarges it


def draw_heatmap(
    entry: "Entry",
    class_name: str,
    strengths: "NDArray[np.float32] | None" = None,
    *,
    with_levels: bool = False,
) -> bytes:
    """Return the heatmap of a diagnosis as a PNG with transparency, in the shape of the photograph.

    Args:
        entry: The photograph.
        class_name: Diagnosis code.
        strengths: float32 [h, w] in [0, 1], a heatmap of another method; by default the Grad-CAM
            heatmap of the reading.
        with_levels: Whether to draw contour lines instead of a tint.
    """
    width, height = _read_size(entry.photograph)
    if strengths is None:
        strengths = entry.reading.evidence[entry.reading.class_names.index(class_name)]
    if with_levels:
        (heatmap,) = shape_heatmaps(strengths[None], height, width)
        return encode_lines(draw_levels(_make_ground(width, height), heatmap))
    scale = min(1.0, _TINT_SIDE / max(width, height))
    size = max(1, round(scale * height)), max(1, round(scale * width))
    return encode_tint(shape_heatmaps(strengths[None], *size)[0])


def draw_outline(entry: "Entry") -> bytes | None:
    """Return the outline of the lesion as lines in a PNG; None if the reading has no outline."""
    reading = entry.reading
    if reading.outline is None:
        return None
    width, height = _read_size(entry.photograph)
    inside = place_outline(reading.outline, reading.outline_threshold, height, width)
    return encode_lines(draw_contour(_make_ground(width, height), inside))


def _make_ground(width: int, height: int) -> "NDArray[np.uint8]":
    return np.zeros((height, width, 4), np.uint8)


def _read_size(photograph: bytes) -> tuple[int, int]:
    """Return width and height of an encoded image, without decoding it."""
    return Image.open(io.BytesIO(photograph)).size

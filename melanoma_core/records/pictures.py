"""Pictures of what a record keeps, in the size of a screen: photographs, and heatmaps over them."""

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import encode_jpeg
from melanoma_core.reading.explanation import shape_heatmaps
from melanoma_core.reading.overlay import encode_tint
from melanoma_core.records.ai_readings import decode_heatmap

LARGE, SMALL = 1400, 320
"""Longer sides in pixels: of a picture that fills a page, and of one in a list."""

_TINT_SIDE = 640  # px; a heatmap is smooth, so the browser enlarges it


def draw_picture(data: bytes, side: int = LARGE) -> bytes:
    """Return a kept photograph as a JPEG file of at most a size.

    Args:
        data: Content of the kept file.
        side: The longer side in pixels, at most.

    Raises:
        ImageError: It cannot be decoded.
    """
    return encode_jpeg(decode_within(data, max_side=side).pixels)


def draw_tint(heatmap: bytes, size: tuple[int, int]) -> bytes:
    """Return a kept heatmap as a PNG file that lies over its photograph, transparent elsewhere.

    Args:
        heatmap: Content of the kept file.
        size: Width and height of the photograph.
    """
    width, height = size
    scale = min(1.0, _TINT_SIDE / max(width, height))
    shape = max(1, round(scale * height)), max(1, round(scale * width))
    return encode_tint(shape_heatmaps(decode_heatmap(heatmap)[None], *shape)[0])

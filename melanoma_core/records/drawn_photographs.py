"""The drawn photographs of the demonstration record: dermoscopic, and of the site of a specimen."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from skimage.filters import gaussian, threshold_otsu
from skimage.morphology import isotropic_closing
from skimage.transform import warp

from melanoma_core.data.drawn.lesions import JPEG_QUALITY, draw_lesion
from melanoma_core.records.outlines import Points, trace_outline
from melanoma_core.taxonomy import Diagnosis

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 600, 450
MILLIMETRES_PER_PIXEL = 0.02  # the drawing is 12 mm wide, as the view of a dermoscope
_COMMENT = "Drawn by a program, not a photograph of anyone."
_REACH = 0.95  # of half the height: beyond it, a lesion that grows moves nothing
_SMALL = 0.3  # size of a lesion in a photograph of its surroundings
_INK = (70, 40, 120)
# scikit-image declares no types.
_WARP: Callable[..., Any] = warp
_GAUSSIAN: Callable[..., Any] = gaussian
_OTSU: Callable[..., Any] = threshold_otsu
_CLOSE: Callable[..., Any] = isotropic_closing


def draw_dermoscopic(diagnosis: Diagnosis, seed: int, view: int, growth: float = 1.0) -> Pixels:
    """Draw a lesion as a dermoscope shows it, some time after it was first seen.

    Args:
        diagnosis: The diagnosis whose signs are drawn.
        seed: Which lesion.
        view: Which view of it; views differ in camera position, light and hair.
        growth: Scale of its middle, 1 to 1.4; its diameter grows by about half of that. The skin
            around it stays where it was.

    Returns:
        uint8 [450, 600, 3].
    """
    return grow(draw_lesion(diagnosis, seed, WIDTH, HEIGHT, view), growth)


def grow(pixels: Pixels, factor: float) -> Pixels:
    """Enlarge the middle of a picture, and leave its border as it is.

    Args:
        pixels: uint8 [height, width, 3].
        factor: By which the middle grows, 1 to 1.4; at 1 nothing changes.
    """
    height, width = pixels.shape[:2]
    centre, reach = np.array([width, height]) / 2, _REACH * height / 2

    def find_source(places: NDArray[np.float64]) -> NDArray[np.float64]:
        offsets = places - centre
        share = np.clip(np.hypot(*offsets.T) / reach, 0, 1)[:, None]
        inside = 1 - share**2 * (3 - 2 * share)  # 1 in the middle, 0 at the reach
        source: NDArray[np.float64] = centre + offsets * (1 - (1 - 1 / factor) * inside)
        return source

    if factor == 1:
        return pixels
    grown = _WARP(pixels, find_source, order=1, mode="edge", preserve_range=True)
    return np.asarray(np.round(grown).astype(np.uint8))


def draw_site(pixels: Pixels) -> Pixels:
    """Draw the surroundings of a lesion, with a ring of ink round the place of a specimen.

    Args:
        pixels: The lesion as a dermoscope shows it, uint8 [height, width, 3].
    """
    height, width = pixels.shape[:2]
    lesion = Image.fromarray(pixels)
    skin = Image.fromarray(np.full_like(pixels, np.median(pixels[: height // 8], axis=(0, 1))))
    small = lesion.resize((round(_SMALL * width), round(_SMALL * height)))
    corner = (width - small.width) // 2, (height - small.height) // 2
    mask = Image.new("L", small.size)
    margin = 0.12 * small.height
    ImageDraw.Draw(mask).ellipse((margin, margin, small.width - margin, small.height - margin), 255)
    skin.paste(small, corner, mask.filter(ImageFilter.GaussianBlur(margin / 2)))
    ring = (0.3 * width, 0.25 * height, 0.7 * width, 0.75 * height)
    ImageDraw.Draw(skin).ellipse(ring, outline=_INK, width=6)
    return np.asarray(skin)


def encode(pixels: Pixels) -> bytes:
    """Return a drawing as a JPEG file whose comment says that it is drawn."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY, comment=_COMMENT)
    return buffer.getvalue()


def outline_drawing(pixels: Pixels) -> Points:
    """Return the outline of a drawn lesion: what is darker or redder than its skin.

    Args:
        pixels: uint8 [height, width, 3].

    Returns:
        Corners as shares of width and height; none if nothing stands out.
    """
    green = _GAUSSIAN(pixels[..., 1].astype(np.float64), sigma=HEIGHT / 90)
    inside = _CLOSE(green < _OTSU(green), radius=HEIGHT / 12)
    return trace_outline(inside)  # closed, so that a pale part at the border belongs to it

"""Crop a photograph: to a part that a person chose, or to what lies inside a black ring.

Many dermoscopes show the skin as a disc on black. The corners, or the whole ring, are no skin.
"""

from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.images import Photograph, encode_jpeg
from melanoma_core.errors import ImageError

_SEARCH_SIDE = 256  # px; the longer side of the copy in which the ring is searched
_BLACK = 40  # of 255; below it in every channel, a pixel shows no skin. Pigment has more red.
_MIN_BLACK_BORDER = 0.02  # share of the border that is black where there is a ring or a corner
_MAX_BLACK_SIDE = 0.02  # share of a side of the crop that may be black: hairs, noise
_MIN_KEPT, _MAX_KEPT = 0.2, 0.99  # share of the photograph: a dark photograph, or nothing to cut
_MIN_PERCENT = 5  # of the width or of the height
_SHOWN_SIDE = 640  # px
_MIN_SIDE = 64  # px, as for a whole photograph


@dataclass(frozen=True)
class Crop:
    """A rectangle of a photograph, in shares of its width and height from the top left.

    Attributes:
        left: Where it begins, in [0, 1).
        top: Where it begins, in [0, 1).
        right: Where it ends, in (left, 1].
        bottom: Where it ends, in (top, 1].

    Raises:
        ImageError: The rectangle is empty, or not inside the photograph.

    Example:
        >>> Crop(0.25, 0.25, 0.75, 1.0).share
        0.375
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ImageError(
                f"Found a crop from {self.left:.0%} to {self.right:.0%} of the width and from "
                f"{self.top:.0%} to {self.bottom:.0%} of the height. It needs a part of the "
                "photograph. Choose a rectangle inside it."
            )

    @classmethod
    def whole(cls) -> "Crop":
        """Return the whole photograph."""
        return cls(0.0, 0.0, 1.0, 1.0)

    @classmethod
    def of_percent(cls, width: tuple[int, int], height: tuple[int, int]) -> "Crop":
        """Return the part between two sides each way, widened to at least 5%.

        Args:
            width: Left and right side in percent of the width, in [0, 100].
            height: Upper and lower side in percent of the height, in [0, 100].

        Example:
            >>> Crop.of_percent((100, 100), (20, 70))
            Crop(left=0.95, top=0.2, right=1.0, bottom=0.7)
        """
        (left, right), (top, bottom) = _widen(*width), _widen(*height)
        return cls(left / 100, top / 100, right / 100, bottom / 100)

    @property
    def percent(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Left and right, then upper and lower side, in whole percent."""
        left, top, right, bottom = (
            round(100 * side) for side in (self.left, self.top, self.right, self.bottom)
        )
        return (left, right), (top, bottom)

    @property
    def share(self) -> float:
        """Share of the photograph's area, in (0, 1]."""
        return (self.right - self.left) * (self.bottom - self.top)


def parse_sides(sent: object) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return the sides of a rectangle that a browser sent, in percent as `Crop.of_percent` takes.

    Args:
        sent: May be anything.

    Returns:
        None if it is not two pairs of whole numbers in [0, 100], each in its order.

    Example:
        >>> parse_sides([[10, 60], [0, 100]])
        ((10, 60), (0, 100))
        >>> parse_sides([[60, 10], [0, 100]]) is None
        True
    """
    match sent:
        case [[int(left), int(right)], [int(top), int(bottom)]] if (
            0 <= left < right <= 100 and 0 <= top < bottom <= 100
        ):
            return (left, right), (top, bottom)
        case _:
            return None


def crop_photograph(photograph: Photograph, crop: Crop) -> Photograph:
    """Return a part of a photograph.

    Args:
        photograph: The whole photograph.
        crop: The part, rounded to whole pixels.

    Raises:
        ImageError: The part has fewer than 64 pixels in width or height.

    Example:
        >>> whole = Photograph(np.zeros((100, 200, 3), np.uint8), 400, 200, "JPEG")
        >>> part = crop_photograph(whole, Crop(0.5, 0.0, 1.0, 1.0))
        >>> part.pixels.shape, part.original_width, part.original_height
        ((100, 100, 3), 200, 200)
    """
    height, width = photograph.pixels.shape[:2]
    left, right = round(crop.left * width), round(crop.right * width)
    top, bottom = round(crop.top * height), round(crop.bottom * height)
    if min(right - left, bottom - top) < _MIN_SIDE:
        raise ImageError(
            f"The crop is {right - left} × {bottom - top} pixels. At least {_MIN_SIDE} × "
            f"{_MIN_SIDE} are needed. Choose a larger part of the photograph."
        )
    return replace(
        photograph,
        pixels=np.ascontiguousarray(photograph.pixels[top:bottom, left:right]),
        original_width=round(photograph.original_width * (right - left) / width),
        original_height=round(photograph.original_height * (bottom - top) / height),
    )


def find_field_of_view(pixels: NDArray[np.uint8]) -> Crop | None:
    """Return the part of a photograph inside the black ring or corners of a dermoscope.

    From the whole photograph, the side with the largest share of black is moved inwards, until no
    side has more than 2% of it. Black is what is dark in every channel and reaches the border:
    a dark lesion in the middle stays.

    Args:
        pixels: uint8 [height, width, 3], sRGB.

    Returns:
        None if there is no ring and no corner, or if the part would be less than a fifth or more
        than 99% of the photograph.

    Example:
        >>> find_field_of_view(np.full((90, 120, 3), 180, np.uint8)) is None
        True
    """
    black = _find_black(pixels)
    height, width = black.shape
    border = np.concatenate([black[0], black[-1], black[:, 0], black[:, -1]])
    if border.mean() < _MIN_BLACK_BORDER:
        return None
    top, bottom, left, right = 0, height, 0, width
    while top < bottom and left < right:
        part = black[top:bottom, left:right]
        sides = [part[0].mean(), part[-1].mean(), part[:, 0].mean(), part[:, -1].mean()]
        if max(sides) <= _MAX_BLACK_SIDE:
            break
        worst = int(np.argmax(sides))
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    share = (bottom - top) * (right - left) / black.size
    if not _MIN_KEPT <= share <= _MAX_KEPT:
        return None
    return Crop(left / width, top / height, right / width, bottom / height)


def draw_crop(photograph: bytes, crop: Crop) -> bytes:
    """Return a photograph for display, with what lies outside a crop darkened.

    Args:
        photograph: JPEG.
        crop: The part.

    Returns:
        JPEG, whose longer side has at most 640 pixels.
    """
    image = Image.open(BytesIO(photograph))
    image.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    width, height = image.size
    left, right = round(crop.left * width), round(crop.right * width)
    top, bottom = round(crop.top * height), round(crop.bottom * height)
    pixels = np.asarray(image) // 4
    pixels[top:bottom, left:right] = np.asarray(image)[top:bottom, left:right]
    return encode_jpeg(pixels)


def _widen(low: int, high: int) -> tuple[int, int]:
    """Return two sides in percent, the second at least 5 after the first."""
    low = min(low, 100 - _MIN_PERCENT)
    return low, max(high, low + _MIN_PERCENT)


def _find_black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a small copy is black and connected with its border, bool [h, w]."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SEARCH_SIDE, _SEARCH_SIDE), Image.Resampling.BOX)
    dark: NDArray[np.bool_] = np.asarray(image).max(axis=2) < _BLACK
    reached = np.zeros_like(dark)
    reached[[0, -1]] = dark[[0, -1]]
    reached[:, [0, -1]] = dark[:, [0, -1]]
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= dark
        if (grown == reached).all():
            return reached
        reached = grown

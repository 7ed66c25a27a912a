"""Openings and closings along lines, to find thin structures such as hair.

An opening keeps what a shape fits into, and a closing fills what is narrower than it (Serra, "Image
analysis and mathematical morphology", 1982). A line of 2^k pixels takes k steps, each of which
combines a plane with itself at twice the distance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MARGIN = 16  # px around a grey plane, more than its lines reach
_GAP = 32  # px between two rows of a mask, as long as the longest line


@dataclass(frozen=True)
class Mask:
    """A set of pixels, as the bits of one number: a shift moves all rows at once.

    Attributes:
        bits: Bit `row * (width + gap) + column` says whether the pixel is in the set.
        height: Of the image, in pixels.
        width: Of the image, in pixels.
    """

    bits: int
    height: int
    width: int

    @classmethod
    def from_array(cls, pixels: NDArray[np.bool_]) -> "Mask":
        """Return the set of pixels that are true in a bool [height, width]."""
        height, width = pixels.shape
        rows = np.zeros((height, width + _GAP), dtype=bool)
        rows[:, :width] = pixels
        return cls(int.from_bytes(np.packbits(rows, bitorder="little"), "little"), height, width)

    def to_array(self) -> NDArray[np.bool_]:
        """Return bool [height, width].

        >>> Mask.from_array(np.array([[True, False]])).to_array()
        array([[ True, False]])
        """
        size = self.height * (self.width + _GAP)
        raw = np.frombuffer(self.bits.to_bytes(-(-size // 8), "little"), np.uint8)
        flat = np.unpackbits(raw, count=size, bitorder="little").view(np.bool_)
        return flat.reshape(self.height, -1)[:, : self.width]

    def __len__(self) -> int:
        """Return the number of pixels in the set."""
        return self.bits.bit_count()

    def __or__(self, other: "Mask") -> "Mask":
        """Return the pixels in one of two sets of the same image."""
        return self._with(self.bits | other.bits)

    def __and__(self, other: "Mask") -> "Mask":
        """Return the pixels in both of two sets of the same image."""
        return self._with(self.bits & other.bits)

    def __sub__(self, other: "Mask") -> "Mask":
        """Return the pixels in this set that are not in the other one."""
        return self._with(self.bits & ~other.bits)

    def open_along(self, angle: float, doublings: Sequence[int]) -> list["Mask"]:
        """Keep what lines fit into.

        Args:
            angle: Direction of the lines, in radians.
            doublings: For each result, its lines have 2^doublings pixels; ascending, at most 5.

        Returns:
            One mask for each number of doublings.
        """
        stride, cos, sin = self.width + _GAP, math.cos(angle), math.sin(angle)
        steps = (2**step for step in range(doublings[-1]))
        line = [round(sin * step) * stride + round(cos * step) for step in steps]
        opened, eroded, done = [], self.bits, 0
        for length in doublings:
            eroded, done = _erode(eroded, line[done:length]), length
            opened.append(self._with(_dilate(eroded, line[:length])))
        return opened

    def open_square(self, side: int) -> "Mask":
        """Keep what a square of `side` pixels fits into."""
        square = self._make_square(side)
        return self._with(_dilate(_erode(self.bits, square), square))

    def drop_broad(self, side: int) -> "Mask":
        """Remove what a square of `side` pixels fits into, with `side` pixels around it."""
        around = self._make_square(2 * side + 1)
        broad = _dilate(self.open_square(side).bits, around)
        return self._with(self.bits & ~(broad >> side * (self.width + _GAP + 1)))

    def _with(self, bits: int) -> "Mask":
        return Mask(bits, self.height, self.width)

    def _make_square(self, side: int) -> list[int]:
        run: list[int] = []
        while (done := 1 + sum(run)) < side:
            run.append(min(done, side - done))
        return run + [step * (self.width + _GAP) for step in run]


def find_pixels(
    masks: Sequence[Mask],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels in each set, one set after another.

    Args:
        masks: Sets of pixels of the same image; at least one.

    Returns:
        Rows and columns of the pixels, int64 [N] each, and the number of pixels of each set.

    >>> find_pixels([Mask.from_array(np.array([[False, True], [True, False]]))])
    (array([0, 1]), array([1, 0]), array([2]))
    """
    stride = masks[0].width + _GAP
    num_bits = 64 * -(-masks[0].height * stride // 64)
    joined = b"".join(mask.bits.to_bytes(num_bits // 8, "little") for mask in masks)
    words = np.frombuffer(joined, "<u8")
    occupied = np.flatnonzero(words)  # few words are: unpacking them all would take longer
    bits = np.unpackbits(words[occupied].view(np.uint8), bitorder="little")
    places = np.flatnonzero(bits.view(np.bool_))
    positions = (64 * occupied)[places // 64] + places % 64
    starts = num_bits * np.arange(len(masks) + 1)
    counts = np.diff(np.searchsorted(positions, starts))
    positions -= np.repeat(starts[:-1], counts)
    rows = positions // stride
    return rows, positions - rows * stride, counts


def _erode(bits: int, shifts: Sequence[int]) -> int:
    for shift in shifts:
        bits &= bits >> shift if shift >= 0 else bits << -shift
    return bits


def _dilate(bits: int, shifts: Sequence[int]) -> int:
    for shift in shifts:
        bits |= bits << shift if shift >= 0 else bits >> -shift
    return bits


def find_narrow(plane: NDArray[np.uint8], doublings: int) -> NDArray[np.uint8]:
    """Return how much darker an image is than its surroundings, where it is narrow.

    Args:
        plane: uint8 [height, width].
        doublings: What is narrower than 2^doublings pixels in one of four directions counts; at
            most 4.

    Returns:
        uint8 [height, width], the largest difference of a closing from the image (black top-hat).
    """
    wide = np.pad(plane, _MARGIN, mode="edge")
    flat, stride = wide.ravel(), wide.shape[1]
    closed = flat.copy()
    for unit in (1, stride + 1, stride, stride - 1):  # 0, 45, 90 and 135 degrees
        filled = flat
        for shift in (unit * 2**step for step in range(doublings)):
            filled = _combine(np.maximum, filled, shift)
        for shift in (unit * 2**step for step in range(doublings)):
            filled = _combine(np.minimum, filled, -shift)
        np.maximum(closed, filled, out=closed)
    depth = (closed - flat).reshape(wide.shape)
    return depth[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def _combine(operation: np.ufunc, flat: NDArray[np.uint8], shift: int) -> NDArray[np.uint8]:
    """Return each pixel combined with the one `shift` further on, where there is one."""
    combined, length = np.empty_like(flat), max(0, len(flat) - abs(shift))
    if shift >= 0:
        operation(flat[:length], flat[shift:][:length], out=combined[:length])
        combined[length:] = flat[length:]
    else:
        operation(flat[-shift:][:length], flat[:length], out=combined[len(flat) - length :])
        combined[: len(flat) - length] = flat[: len(flat) - length]
    return combined

"""Divide a mask into its connected regions, and fill their holes.

A mask is one whole number here, with a bit for each pixel, so that a shift moves all rows at once
(as in `data.morphology`). A region grows from a seed in the four directions, twice as far with
every step, until nothing more can be reached.
"""

import numpy as np
from numpy.typing import NDArray


def find_regions(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return the regions of pixels that touch side by side, the largest first.

    Args:
        mask: bool [H, W].

    Returns:
        One bool [H, W] for each region.

    Example:
        >>> [region.tolist() for region in find_regions(np.array([[True, False, True, True]]))]
        [[[False, False, True, True]], [[True, False, False, False]]]
    """
    stride, rest, regions = mask.shape[1] + 2, _pack(mask), []
    while rest:
        regions.append(_grow(rest & -rest, rest, stride))
        rest ^= regions[-1]
    regions.sort(key=int.bit_count, reverse=True)
    return [_unpack(region, mask.shape) for region in regions]


def fill_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask with all pixels that it encloses.

    Args:
        mask: bool [H, W].

    Example:
        >>> ring = np.ones((3, 3), bool)
        >>> ring[1, 1] = False
        >>> bool(fill_holes(ring).all())
        True
    """
    stride = mask.shape[1] + 2
    everywhere = (1 << (mask.shape[0] + 2) * stride) - 1
    outside = _grow(1, everywhere ^ _pack(mask), stride)
    return _unpack(everywhere ^ outside, mask.shape)


def _pack(mask: NDArray[np.bool_]) -> int:
    """Return the bits of a mask with a pixel around it, which no region crosses."""
    return int.from_bytes(np.packbits(np.pad(mask, 1), bitorder="little").tobytes(), "little")


def _unpack(bits: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    height, width = shape[0] + 2, shape[1] + 2
    raw = np.frombuffer(bits.to_bytes(-(-height * width // 8), "little"), np.uint8)
    flat = np.unpackbits(raw, count=height * width, bitorder="little").view(np.bool_)
    return flat.reshape(height, width)[1:-1, 1:-1]


def _grow(seed: int, within: int, stride: int) -> int:
    reached = 0
    while reached != seed:
        reached = seed
        for unit in (1, -1, stride, -stride):
            seed = _spread(seed, within, unit)
    return seed


def _spread(seed: int, within: int, unit: int) -> int:
    """Return what can be reached in one direction (the occluded fill of chess programs)."""
    shift = abs(unit)
    while True:
        reached = seed | within & (seed << shift if unit > 0 else seed >> shift)
        if reached == seed:
            return seed
        within &= within << shift if unit > 0 else within >> shift
        seed, shift = reached, 2 * shift

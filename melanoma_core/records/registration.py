"""Lay the later of two photographs of a lesion on the earlier one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How the later photograph lies on the earlier one: a similarity transform.

    Attributes:
        matrix: Two rows of three: (x, y, 1) in pixels of the later photograph to (x, y) in pixels
            of the earlier one. The centre of the first pixel is (0, 0).
        earlier_size: Height and width of the earlier photograph in pixels.
        later_size: Height and width of the later one.
        num_inliers: Number of matched features that agree with the transform.
        num_matches: Number of matched features.
        residual: Root mean square distance of the inliers, in pixels of the earlier photograph.
        scale: Pixels of the earlier photograph per pixel of the later one.
        rotation: In degrees, in (-180, 180]; positive is clockwise as seen.
        overlap: Share of the earlier photograph that the later one covers, in [0, 1].
    """

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    earlier_size: tuple[int, int]
    later_size: tuple[int, int]
    num_inliers: int
    num_matches: int
    residual: float
    scale: float
    rotation: float
    overlap: float


@dataclass(frozen=True, kw_only=True)
class NotRegistered:
    """That two photographs could not be laid on each other.

    Attributes:
        reason: Why, in a sentence for people.
        num_matches: Number of matched features.
        num_inliers: Number of those that agree with the best transform.
    """

    reason: str
    num_matches: int = 0
    num_inliers: int = 0


def register_photographs(
    earlier: NDArray[np.uint8], later: NDArray[np.uint8]
) -> Registration | NotRegistered:
    """Find how the later photograph lies on the earlier one.

    Args:
        earlier: uint8 [H, W, 3], sRGB.
        later: uint8 [h, w, 3], sRGB; its size may differ.
    """
    raise NotImplementedError


def lay_photograph(
    later: NDArray[np.uint8], registration: Registration
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the later photograph in the earlier one's pixels, and which of them it covers.

    Returns:
        uint8 [H, W, 3], black where it does not reach; bool [H, W].
    """
    raise NotImplementedError


def lay_outline(inside: NDArray[np.bool_], registration: Registration) -> NDArray[np.bool_]:
    """Return an outline of the later photograph in the earlier one's pixels, bool [H, W]."""
    raise NotImplementedError

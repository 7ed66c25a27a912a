"""Lay the later of two photographs of a lesion on the earlier one.

Features of the lightness (SIFT: Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94) are matched, and
the similarity transform on which most matches agree is kept (RANSAC: Fischler and Bolles 1981,
doi:10.1145/358669.358692), with a fixed seed. What few matches agree on is refused: two photographs
of different lesions have some by chance. How often each happens on real photographs is measured by
`records.registration_study`, on other lesions than those on which the limits were chosen.
"""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import SIFT, match_descriptors
from skimage.measure import ransac
from skimage.transform import SimilarityTransform

from melanoma_core.records.outlines import Points

# Chosen on one half of the lesions with several photographs (`registration_study`), and measured on
# the other half.
MIN_INLIERS = 6  # features at different places
MAX_SCALE = 4.0  # and at least its reciprocal
MAX_RESIDUAL = 2.0  # px at the size at which photographs are compared, of the coarser one

_SIDE = 300  # px; the longer side of a photograph as it is compared
_MIN_SIDE = 32  # px
_MIN_ASPECT = 1 / 8  # of the shorter to the longer side: features need some width
_CONTRAST = 0.004  # smallest of a feature; SIFT's own limit leaves out most of a smooth lesion
_RATIO = 0.9  # largest of the distances to the nearest and to the next descriptor (Lowe 2004)
_TOLERANCE = 3.0  # px; a match within this distance agrees with a transform
_OFFSET = 0.25  # px; scikit-image doubles the image first, and forgets the half pixel
_MAX_TRIALS, _CONFIDENCE = 1000, 0.999  # of RANSAC
_NEEDED = 2  # matches that determine a similarity transform
_SEED = 0
_GRID = 64  # points of each side at which the overlap is counted

# RANSAC warns where no transform is plausible, which is an answer here.
for _message in ("No inliers found", "Estimated model is not valid"):
    warnings.filterwarnings("ignore", _message, UserWarning)


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


@dataclass(frozen=True, eq=False)
class Features:
    """The features of a photograph.

    Attributes:
        size: Height and width of the photograph in pixels.
        shrinkage: Pixels of the photograph per pixel at which it is compared.
        positions: float64 [N, 2], x and y at which each lies, at the size of comparison.
        descriptors: uint8 [N, 128].
    """

    size: tuple[int, int]
    shrinkage: float
    positions: NDArray[np.float64]
    descriptors: NDArray[np.uint8]


def register_photographs(
    earlier: NDArray[np.uint8], later: NDArray[np.uint8]
) -> Registration | NotRegistered:
    """Find how the later photograph lies on the earlier one.

    Args:
        earlier: uint8 [H, W, 3], sRGB.
        later: uint8 [h, w, 3], sRGB; its size may differ.

    Returns:
        How it lies, or why that was not found: too few features agree, or they agree badly.
    """
    return register_features(describe_features(earlier), describe_features(later))


def describe_features(pixels: NDArray[np.uint8]) -> Features:
    """Find the features of a photograph.

    Args:
        pixels: uint8 [H, W, 3], sRGB.
    """
    height, width = pixels.shape[:2]
    shrinkage = max(height, width) / _SIDE
    none = np.empty((0, 2)), np.empty((0, 128), np.uint8)
    if _is_small((height, width)):
        return Features((height, width), shrinkage, *none)
    size = max(1, round(width / shrinkage)), max(1, round(height / shrinkage))
    grey = Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.BICUBIC)
    sift: Any = SIFT(c_dog=_CONTRAST)  # type: ignore[no-untyped-call]
    try:
        sift.detect_and_extract(np.asarray(grey, np.float32) / 255)
    except RuntimeError:  # there is no feature
        return Features((height, width), shrinkage, *none)
    positions = np.asarray(sift.positions[:, ::-1], np.float64) - _OFFSET
    return Features((height, width), shrinkage, positions, sift.descriptors)


def register_features(earlier: Features, later: Features) -> Registration | NotRegistered:
    """Find how the later photograph lies on the earlier one, from their features."""
    for name, size in (("earlier", earlier.size), ("later", later.size)):
        if _is_small(size):
            return NotRegistered(
                reason=f"The {name} photograph is {size[1]} × {size[0]} pixels. At least "
                f"{_MIN_SIDE} × {_MIN_SIDE} are needed, and the shorter side must be at least "
                f"{_MIN_ASPECT:.3f} of the longer one."
            )
    source, target = _match(earlier, later)
    if len(source) < _NEEDED:
        return _refuse_few(len(source), 0)
    model, agrees = ransac(  # type: ignore[no-untyped-call]
        (source, target),
        _Similarity,
        min_samples=_NEEDED,
        residual_threshold=_TOLERANCE,
        is_model_valid=_is_plausible,
        max_trials=_MAX_TRIALS,
        stop_probability=_CONFIDENCE,
        rng=_SEED,
    )
    if model is None:
        return _refuse_few(len(source), 0)
    source, target, num_matches = source[agrees], target[agrees], len(source)
    num_inliers = _count_places(source, target)
    if num_inliers < MIN_INLIERS:
        return _refuse_few(num_matches, num_inliers)
    residual = math.sqrt(float((model.residuals(source, target) ** 2).mean()))
    reason = _judge(model, residual)
    if reason:
        return NotRegistered(reason=reason, num_matches=num_matches, num_inliers=num_inliers)
    return _describe(model, (earlier, later), (num_matches, num_inliers), residual)


class _Similarity(SimilarityTransform):
    """A similarity transform whose residuals are in pixels of the coarser photograph."""

    def residuals(self, src: NDArray[np.float64], dst: NDArray[np.float64]) -> NDArray[np.float64]:
        distances: NDArray[np.float64] = super().residuals(src, dst)  # type: ignore[no-untyped-call]
        return distances / max(1.0, float(self.scale))


def _is_small(size: tuple[int, int]) -> bool:
    return min(size) < max(_MIN_SIDE, _MIN_ASPECT * max(size))


def _is_plausible(model: SimilarityTransform, *_: object) -> bool:
    return bool(1 / MAX_SCALE <= model.scale <= MAX_SCALE)


def _match(earlier: Features, later: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the matched features lie in the later and in the earlier photograph."""
    if not len(earlier.positions) or not len(later.positions):
        return np.empty((0, 2)), np.empty((0, 2))
    pairs = match_descriptors(  # type: ignore[no-untyped-call]
        earlier.descriptors, later.descriptors, max_ratio=_RATIO
    )
    return later.positions[pairs[:, 1]], earlier.positions[pairs[:, 0]]


def _count_places(*positions: NDArray[np.float64]) -> int:
    """Return at how many places the features lie in the photograph that has fewer.

    SIFT finds several features at one place, which agree with each other whatever they show.
    """
    return min(len(np.unique(np.rint(each / _TOLERANCE), axis=0)) for each in positions)


def _refuse_few(num_matches: int, num_inliers: int) -> NotRegistered:
    return NotRegistered(
        reason=f"Too few features agree: {num_inliers} of {num_matches} that were matched. At "
        f"least {MIN_INLIERS} are needed. The photographs may show different lesions, or differ "
        "too much in light, focus or magnification.",
        num_matches=num_matches,
        num_inliers=num_inliers,
    )


def _judge(model: SimilarityTransform, residual: float) -> str:
    """Return why a transform is not accepted; "" if it is. A camera may be held at any angle."""
    if not _is_plausible(model):
        return (
            "One photograph would be magnified "
            f"{max(model.scale, 1 / model.scale):.1f} times as much as the other. At most "
            f"{MAX_SCALE:g} times is plausible."
        )
    if residual > MAX_RESIDUAL:
        return (
            "The photographs agree only roughly: matched features lie "
            f"{residual / _SIDE:.1%} of the longer side apart. At most {MAX_RESIDUAL / _SIDE:.1%} "
            "is accepted."
        )
    return ""


def _describe(
    model: SimilarityTransform,
    features: tuple[Features, Features],
    counts: tuple[int, int],
    residual: float,
) -> Registration:
    """Return a transform in the pixels of the two photographs."""
    earlier, later = features
    # The centre of a pixel is at 0.5 from the photograph's edge, which all sizes share.
    grow = _zoom(earlier.shrinkage) @ model.params @ np.linalg.inv(_zoom(later.shrinkage))
    (a, b, x), (c, d, y) = grow[:2].tolist()
    scale = math.hypot(grow[0, 0], grow[1, 0])
    registration = Registration(
        matrix=((a, b, x), (c, d, y)),
        earlier_size=earlier.size,
        later_size=later.size,
        num_matches=counts[0],
        num_inliers=counts[1],
        residual=residual * max(1.0, float(model.scale)) * earlier.shrinkage,
        scale=scale,
        rotation=math.degrees(math.atan2(grow[1, 0], grow[0, 0])),
        overlap=0.0,
    )
    return replace(registration, overlap=_measure_overlap(registration))


def _zoom(factor: float) -> NDArray[np.float64]:
    """Return the transform from pixels at the size of comparison to those of the photograph."""
    shift = (factor - 1) / 2
    return np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1]])


def _measure_overlap(registration: Registration) -> float:
    """Return the share of a grid of points of the earlier photograph that the later one covers."""
    height, width = registration.earlier_size
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(width * steps - 0.5, height * steps - 0.5)
    points = np.stack([x, y, np.ones_like(x)], axis=-1) @ _invert(registration)[:2].T
    limits = np.array(registration.later_size[::-1]) - 0.5
    return float(((points >= -0.5) & (points <= limits)).all(axis=-1).mean())


def _invert(registration: Registration) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv([*registration.matrix, (0.0, 0.0, 1.0)]))


def lay_photograph(
    later: NDArray[np.uint8], registration: Registration
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the later photograph in the earlier one's pixels, and which of them it covers.

    Args:
        later: uint8 [h, w, 3], the later photograph.
        registration: Of the two.

    Returns:
        uint8 [H, W, 3], black where it does not reach; bool [H, W].
    """
    laid = _lay(Image.fromarray(later), registration, Image.Resampling.BICUBIC)
    everywhere = Image.new("L", registration.later_size[::-1], 255)
    covered = _lay(everywhere, registration, Image.Resampling.NEAREST)
    return np.asarray(laid), np.asarray(covered) > 0


def _lay(image: Image.Image, registration: Registration, method: Image.Resampling) -> Image.Image:
    """Return an image in the earlier photograph's pixels, shrunk first where it has finer ones."""
    inverse = _invert(registration)
    # Pillow counts from the corner of the first pixel.
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = shift @ inverse @ np.linalg.inv(shift)
    factor = max(1, math.floor(1 / registration.scale))
    if factor > 1 and method != Image.Resampling.NEAREST:
        width, height = image.size
        image = image.reduce(factor)
        matrix[0] *= image.width / width
        matrix[1] *= image.height / height
    height, width = registration.earlier_size
    return image.transform(
        (width, height), Image.Transform.AFFINE, tuple(matrix[:2].ravel()), method
    )


@dataclass(frozen=True)
class Placement:
    """Where the later photograph lies, in widths of the earlier one from its upper left corner.

    Attributes:
        x: Of its left edge, before it is turned.
        y: Of its upper edge, before it is turned.
        width: Its width.
        degrees: By how much it is turned about its centre; positive is clockwise as seen.
    """

    x: float
    y: float
    width: float
    degrees: float


def place_later(registration: Registration) -> Placement:
    """Return where the later photograph lies on the earlier one."""
    ((x, y),) = lay_points(((0.5, 0.5),), registration)
    earlier_height, earlier_width = registration.earlier_size
    height, width = registration.later_size
    share = registration.scale / earlier_width
    return Placement(
        x=x - width * share / 2,
        y=y * earlier_height / earlier_width - height * share / 2,
        width=width * share,
        degrees=registration.rotation,
    )


def lay_points(points: Points, registration: Registration) -> Points:
    """Return an outline of the later photograph as shares of the earlier one's sides.

    Args:
        points: Corners as shares of the later photograph's width and height.
        registration: Of the two.

    Returns:
        Corners as shares of the earlier photograph's width and height; outside of [0, 1] where the
        outline lies beyond the earlier photograph.
    """
    if not points:
        return ()
    pixels = np.asarray(points) * registration.later_size[::-1] - 0.5
    laid = np.column_stack([pixels, np.ones(len(pixels))]) @ np.asarray(registration.matrix).T
    return tuple((float(x), float(y)) for x, y in (laid + 0.5) / registration.earlier_size[::-1])

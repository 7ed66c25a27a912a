"""Check whether the technical quality of a photograph is sufficient for a reading.

The warning limits come from real lesions: each limit is exceeded by 1 of 400 photographs of the
training subset of the bundled model (HAM10000, ISIC 2017 and the nine-class set). The network has
not been evaluated beyond them, so a reading then comes with a warning. The rejection limits are far
beyond all real lesions: no lesion is visible there, and the photograph is not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.data.images import Photograph
from melanoma_core.data.scanning import measure_light, measure_sharpness, resize_to_standard


class QualityKind(StrEnum):
    """Quality problems of a photograph, as displayed."""

    BLURRED = "blurred"
    DARK = "too dark"
    BRIGHT = "too bright"
    SMALL = "too small"
    FLAT = "without any structure"
    INK = "ink"
    HAIR = "hair"
    RULER = "ruler"
    SEVERAL = "one of several images"
    BURNED_IN = "burned-in text"


@dataclass(frozen=True)
class Quality:
    """Quality measures of a photograph.

    Attributes:
        sharpness: Variance of the Laplacian (`facts.FileFacts`).
        brightness: Mean luma, in [0, 1].
        contrast: Standard deviation of the luma, in [0, 0.5].
        shorter_side: Shorter side of the original image in pixels.
    """

    sharpness: float
    brightness: float
    contrast: float
    shorter_side: int


@dataclass(frozen=True)
class QualityFinding:
    """A quality problem of a photograph.

    Attributes:
        kind: The kind of problem.
        value: The measure that is beyond the limit, in its own unit (`Quality`, or
            `artefacts.measure_artefacts`).
        limit: The minimum or maximum of the measure.
        refused: Whether the photograph is not read. Otherwise the reading comes with a warning.
        text: The problem, the typical range, and what to do.
    """

    kind: QualityKind
    value: float
    limit: float
    refused: bool
    text: str


# Rejection limits: no lesion is visible beyond them. Of 8,757 real photographs, the darkest has a
# brightness of 0.23, the brightest 0.94, and the lowest contrast is 0.019.
_MIN_BRIGHTNESS, _MAX_BRIGHTNESS, _MIN_CONTRAST = 0.15, 0.97, 0.01
# Warning limits: exceeded by 1 of 400 of these photographs. The shorter side is their minimum.
_BLURRED, _DARK, _BRIGHT, _SMALL = 0.00013, 0.37, 0.87, 150


def measure_quality(photograph: Photograph) -> Quality:
    """Measure the quality of a photograph. The result hardly depends on its resolution.

    Args:
        photograph: A decoded photograph.

    Returns:
        Its quality measures.
    """
    luma = photograph.image.convert("L")
    brightness, contrast = measure_light(luma)
    return Quality(
        sharpness=measure_sharpness(resize_to_standard(luma)),
        brightness=brightness,
        contrast=contrast,
        shorter_side=min(photograph.original_width, photograph.original_height),
    )


def judge_quality(quality: Quality) -> tuple[QualityFinding, ...]:
    """Compare quality measures with their limits.

    Args:
        quality: Measures of a photograph.

    Returns:
        One finding if the photograph must not be read, else all warnings.

    Example:
        >>> judge_quality(Quality(6e-4, brightness=0.6, contrast=0.1, shorter_side=450))
        ()
    """
    return tuple(_find_rejections(quality))[:1] or tuple(_find_warnings(quality))


def find_choice(photograph: Photograph) -> tuple[QualityFinding, ...]:
    """Say which image was read, if the file holds several.

    Args:
        photograph: A decoded photograph.

    Returns:
        One finding or none.

    Example:
        >>> import numpy as np
        >>> pixels = np.zeros((80, 80, 3), np.uint8)
        >>> (finding,) = find_choice(Photograph(pixels, 80, 80, "HEIF", "first frame", 12))
        >>> finding.text  # doctest: +ELLIPSIS
        'The file holds 12 images, and its first frame was read. To have another one read, ...'
    """
    number = photograph.num_images
    if number < 2:
        return ()
    text = (
        f"The file holds {number} images, and its {photograph.chosen} was read. To have another "
        "one read, save it as a JPEG."
    )
    return (QualityFinding(QualityKind.SEVERAL, number, 1, False, text),)


def find_burned_in(photograph: Photograph) -> tuple[QualityFinding, ...]:
    """Say whether the file declares text that is part of its pixels, as DICOM files do.

    Args:
        photograph: A decoded photograph.

    Returns:
        One finding or none.
    """
    if not photograph.has_burned_in:
        return ()
    text = (
        "The file says that text is part of its pixels (Burned In Annotation). It may name the "
        "patient, and the model may read it. Check it, or crop the photograph to the lesion."
    )
    return (QualityFinding(QualityKind.BURNED_IN, 1, 0, False, text),)


def _find_rejections(quality: Quality) -> Iterator[QualityFinding]:
    def reject(kind: QualityKind, value: float, limit: float, problem: str) -> QualityFinding:
        text = f"The photograph is {problem}. Photograph the lesion again, in even light, in focus."
        return QualityFinding(kind, value, limit, True, text)

    brightness, contrast = quality.brightness, quality.contrast
    mean = f"mean brightness {brightness:.0%} of white"
    if brightness < _MIN_BRIGHTNESS:
        problem = f"nearly black ({mean}, needed: at least {_MIN_BRIGHTNESS:.0%})"
        yield reject(QualityKind.DARK, brightness, _MIN_BRIGHTNESS, problem)
    if brightness > _MAX_BRIGHTNESS:
        problem = f"nearly white ({mean}, needed: at most {_MAX_BRIGHTNESS:.0%})"
        yield reject(QualityKind.BRIGHT, brightness, _MAX_BRIGHTNESS, problem)
    if contrast < _MIN_CONTRAST:
        problem = f"a uniform surface (contrast {contrast:.1%}, needed: {_MIN_CONTRAST:.1%})"
        yield reject(QualityKind.FLAT, contrast, _MIN_CONTRAST, problem)


def _find_warnings(quality: Quality) -> Iterator[QualityFinding]:
    def warn(kind: QualityKind, value: float, limit: float, measure: str) -> QualityFinding:
        text = f"The photograph is {kind} ({measure}): {_ADVICE[kind]}."
        return QualityFinding(kind, value, limit, False, text)

    sharpness, brightness, side = quality.sharpness, quality.brightness, quality.shorter_side
    mean = f"mean brightness {brightness:.0%} of white"
    if sharpness < _BLURRED:
        measure = f"sharpness {1e4 * sharpness:.2f}, typical: at least {1e4 * _BLURRED:.2f}"
        yield warn(QualityKind.BLURRED, sharpness, _BLURRED, measure)
    if brightness < _DARK:
        measure = f"{mean}, typical: at least {_DARK:.0%}"
        yield warn(QualityKind.DARK, brightness, _DARK, measure)
    if brightness > _BRIGHT:
        measure = f"{mean}, typical: at most {_BRIGHT:.0%}"
        yield warn(QualityKind.BRIGHT, brightness, _BRIGHT, measure)
    if side < _SMALL:
        measure = f"shorter side {side} pixels, typical: at least {_SMALL}"
        yield warn(QualityKind.SMALL, side, _SMALL, measure)


_ADVICE = {
    QualityKind.BLURRED: (
        "fine structures may be lost. Focus, hold the camera still and photograph again"
    ),
    QualityKind.DARK: "colours may be misleading. Photograph again in brighter light",
    QualityKind.BRIGHT: "pale structures may be lost. Photograph again in softer light",
    QualityKind.SMALL: (
        "fine structures may be lost. Use the original photograph, not a smaller copy"
    ),
}

"""Whether a photograph is good enough to be read: sharp, well lit, large enough.

What is usual was measured on real lesions, not thought up: each limit is where only 1 of 400
photographs of the train subset lies beyond (the bundled model's, of HAM10000, ISIC 2017 and the
nine-class set). Beyond it a reading comes with a warning, since nobody measured how the network
fares there. Where nothing can be seen at all, far beyond every real lesion, nothing is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from melanoma_core.data.images import Photograph
from melanoma_core.data.scanning import measure_light, measure_sharpness, standardise


class QualityKind(StrEnum):
    """What can be wrong with a photograph, as a person says it."""

    BLURRED = "blurred"
    DARK = "too dark"
    BRIGHT = "too bright"
    SMALL = "too small"
    FLAT = "without any structure"


@dataclass(frozen=True)
class Quality:
    """What was measured on one photograph.

    Attributes:
        sharpness: As `scanning.FileFacts`, and so are the next two.
        brightness: Mean luma, in [0, 1].
        contrast: Standard deviation of the luma, in [0, 0.5].
        shorter_side: Of the file's picture, in pixels.
    """

    sharpness: float
    brightness: float
    contrast: float
    shorter_side: int


@dataclass(frozen=True)
class QualityFinding:
    """One thing that is wrong with a photograph.

    Attributes:
        kind: What is wrong.
        value: The measure that decided, in its own unit (`Quality`).
        limit: What it had to reach, or not to exceed.
        refused: Whether nothing is read; else a reading comes with a warning.
        text: What was found, what is usual, what to do.
    """

    kind: QualityKind
    value: float
    limit: float
    refused: bool
    text: str


# Beyond these, nothing of a lesion can be seen: the darkest of 8,757 real ones has 0.23, the
# brightest 0.94, the one with the least contrast 0.019.
_DARKEST, _BRIGHTEST, _FLATTEST = 0.15, 0.97, 0.01
# Of 400 of them, 1 lies beyond; the shortest side is the shortest there.
_BLURRED, _DARK, _BRIGHT, _SMALL = 0.00013, 0.37, 0.87, 150


def measure_quality(photograph: Photograph) -> Quality:
    """Measure a photograph: at one size, so that cameras of all resolutions are compared."""
    luma = Image.fromarray(photograph.pixels).convert("L")
    brightness, contrast = measure_light(luma)
    return Quality(
        sharpness=measure_sharpness(standardise(luma)),
        brightness=brightness,
        contrast=contrast,
        shorter_side=min(photograph.original_width, photograph.original_height),
    )


def judge_quality(quality: Quality) -> tuple[QualityFinding, ...]:
    """Return what is wrong: the one thing for which nothing is read, else every warning."""
    return tuple(_find_unreadable(quality))[:1] or tuple(_find_unusual(quality))


def _find_unreadable(quality: Quality) -> Iterator[QualityFinding]:
    def find(kind: QualityKind, value: float, limit: float, found: str) -> QualityFinding:
        text = f"The photograph is {found}. Photograph the lesion again, in even light, in focus."
        return QualityFinding(kind, value, limit, True, text)

    brightness, contrast = quality.brightness, quality.contrast
    light = f"(mean brightness {brightness:.0%} of white;"
    if brightness < _DARKEST:
        found = f"nearly black {light} a lesion is seen from {_DARKEST:.0%})"
        yield find(QualityKind.DARK, brightness, _DARKEST, found)
    if brightness > _BRIGHTEST:
        found = f"nearly white {light} a lesion is seen up to {_BRIGHTEST:.0%})"
        yield find(QualityKind.BRIGHT, brightness, _BRIGHTEST, found)
    if contrast < _FLATTEST:
        found = f"one even surface (contrast {contrast:.1%}; a lesion is seen from {_FLATTEST:.1%})"
        yield find(QualityKind.FLAT, contrast, _FLATTEST, found)


def _find_unusual(quality: Quality) -> Iterator[QualityFinding]:
    def find(
        kind: QualityKind, value: float, limit: float, measure: str, advice: str
    ) -> QualityFinding:
        text = f"The photograph is {kind} ({measure}): {advice}."
        return QualityFinding(kind, value, limit, False, text)

    brightness = f"mean brightness {quality.brightness:.0%} of white, usual is"
    if quality.sharpness < _BLURRED:
        yield find(
            *(QualityKind.BLURRED, quality.sharpness, _BLURRED),
            f"sharpness {1e4 * quality.sharpness:.2f}, usual is {1e4 * _BLURRED:.2f} or more",
            "fine structures may be lost. Focus, hold still and photograph again",
        )
    if quality.brightness < _DARK:
        yield find(
            *(QualityKind.DARK, quality.brightness, _DARK, f"{brightness} {_DARK:.0%} or more"),
            "colours may mislead. Photograph again in brighter light",
        )
    if quality.brightness > _BRIGHT:
        yield find(
            *(QualityKind.BRIGHT, quality.brightness, _BRIGHT),
            f"{brightness} {_BRIGHT:.0%} or less",
            "pale structures may be lost. Photograph again in softer light",
        )
    if quality.shorter_side < _SMALL:
        yield find(
            *(QualityKind.SMALL, quality.shorter_side, _SMALL),
            f"{quality.shorter_side} pixels on its shorter side, usual is {_SMALL} or more",
            "fine structures may be lost. Use the original photograph, not a smaller copy",
        )

"""What the network says of a case of a quiz, with its heatmap of melanoma."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import encode_jpeg
from melanoma_core.errors import ImageError
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.explanation import has_clear_region, shape_heatmaps
from melanoma_core.reading.overlay import blend
from melanoma_core.reading.reading import Reading, Refusal, read_photograph
from melanoma_core.records.quiz import Answer
from melanoma_core.records.quiz_cases import QuizCase
from melanoma_core.records.store import Record
from melanoma_core.taxonomy import Diagnosis

_SIDE = 1000  # px
_OPACITY = 0.6


@dataclass(frozen=True)
class QuizReading:
    """What the network says of a case.

    Attributes:
        answer: Its probability of melanoma, leading diagnosis and alert; None if it was refused.
        refusal: Why; "" if it was read.
        overlay: JPEG of the photograph with the heatmap of melanoma; empty if it was refused.
        is_clear: Whether the heatmap marks a region.
    """

    answer: Answer | None
    refusal: str = ""
    overlay: bytes = b""
    is_clear: bool = False


def load_photograph(case: QuizCase, record: Record | None) -> bytes:
    """Return the file of a case's photograph.

    Args:
        case: The case.
        record: The record that it is of; None for one of a folder.

    Raises:
        ImageError: The file can no longer be read.
        RecordDamagedError: Its file in the record is missing or was altered.
    """
    if not case.path and record is not None:
        return record.images.read(case.key)
    try:
        return Path(case.path).read_bytes()
    except OSError as error:
        raise ImageError(
            f"{case.path} can no longer be read ({error.strerror}). Restore it, or choose another "
            "quiz."
        ) from error


def read_case(classifier: Classifier, content: bytes, *, is_drawn: bool) -> QuizReading:
    """Read the photograph of a case.

    Args:
        classifier: The model.
        content: The file of the photograph.
        is_drawn: Whether a program has drawn it, so that it is read although it is unlike the
            training photographs.
    """
    try:
        photograph = decode_within(content)
    except ImageError as error:
        return QuizReading(None, str(error))
    result = read_photograph(classifier, photograph, is_drawn=is_drawn)
    if isinstance(result, Refusal):
        return QuizReading(None, result.reason)
    answer = Answer(result.melanoma_probability, result.top_diagnosis, result.alert)
    return QuizReading(answer, "", *_draw(photograph.pixels, result))


def _draw(pixels: NDArray[np.uint8], reading: Reading) -> tuple[bytes, bool]:
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    shown = np.asarray(image)
    evidence = reading.evidence[reading.class_names.index(Diagnosis.MEL)]
    (heatmap,) = shape_heatmaps(evidence[None], *shown.shape[:2])
    return encode_jpeg(blend(shown, heatmap, _OPACITY)), has_clear_region(evidence)

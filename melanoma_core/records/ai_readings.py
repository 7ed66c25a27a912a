"""Read a lesion with the network, and make of it the AI reading that a record keeps.

It is kept as it was read: with the model, the operating points and the prevalence in force.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import Photograph
from melanoma_core.data.quality import measure_quality
from melanoma_core.errors import ImageError
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import AdaptedReading, adapt_reading
from melanoma_core.models.card import ModelCard
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.lesion import LesionReading, combine_readings
from melanoma_core.reading.reading import Reading, Refusal, RefusalKind, read_photograph
from melanoma_core.reading.statement import describe_finding
from melanoma_core.reading.tally import count_result
from melanoma_core.records.kept_readings import find_heatmap_diagnosis
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.outlines import trace_reading
from melanoma_core.taxonomy import Diagnosis

DRAWN = "Drawn by a program, not a photograph."
"""The finding that every reading of a drawn lesion carries."""

_HEATMAP_SIDE = 320
"""Longer side of a kept heatmap, in pixels; the network sees less."""


@dataclass(frozen=True, kw_only=True)
class ReadingRequest:
    """What is read, and how.

    Attributes:
        lesion_id: Id of the lesion.
        visit_id: Id of the visit.
        photographs: Content of each photograph's file, by the id of the photograph.
        app_version: Version of this software, `melanoma_core.__version__`.
        prevalence: Prevalence in force; None if none is set.
        is_drawn: Whether they are drawn lesions, which are read although out of distribution.
        read_anyway: Whether a person has them read although they are out of distribution.
    """

    lesion_id: str
    visit_id: str
    photographs: Mapping[str, bytes]
    app_version: str
    prevalence: Prevalence | None = None
    is_drawn: bool = False
    read_anyway: bool = False


def read_lesion(
    classifier: Classifier, request: ReadingRequest, keep: Callable[[bytes], str]
) -> AiReading:
    """Read a lesion from all its photographs.

    Args:
        classifier: The model.
        request: What is read.
        keep: Keeps a PNG file, and returns its SHA-256 (hex).

    Returns:
        What a record keeps. A photograph that is refused is named with the reason; if all are, the
        reading has no probabilities and no alert.
    """
    results = {name: _read(classifier, data, request) for name, data in request.photographs.items()}
    return _describe(classifier.card, request, results, keep)


def keep_readings(
    card: ModelCard,
    request: ReadingRequest,
    readings: Mapping[str, Reading],
    keep: Callable[[bytes], str],
) -> AiReading:
    """Return what a record keeps of a lesion that was read before; nothing is read again.

    Args:
        card: Of the model that has read it.
        request: The photographs as they are kept, and how they were read.
        readings: The reading of each photograph, by the id of the photograph.
        keep: Keeps a PNG file, and returns its SHA-256 (hex).

    Raises:
        ImageError: A photograph cannot be decoded.
    """
    results = {
        name: (reading, decode_within(request.photographs[name]))
        for name, reading in readings.items()
    }
    return _describe(card, request, results, keep)


def _describe(
    card: ModelCard,
    request: ReadingRequest,
    results: Mapping[str, tuple[Reading | Refusal, Photograph | None]],
    keep: Callable[[bytes], str],
) -> AiReading:
    """Return what is kept of a lesion, and of each of its photographs."""
    readings = [each for each, _ in results.values() if isinstance(each, Reading)]
    lesion = combine_readings(card, readings) if readings else None
    reading = _describe_lesion(card, request, lesion)
    suspect = find_heatmap_diagnosis(reading)
    photographs = tuple(
        _describe_photograph(name, result, photograph, suspect, keep)
        for name, (result, photograph) in results.items()
    )
    return replace(reading, photographs=photographs)


def encode_heatmap(heatmap: NDArray[np.float32]) -> bytes:
    """Return a heatmap as a grey PNG file, at most 320 pixels wide and high.

    Args:
        heatmap: float32 [height, width] in [0, 1].
    """
    grey = Image.fromarray(np.round(np.nan_to_num(heatmap) * 255).astype(np.uint8))
    grey.thumbnail((_HEATMAP_SIDE, _HEATMAP_SIDE), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    grey.convert("RGB").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def decode_heatmap(data: bytes) -> NDArray[np.float32]:
    """Return a kept heatmap, float32 [h, w] in [0, 1], in steps of 1/255.

    >>> strength = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    >>> float(abs(decode_heatmap(encode_heatmap(strength)) - strength).max()) <= 0.5 / 255 + 1e-6
    True
    """
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L"), np.float32) / np.float32(255)


def _read(
    classifier: Classifier, data: bytes, request: ReadingRequest
) -> tuple[Reading | Refusal, Photograph | None]:
    """Return what the network says of one file, and the photograph in it."""
    try:
        photograph = decode_within(data)
    except ImageError as error:
        count_result(RefusalKind.UNREADABLE)
        return Refusal(str(error)), None
    result = read_photograph(
        classifier, photograph, is_drawn=request.is_drawn, read_anyway=request.read_anyway
    )
    count_result(result.kind if isinstance(result, Refusal) else None)
    return result, photograph


def _describe_lesion(
    card: ModelCard, request: ReadingRequest, lesion: LesionReading | None
) -> AiReading:
    """Return what is kept of the lesion as a whole."""
    prevalence = request.prevalence
    reading = AiReading(
        lesion_id=request.lesion_id,
        visit_id=request.visit_id,
        model_id=card.model_id,
        app_version=request.app_version,
        class_names=tuple(map(str, card.class_names)),
        probabilities=(),
        melanoma_threshold=card.operating_point.threshold,
        skin_cancer_threshold=card.rules.skin_cancer_threshold,
        prevalence=(prevalence.melanoma, prevalence.skin_cancer) if prevalence else None,
    )
    if lesion is None:
        return replace(reading, statement="No photograph was read.")
    adapted = _adapt(card, lesion, prevalence)
    return replace(
        reading,
        probabilities=lesion.probabilities,
        adapted=adapted.probabilities if adapted else (),
        melanoma_alert=lesion.alert,
        skin_cancer_alert=lesion.skin_cancer_alert,
        statement=describe_finding(lesion, adapted).sentence,
    )


def _adapt(
    card: ModelCard, lesion: LesionReading, prevalence: Prevalence | None
) -> AdaptedReading | None:
    """Return the probabilities at a prevalence; None for what is out of distribution."""
    if prevalence is None or lesion.read_anyway:
        return None
    return adapt_reading(card, lesion.probabilities, prevalence)


def _describe_photograph(
    photograph_id: str,
    result: Reading | Refusal,
    photograph: Photograph | None,
    suspect: Diagnosis,
    keep: Callable[[bytes], str],
) -> PhotographReading:
    """Return what is kept of one photograph."""
    quality = measure_quality(photograph) if photograph else None
    kept = PhotographReading(
        photograph_id=photograph_id,
        findings=tuple(finding.text for finding in result.quality),
        novelty=result.novelty,
        sharpness=quality.sharpness if quality else None,
        brightness=quality.brightness if quality else None,
        contrast=quality.contrast if quality else None,
    )
    if isinstance(result, Refusal):
        return replace(kept, refusal=result.reason)
    return replace(
        kept,
        probabilities=result.probabilities,
        uncalibrated=result.uncalibrated,
        findings=((DRAWN,) if result.is_drawn else ()) + kept.findings,
        read_anyway=result.read_anyway,
        heatmap_sha256=keep(encode_heatmap(result.heatmap(suspect))),
        outline=trace_reading(result),
    )

"""A photograph -> an explained reading, or a refusal with its reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.drawn.shipped import is_drawn
from melanoma_core.data.images import Photograph, decode_image, read_bytes, resize_to_square
from melanoma_core.data.quality import QualityFinding, judge_quality, measure_quality
from melanoma_core.errors import ImageError
from melanoma_core.evaluation.prediction_set import PredictionSet, make_prediction_set
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.explanation import enlarge, scale_evidence


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network says of one photograph.

    Attributes:
        model_id: Of the model that read.
        class_names: Diagnosis codes.
        probabilities: One per class, calibrated, in [0, 1], summing to 1.
        melanoma_probability: The one of melanoma.
        threshold: Of the model's operating point.
        alert: Whether the probability of melanoma reaches the threshold.
        evidence: float32 [C, h, w] in [0, 1]: by class, how strongly each place of the
            photograph speaks for it, as coarse as the network sees.
        width: Of the photograph that was read, in pixels.
        height: Likewise.
        prediction_set: The diagnoses that it may be; None where the model makes no sets.
        quality: What is wrong with the photograph, the reader beware; nothing where it is as usual.
        novelty: Mahalanobis distance to the photographs that the network learned from, in standard
            deviations; None where the model does not tell it.
        novelty_limit: Up to which it reads; None where the model refuses nothing, or nothing was
            asked, since the lesion is one of those that the project drew (`is_drawn`).
        is_drawn: Whether it is a demonstration lesion of the project.
    """

    model_id: str
    class_names: tuple[str, ...]
    probabilities: tuple[float, ...]
    melanoma_probability: float
    threshold: float
    alert: bool
    evidence: NDArray[np.float32]
    width: int
    height: int
    prediction_set: PredictionSet | None = None
    quality: tuple[QualityFinding, ...] = ()
    novelty: float | None = None
    novelty_limit: float | None = None
    is_drawn: bool = False

    def heatmaps(self) -> NDArray[np.float32]:
        """Return every class's heatmap, float32 [C, height, width] in [0, 1]."""
        return enlarge(self.evidence, self.height, self.width)

    def heatmap(self, class_name: str) -> NDArray[np.float32]:
        """Return one class's heatmap, float32 [height, width] in [0, 1]."""
        index = self.class_names.index(class_name)
        heatmap: NDArray[np.float32]
        (heatmap,) = enlarge(self.evidence[index : index + 1], self.height, self.width)
        return heatmap


class RefusalKind(StrEnum):
    """Why a photograph was not read."""

    UNREADABLE = "unreadable"  # no photograph, or none that can be decoded
    QUALITY = "quality"  # nothing can be seen on it
    UNFAMILIAR = "unfamiliar"  # unlike everything that the network learned from


@dataclass(frozen=True)
class Refusal:
    """A photograph that was not read.

    Attributes:
        reason: What was found, what is needed, what to do.
        kind: Why, in a word.
        quality: What decided, where nothing can be seen.
        novelty: What decided, where it is unlike a lesion, and so is the next; as `Reading`.
        novelty_limit: Likewise.
    """

    reason: str
    kind: RefusalKind = RefusalKind.UNREADABLE
    quality: tuple[QualityFinding, ...] = ()
    novelty: float | None = None
    novelty_limit: float | None = None


def read_photograph(
    classifier: Classifier, photograph: Photograph, *, is_drawn: bool = False
) -> Reading | Refusal:
    """Read one photograph, unless nothing can be seen on it or it is unlike a known lesion.

    Nobody may turn a refusal into a reading: what the network says of a photograph unlike all
    that it learned from means nothing.

    Args:
        classifier: Reads.
        photograph: What is read.
        is_drawn: Whether it is a demonstration lesion of the project, which is unlike every
            photograph indeed, and read all the same: it is there to try the page with.
    """
    quality = judge_quality(measure_quality(photograph))
    if quality and quality[0].refused:
        return Refusal(quality[0].text, RefusalKind.QUALITY, quality)
    card = classifier.card
    outputs = classifier.classify(resize_to_square(photograph.pixels, card.image_size)[None])
    distance = None if outputs.novelty is None else float(outputs.novelty[0])
    limit = None if card.novelty is None or is_drawn else card.novelty.distance
    if distance is not None and limit is not None and not distance <= limit:  # NaN is no lesion
        return _refuse_unfamiliar(distance, limit)
    probabilities = tuple(outputs.probabilities[0].tolist())
    melanoma_probability = probabilities[card.melanoma_index]
    height, width = photograph.pixels.shape[:2]
    return Reading(
        model_id=card.model_id,
        class_names=card.class_names,
        probabilities=probabilities,
        melanoma_probability=melanoma_probability,
        threshold=card.operating_point.threshold,
        alert=melanoma_probability >= card.operating_point.threshold,
        evidence=scale_evidence(outputs.activation_maps[0], card.heatmap_scale),
        width=width,
        height=height,
        prediction_set=make_prediction_set(card.decision_rules, probabilities),
        quality=quality,
        novelty=distance,
        novelty_limit=limit,
        is_drawn=is_drawn,
    )


def _refuse_unfamiliar(distance: float, limit: float) -> Refusal:
    digits = 1 if f"{distance:.1f}" != f"{limit:.1f}" else 4
    return Refusal(
        "This photograph does not look like the dermoscopic photographs that the network learned "
        f"from (distance {distance:.{digits}f}, limit {limit:.{digits}f}): it may show no lesion, "
        "or one taken without a dermoscope, and what the network would say of it means nothing. "
        "Take a photograph through a dermoscope, in focus, with the lesion in the middle.",
        RefusalKind.UNFAMILIAR,
        novelty=distance,
        novelty_limit=limit,
    )


def read_files(
    classifier: Classifier, paths: Iterable[Path], num_workers: int = 1
) -> Iterator[tuple[Path, Reading | Refusal]]:
    """Read files, each on its own: one that cannot be read never stops the rest.

    Args:
        classifier: Reads; load it with one thread where there are several workers.
        paths: Of the photographs.
        num_workers: Photographs that are read at the same time.

    Yields:
        Path and reading or refusal, in the order of `paths`; only a few are held in memory.
    """

    def read(path: Path) -> tuple[Path, Reading | Refusal]:
        try:
            data = read_bytes(path)
            photograph = decode_image(data)
            return path, read_photograph(classifier, photograph, is_drawn=is_drawn(data))
        except ImageError as error:
            return path, Refusal(str(error))

    yield from map_in_threads(read, paths, num_workers)

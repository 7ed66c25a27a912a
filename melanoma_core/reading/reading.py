"""A photograph -> an explained reading."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.images import Photograph, read_image, resize_to_square
from melanoma_core.errors import ImageError
from melanoma_core.evaluation.prediction_set import PredictionSet, make_prediction_set
from melanoma_core.models.card import ModelCard
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

    def heatmaps(self) -> NDArray[np.float32]:
        """Return every class's heatmap, float32 [C, height, width] in [0, 1]."""
        return enlarge(self.evidence, self.height, self.width)

    def heatmap(self, class_name: str) -> NDArray[np.float32]:
        """Return one class's heatmap, float32 [height, width] in [0, 1]."""
        index = self.class_names.index(class_name)
        heatmap: NDArray[np.float32]
        (heatmap,) = enlarge(self.evidence[index : index + 1], self.height, self.width)
        return heatmap


@dataclass(frozen=True)
class Refusal:
    """A photograph that was not read.

    Attributes:
        reason: What was found, what is needed, what to do.
    """

    reason: str


def read_photograph(classifier: Classifier, photograph: Photograph) -> Reading:
    """Read one photograph."""
    card = classifier.card
    outputs = classifier.classify(resize_to_square(photograph.pixels, card.image_size)[None])
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
        prediction_set=_make_set(card, probabilities),
    )


def _make_set(card: ModelCard, probabilities: tuple[float, ...]) -> PredictionSet | None:
    if card.conformal is None:
        return None
    return make_prediction_set(card.conformal, card.class_names, probabilities, card.melanoma_index)


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
            return path, read_photograph(classifier, read_image(path))
        except ImageError as error:
            return path, Refusal(str(error))

    remaining = iter(paths)
    pending: deque[Future[tuple[Path, Reading | Refusal]]] = deque()
    with ThreadPoolExecutor(num_workers) as pool:
        pending.extend(pool.submit(read, path) for path in islice(remaining, 4 * num_workers))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(read, path) for path in islice(remaining, 1))

"""Predictions for image files, some of which may be unreadable."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.quality import judge_quality, measure_quality
from melanoma_core.errors import ImageError
from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress

_BATCH_SIZE = 20  # files that one worker decodes and classifies at a time


@dataclass(frozen=True, eq=False)
class FilePredictions:
    """Predictions for N image files.

    Attributes:
        probabilities: float64 [N, C], calibrated; NaN for an unreadable file.
        is_refused: bool [N], whether a reading would refuse the photograph.
        unreadable: Why a file could not be read, by file name.
    """

    probabilities: NDArray[np.float64]
    is_refused: NDArray[np.bool_]
    unreadable: dict[str, str]

    @property
    def is_readable(self) -> NDArray[np.bool_]:
        """Whether each file could be read, bool [N]."""
        return np.asarray(~np.isnan(self.probabilities).any(axis=1))


def predict_files(
    classifier: Classifier,
    paths: Sequence[Path],
    num_workers: int = 1,
    progress: Progress | None = None,
) -> FilePredictions:
    """Compute predictions for image files; an unreadable file does not stop the rest.

    Args:
        classifier: The model; load it with one thread if there are several workers.
        paths: Of the files.
        num_workers: Number of batches that are processed at the same time.
        progress: Progress callback. An exception that it raises stops the work.
    """
    num_classes = len(classifier.card.class_names)
    parts = [FilePredictions(np.empty((0, num_classes)), np.empty(0, dtype=bool), {})]
    batches = (paths[start : start + _BATCH_SIZE] for start in range(0, len(paths), _BATCH_SIZE))
    for part in map_in_threads(partial(_predict_batch, classifier), batches, num_workers):
        parts.append(part)
        if progress is not None:
            progress(sum(len(each.is_refused) for each in parts), len(paths))
    return FilePredictions(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.is_refused for part in parts]),
        {name: reason for part in parts for name, reason in part.unreadable.items()},
    )


def _predict_batch(classifier: Classifier, paths: Sequence[Path]) -> FilePredictions:
    card = classifier.card
    probabilities = np.full((len(paths), len(card.class_names)), np.nan)
    is_refused, unreadable = np.zeros(len(paths), dtype=bool), {}
    pixels, positions = [], []
    for position, path in enumerate(paths):
        try:
            photograph = read_image(path)
        except ImageError as error:
            unreadable[path.name] = str(error)
            continue
        findings = judge_quality(measure_quality(photograph))
        is_refused[position] = any(finding.refused for finding in findings)
        pixels.append(resize_to_square(photograph.pixels, card.image_size))
        positions.append(position)
    if positions:
        outputs = classifier.classify(np.stack(pixels))
        probabilities[positions] = outputs.probabilities
        if outputs.novelty is not None and card.novelty is not None:
            # A NaN distance is refused too.
            is_refused[positions] |= ~(outputs.novelty <= card.novelty.distance)
    return FilePredictions(probabilities, is_refused, unreadable)

"""Measure how many photographs are refused, and why, to evaluate the checks before a reading."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from melanoma_core.data.drawn.non_lesions import HEIGHT, WIDTH, NonLesionKind, draw_non_lesion
from melanoma_core.data.images import Photograph
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.novelty import measure_refused_share
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.reading import (
    Reading,
    Refusal,
    RefusalKind,
    read_files,
    read_photograph,
)


@dataclass(frozen=True)
class RefusalShare:
    """The share of refused photographs in a set.

    Attributes:
        name: Name of the folder or of the kind of non-lesion image.
        refused: Share that was refused. Each photograph counts as a lesion of its own.
        warned: Share that was read with a quality warning.
        by_kind: Number of refusals by reason.
    """

    name: str
    refused: Figure
    warned: Figure
    by_kind: dict[RefusalKind, int]


def measure_folder(
    classifier: Classifier, name: str, paths: Iterable[Path], num_workers: int = 1
) -> RefusalShare:
    """Read photographs and count refusals.

    Args:
        classifier: The model; load it with one thread if there are several workers.
        name: Name of the result.
        paths: Paths of the photographs; at least one.
        num_workers: Number of photographs that are read in parallel.
    """
    return _summarise(name, [result for _, result in read_files(classifier, paths, num_workers)])


def measure_non_lesions(classifier: Classifier, kind: NonLesionKind, number: int) -> RefusalShare:
    """Draw non-lesion images, read them and count refusals.

    Args:
        classifier: The model.
        kind: The kind of non-lesion image.
        number: Number of images; at least 1.
    """
    images = (draw_non_lesion(kind, seed) for seed in range(number))
    return _summarise(
        f"drawn {kind}",
        [read_photograph(classifier, Photograph(image, WIDTH, HEIGHT, "PNG")) for image in images],
    )


def _summarise(name: str, results: list[Reading | Refusal]) -> RefusalShare:
    each = np.arange(len(results))
    refused = np.array([isinstance(result, Refusal) for result in results])
    warned = np.array([isinstance(r, Reading) and bool(r.quality) for r in results])
    kinds = [result.kind for result in results if isinstance(result, Refusal)]
    return RefusalShare(
        name=name,
        refused=measure_refused_share(refused, each),
        warned=measure_refused_share(warned, each),
        by_kind={kind: kinds.count(kind) for kind in RefusalKind if kind in kinds},
    )

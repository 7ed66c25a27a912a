"""Of a heap of photographs, how many are refused, and why: what the checks are worth."""

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
    """What became of some photographs.

    Attributes:
        name: Of the folder or the kind of picture.
        refused: Share that was not read; each photograph counts as a lesion of its own.
        warned: Share that was read with a warning, of all.
        by_kind: How many were refused for which reason.
    """

    name: str
    refused: Figure
    warned: Figure
    by_kind: dict[RefusalKind, int]


def measure_folder(
    classifier: Classifier, name: str, paths: Iterable[Path], num_workers: int = 1
) -> RefusalShare:
    """Read every photograph of a folder, and count what is refused."""
    return summarise(name, [result for _, result in read_files(classifier, paths, num_workers)])


def measure_impostors(classifier: Classifier, kind: NonLesionKind, number: int) -> RefusalShare:
    """Draw pictures that are no photographs of lesions, and count what is refused."""
    pictures = (draw_non_lesion(kind, seed) for seed in range(number))
    return summarise(
        f"drawn {kind}",
        [read_photograph(classifier, Photograph(p, WIDTH, HEIGHT, "PNG")) for p in pictures],
    )


def summarise(name: str, results: list[Reading | Refusal]) -> RefusalShare:
    """Count the results of readings; at least one."""
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

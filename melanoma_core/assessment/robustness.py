"""Measure how much artefacts change what a model says, and how often a reading warns of them."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.artefacts import LIMITS, measure_artefacts
from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.drawn.artefacts import ArtefactKind, draw_artefact
from melanoma_core.data.images import Photograph, read_image, resize_to_square
from melanoma_core.data.quality import QualityKind, judge_quality, measure_quality
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.robustness import (
    Outcomes,
    RobustnessFigures,
    compare_outcomes,
    measure_warnings,
)
from melanoma_core.models.classifier import Classifier
from melanoma_core.models.predictions import index_labels
from melanoma_core.progress import Progress

NUM_LESIONS = 400  # of a release: enough for a few points of precision, in minutes
WARNED_OF = MappingProxyType(
    {
        ArtefactKind.INK: QualityKind.INK,
        ArtefactKind.HAIR: QualityKind.HAIR,
        ArtefactKind.RULER: QualityKind.RULER,
    }
)
# Each limit is the lowest with at most this share of warnings on unaltered photographs. One in ten
# photographs of HAM10000 shows hair; ink and rulers are rare.
LARGEST_SHARES = MappingProxyType(
    {QualityKind.INK: 0.02, QualityKind.HAIR: 0.1, QualityKind.RULER: 0.01}
)
_SEED = 0
_VARIANTS = (None, *ArtefactKind)  # the unaltered photograph first


@dataclass(frozen=True, eq=False)
class _Variants:
    """One photograph, unaltered and with each artefact, V versions in the order of `_VARIANTS`."""

    probabilities: NDArray[np.float64]  # [V, C]
    is_refused: NDArray[np.bool_]  # [V]
    warned_before: dict[ArtefactKind, bool]
    warned: dict[ArtefactKind, bool]


def measure_robustness(
    classifier: Classifier,
    table: pd.DataFrame,
    limit: int | None = None,
    progress: Progress | None = None,
) -> dict[str, RobustnessFigures]:
    """Measure how alerts, refusals and probabilities change when photographs get artefacts.

    What is drawn depends on the image's id alone, so the same photographs give the same figures.

    Args:
        classifier: The model.
        table: Photographs not seen in training: image_id, path, label, group. What cannot be
            read is left out.
        limit: Largest number of lesions, drawn at random with a fixed seed; None for all.
        progress: Called with the number of finished photographs and their total number. An
            exception that it raises stops the work.

    Returns:
        Figures by kind of artefact (`drawn.artefacts.ArtefactKind`), then by name: those of
        `evaluation.robustness.compare_outcomes`; and for ink, hair and rulers those of
        `measure_warnings`, on the half of the lesions that no limit was chosen on.

    Raises:
        DatasetError: No photograph can be read.
    """
    table = draw_lesions(table, limit)
    read = list(_read_all(classifier, table, progress))
    is_readable = np.array([each is not None for each in read], dtype=bool)
    variants = [each for each in read if each is not None]
    if not variants:
        raise DatasetError(
            f"Found {len(table):,} photographs, and none of them can be read. The measurement "
            "needs at least 1. Name another folder."
        )
    table = table[is_readable]
    lesions, labels = table["group"].to_numpy(), index_labels(table, classifier.card.class_names)
    outcomes = [
        Outcomes(
            LabelledPredictions(
                np.stack([each.probabilities[number] for each in variants]), labels, lesions
            ),
            np.array([each.is_refused[number] for each in variants]),
        )
        for number in range(len(_VARIANTS))
    ]
    is_reported = ~find_chosen_on(table)
    figures = {}
    for kind, after in zip(ArtefactKind, outcomes[1:], strict=True):
        figures[str(kind)] = compare_outcomes(outcomes[0], after, classifier.card.rules)
        if kind in WARNED_OF:
            before = np.array([each.warned_before[kind] for each in variants])[is_reported]
            warned = np.array([each.warned[kind] for each in variants])[is_reported]
            figures[str(kind)] |= measure_warnings(before, warned, lesions[is_reported])
    return figures


def draw_lesions(table: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Return the photographs of at most `limit` lesions, drawn at random with a fixed seed."""
    lesions = np.sort(table["group"].unique())
    if limit is None or limit >= len(lesions):
        return table
    chosen = np.random.default_rng(_SEED).choice(lesions, limit, replace=False)
    return table[table["group"].isin(chosen)]


def find_chosen_on(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which photographs are of the half of the lesions that limits are chosen on, bool [N].

    The half depends on the smallest image id of the lesion alone, so it is the same in every split.

    Args:
        table: With image_id and group.

    Example:
        >>> find_chosen_on(pd.DataFrame({"image_id": ["f", "a", "e"], "group": [1, 1, 2]}))
        array([ True,  True, False])
    """
    names = table["image_id"].astype(str).groupby(table["group"].to_numpy()).transform("min")
    digests = (hashlib.sha256(name.encode("utf-8", "replace")).digest() for name in names)
    return np.array([digest[0] % 2 == 0 for digest in digests], dtype=bool)


def choose_limits(
    table: pd.DataFrame, progress: Progress | None = None
) -> dict[QualityKind, float]:
    """Choose the limits of the warnings on unaltered photographs: `data.artefacts.LIMITS`.

    Args:
        table: Photographs, of which one half of the lesions is used: image_id, path, group.
        progress: As in `measure_robustness`.

    Returns:
        For each warning, the lowest limit that at most `LARGEST_SHARES` of them exceed.

    Raises:
        DatasetError: No photograph can be read.
    """
    paths = [Path(path) for path in table["path"][find_chosen_on(table)]]
    measured = list(
        _count(map_in_threads(_measure_file, paths, _count_cores()), len(paths), progress)
    )
    readable = [each for each in measured if each is not None]
    if not readable:
        raise DatasetError(
            f"Found {len(paths):,} photographs to choose limits on, and none of them can be read. "
            "At least 1 is needed. Name another folder."
        )
    return {
        kind: float(np.quantile([each[kind] for each in readable], 1 - share, method="higher"))
        for kind, share in LARGEST_SHARES.items()
    }


def _read_all(
    classifier: Classifier, table: pd.DataFrame, progress: Progress | None
) -> Iterator[_Variants | None]:
    rows = list(zip(map(Path, table["path"]), table["image_id"].astype(str), strict=True))
    results = map_in_threads(partial(_read_variants, classifier), rows, _count_cores())
    yield from _count(results, len(rows), progress)


def _read_variants(classifier: Classifier, row: tuple[Path, str]) -> _Variants | None:
    """Read a photograph unaltered and with each artefact; None if it cannot be read."""
    path, image_id = row
    card = classifier.card
    try:
        original = read_image(path)
    except ImageError:
        return None
    squares, is_refused, warned_before, warned = [], [], {}, {}
    measures = measure_artefacts(original.pixels)
    for kind in _VARIANTS:
        photograph = original if kind is None else _alter(original, kind, image_id)
        findings = judge_quality(measure_quality(photograph))
        is_refused.append(any(finding.refused for finding in findings))
        squares.append(resize_to_square(photograph.pixels, card.image_size))
        if kind in WARNED_OF:
            warning = WARNED_OF[kind]
            warned_before[kind] = measures[warning] > LIMITS[warning]
            warned[kind] = measure_artefacts(photograph.pixels)[warning] > LIMITS[warning]
    outputs = classifier.classify(np.stack(squares))
    refused = np.array(is_refused)
    if outputs.novelty is not None and card.novelty is not None:
        refused |= ~(outputs.novelty <= card.novelty.distance)  # NaN is refused too
    return _Variants(outputs.probabilities, refused, warned_before, warned)


def _alter(photograph: Photograph, kind: ArtefactKind, image_id: str) -> Photograph:
    return Photograph(
        draw_artefact(photograph.pixels, kind, image_id),
        photograph.original_width,
        photograph.original_height,
        photograph.image_format,
    )


def _measure_file(path: Path) -> Mapping[QualityKind, float] | None:
    try:
        return measure_artefacts(read_image(path).pixels)
    except ImageError:
        return None


def _count(results: Iterator[Any], total: int, progress: Progress | None) -> Iterator[Any]:
    for done, result in enumerate(islice(results, total), start=1):
        yield result
        if progress is not None:
            progress(done, total)


def _count_cores() -> int:
    return os.cpu_count() or 1

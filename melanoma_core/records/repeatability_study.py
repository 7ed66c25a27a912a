"""By how much two photographs of one lesion differ in what is measured of it.

The limits are chosen on the first half of the lesions (`registration_study.choose_pairs`). On the
other half it is counted how many pairs lie within them.

In HAM10000 the photographs of a lesion were taken at one visit or nearly so, often at two
magnifications, and the outlines were drawn by one group (Tschandl et al. 2020). The limits hold for
such photographs: two cameras, or two people who draw, differ more.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.outlines import read_mask, select_outlined
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import measure_share, resample_lesions
from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress
from melanoma_core.reading.outline import place_outline
from melanoma_core.reading.outline_measures import choose_size
from melanoma_core.records.change import compare_registered
from melanoma_core.records.outlines import Points, trace_outline
from melanoma_core.records.registration import register_photographs
from melanoma_core.records.repeatability import (
    Drawn,
    Measure,
    ModelLimits,
    find_distance,
    to_logit,
)
from melanoma_core.records.shots import Shot
from melanoma_core.records.vocabulary import OutlineSource

PROBABILITIES = "probabilities"
_SHARE = 0.95


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The limit of agreement of one measure.

    Attributes:
        limit: 95% of the pairs of the first half differ by at most this; see `find_distance`, or
            the difference of the logits of a probability. NaN if there is no pair.
        num_chosen: Number of pairs of the first half.
        within: Share of the pairs of the second half that differ by at most the limit.
    """

    limit: float
    num_chosen: int
    within: Figure


def measure_distances(
    pairs: pd.DataFrame, classifier: Classifier | None = None, progress: Progress | None = None
) -> pd.DataFrame:
    """Measure how much the two photographs of each lesion differ.

    Args:
        pairs: Of `registration_study.choose_pairs`; for a model, of lesions that it has not seen.
        classifier: The model, for its outlines and probabilities; None for outlines by people.
        progress: Called with the number of pairs that are done, and their total.

    Returns:
        One row per pair and measure: `group`, `is_reported`, `kind` (a value of `Drawn`, or
        "probabilities"), `name` and `distance`.

    Raises:
        ImageError: A file cannot be read.
    """
    masks = [_find_masks(pairs[column]) for column in ("earlier", "later")]
    files = zip(pairs["earlier"], pairs["later"], strict=True)
    rows = []
    for done, (pair, photographs) in enumerate(zip(pairs.itertuples(), files, strict=True)):
        found = (masks[0].get(done), masks[1].get(done))
        for kind, name, distance in _compare(photographs, found, classifier):
            rows.append((pair.group, pair.is_reported, kind, name, distance))
        if progress is not None:
            progress(done + 1, len(pairs))
    return pd.DataFrame(rows, columns=["group", "is_reported", "kind", "name", "distance"])


def summarise(distances: pd.DataFrame) -> dict[str, dict[str, Agreement]]:
    """Choose limits on the first half, and count on the second.

    Args:
        distances: Of `measure_distances`.

    Returns:
        By kind and name.
    """
    known = distances[distances["distance"].notna()]
    agreements: dict[str, dict[str, Agreement]] = {}
    for (kind, name), rows in known.groupby(["kind", "name"], sort=True):
        apart = rows["distance"].abs()
        chosen = apart[~rows["is_reported"]].to_numpy()
        limit = float(np.quantile(chosen, _SHARE, method="higher")) if len(chosen) else math.nan
        reported = rows[rows["is_reported"]]
        within = (reported["distance"].abs() <= limit).to_numpy()
        agreements.setdefault(str(kind), {})[str(name)] = Agreement(
            limit=limit, num_chosen=len(chosen), within=_share(reported["group"], within)
        )
    return agreements


def make_limits(model_id: str, distances: pd.DataFrame) -> ModelLimits:
    """Return the limits of a model, to be kept beside it (`repeatability.write_limits`)."""
    limits = {
        kind: {name: agreement.limit for name, agreement in by_name.items()}
        for kind, by_name in summarise(distances).items()
    }
    return ModelLimits(
        model_id=model_id,
        network=limits.get(Drawn.NETWORK, {}),
        mixed=limits.get(Drawn.MIXED, {}),
        probabilities=limits.get(PROBABILITIES, {}),
        num_lesions=int(distances["group"].nunique()),
    )


def _share(groups: pd.Series, event: NDArray[np.bool_]) -> Figure:
    if groups.empty:
        return Figure(math.nan, math.nan, math.nan, 0, 0, 0)
    return measure_share(resample_lesions(groups.to_numpy()), event, np.ones_like(event))


def _find_masks(paths: pd.Series) -> dict[int, Path]:
    """Return the outlines by the position of their photograph."""
    outlined = select_outlined(pd.DataFrame({"path": list(paths)}))
    return dict(zip(outlined.index, outlined["outline"], strict=True))


def _compare(
    files: tuple[Path, Path], masks: tuple[Path | None, Path | None], classifier: Classifier | None
) -> Iterator[tuple[str, str, float]]:
    """Yield kind, name and distance of each measure of a pair."""
    shots = [Shot(pixels=read_image(path).pixels) for path in files]
    drawn = [
        shot if mask is None else replace(shot, points=trace_outline(read_mask(mask)))
        for shot, mask in zip(shots, masks, strict=True)
    ]
    if classifier is None:
        outlines = {Drawn.PERSON: drawn}
    else:
        read = [_read(classifier, shot) for shot in shots]
        outlines = {Drawn.NETWORK: read, Drawn.MIXED: [drawn[0], read[1]]}
        for code, probability in read[0].probabilities.items():
            distance = to_logit(read[1].probabilities[code]) - to_logit(probability)
            yield PROBABILITIES, code, distance
    usable = {kind: pair for kind, pair in outlines.items() if pair[0].points and pair[1].points}
    if not usable:
        return
    registration = register_photographs(shots[0].pixels, shots[1].pixels)
    for kind, (earlier, later) in usable.items():
        for change in compare_registered(earlier, later, registration).changes:
            if change.name not in set(Measure) or change.difference is None:
                continue
            if change.earlier is not None and change.later is not None:
                measure = Measure(change.name)
                yield kind, measure, find_distance(measure, change.earlier, change.later)


def _read(classifier: Classifier, shot: Shot) -> Shot:
    """Return a photograph with what a model draws and predicts, refused or not."""
    card = classifier.card
    outputs = classifier.classify(resize_to_square(shot.pixels, card.image_size)[None])
    points: Points = ()
    if outputs.outline is not None and card.outline is not None:
        inside = place_outline(outputs.outline[0], card.outline.threshold, *choose_size(*shot.size))
        points = trace_outline(inside)
    return replace(
        shot,
        points=points,
        source=OutlineSource.NETWORK,
        model_id=card.model_id,
        probabilities=dict(zip(card.class_names, outputs.probabilities[0].tolist(), strict=True)),
    )

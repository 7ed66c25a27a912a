"""Choose how a network's outlines are cut, and compare them with manually drawn ones."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.outlines import read_mask, select_outlined
from melanoma_core.evaluation.faithfulness import average
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.overlap import measure_overlap, to_jaccard
from melanoma_core.evaluation.subsets import TEST, make_key
from melanoma_core.reading.explanation import enlarge

_THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
_USUAL_THRESHOLD = 0.5
# Below this Jaccard index, people see that an outline is wrong: Codella et al. 2019
# (arXiv:1902.03368), who set such scores to 0 in the ISIC challenge of 2018.
_FAILURE = 0.65


def choose_outline_threshold(outlines: NDArray[np.float32], table: pd.DataFrame) -> float:
    """Choose the probability from which a place is inside the outline, for the largest mean Dice.

    Args:
        outlines: float32 [N, s, s] in [0, 1], as the network draws them.
        table: Of the N photographs of validation, with `path`.

    Returns:
        One of 0.3, 0.35, …, 0.7; the middle one if no photograph has an outline.

    Raises:
        ImageError: An outline cannot be read.
    """
    overlaps = _measure(outlines, _number(table), _THRESHOLDS)
    if not np.isfinite(overlaps).any():
        return _USUAL_THRESHOLD
    return _THRESHOLDS[int(np.nanmean(overlaps, axis=0).argmax())]


def measure_outlines(
    outlines: NDArray[np.float32], table: pd.DataFrame, threshold: float
) -> dict[str, dict[str, Figure]]:
    """Compare drawn outlines with the manually drawn ones, at the size of the latter.

    Args:
        outlines: float32 [N, s, s] in [0, 1], as the network draws them.
        table: Of the N photographs of test, with `path`, `group` and `source`.
        threshold: Probability from which a place is inside the outline.

    Returns:
        By key of `evaluation.subsets` ("test", "test/<collection>"; only where photographs have an
        outline) and name: "dice" and "jaccard", the means over photographs, and "failed", the
        share of photographs with a Jaccard index below 0.65.

    Raises:
        ImageError: An outline cannot be read.
    """
    numbered = _number(table)
    dice = _measure(outlines, numbered, (threshold,))[:, 0]
    groups, sources = numbered["group"].to_numpy(), numbered["source"].to_numpy()
    rows = {TEST: np.ones(len(numbered), dtype=bool)} | {
        make_key(source): sources == source for source in sorted(set(sources))
    }
    return {key: _summarise(dice[each], groups[each]) for key, each in rows.items() if each.any()}


def _summarise(dice: NDArray[np.float64], groups: NDArray[np.int64]) -> dict[str, Figure]:
    jaccard = to_jaccard(dice)
    failed = np.where(np.isnan(jaccard), np.nan, jaccard < _FAILURE)
    values = {"dice": dice, "jaccard": jaccard, "failed": failed}
    return {name: average(each, groups) for name, each in values.items()}


def _number(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with an outline, with their positions as index."""
    return select_outlined(table.reset_index(drop=True))


def _measure(
    outlines: NDArray[np.float32], numbered: pd.DataFrame, thresholds: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the Dice coefficient of each photograph at each threshold."""
    return np.array(list(_trace(outlines, numbered, thresholds))).reshape(-1, len(thresholds))


def _trace(
    outlines: NDArray[np.float32], numbered: pd.DataFrame, thresholds: tuple[float, ...]
) -> Iterator[list[float]]:
    for drawn_coarsely, path in zip(outlines[numbered.index], numbered["outline"], strict=True):
        mask = read_mask(path)
        (drawn,) = enlarge(drawn_coarsely[None], *mask.shape)
        yield [float(measure_overlap((drawn >= t)[None], mask[None])[0]) for t in thresholds]

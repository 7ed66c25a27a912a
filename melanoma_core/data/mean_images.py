"""The mean image of each class, computed from the image files."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.tiers import fill_labels
from melanoma_core.errors import ImageError
from melanoma_core.progress import Progress
from melanoma_core.taxonomy import Diagnosis, Label, RiskTier

MOST_PER_CLASS = 200  # more images make no visible difference
_SIDE = 128  # px

Means = Mapping[Label, NDArray[np.uint8]]


def compute_mean_images(records: pd.DataFrame, progress: Progress | None = None) -> Means:
    """Compute the mean image of each class.

    At most `MOST_PER_CLASS` images per class are read, evenly spaced in the table.

    Args:
        records: The file table.
        progress: Called with the number of images read and the total; an exception from it
            cancels the work.

    Returns:
        uint8 [128, 128, 3] by label, in the order of `Diagnosis` and `RiskTier`, for labels with at
        least one readable file.
    """
    chosen = _choose_files(records)
    total = sum(len(paths) for paths in chosen.values())
    done = 0
    means = {}
    pool = ThreadPoolExecutor()  # Pillow releases the interpreter lock while it decodes
    try:
        for label, paths in chosen.items():
            summed, num_read = np.zeros((_SIDE, _SIDE, 3)), 0
            for pixels in pool.map(_read_small, paths):
                done += 1
                if pixels is not None:
                    summed, num_read = summed + pixels, num_read + 1
                if progress:
                    progress(done, total)
            if num_read:
                means[label] = np.rint(summed / num_read).astype(np.uint8)
    finally:
        pool.shutdown(cancel_futures=True)
    return means


def _choose_files(records: pd.DataFrame) -> dict[Label, list[Path]]:
    readable = records[records["sha256"].notna()]
    labels = fill_labels(readable)
    chosen: dict[Label, list[Path]] = {}
    for label in (*Diagnosis, *RiskTier):
        paths = readable.loc[labels == label, "path"].to_numpy()
        if len(paths):
            positions = np.linspace(0, len(paths) - 1, min(MOST_PER_CLASS, len(paths)))
            chosen[label] = [Path(path) for path in paths[positions.astype(int)]]
    return chosen


def _read_small(path: Path) -> NDArray[np.uint8] | None:
    try:
        return resize_to_square(read_image(path, max_side=2 * _SIDE).pixels, _SIDE)
    except ImageError:  # the file has changed since the scan
        return None

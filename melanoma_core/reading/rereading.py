"""Photographs read again by a model that kept no reading of them, to compare it with another."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.scanning import Progress
from melanoma_core.errors import ImageError
from melanoma_core.models.classifier import Classifier

_BATCH = 32


def locate_photographs(wanted: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Return where the wanted photographs lie.

    Args:
        wanted: With sha256.
        records: Files with path and sha256, as a folder was opened.

    Returns:
        The rows of `wanted` whose bytes are there, with `path`.
    """
    places = records.dropna(subset=["sha256"]).drop_duplicates("sha256")
    by_bytes = dict(zip(places["sha256"], places["path"], strict=True))
    found = wanted.assign(path=wanted["sha256"].map(by_bytes).astype(object))
    return found.dropna(subset=["path"])


def read_again(
    classifier: Classifier, rows: pd.DataFrame, progress: Progress | None = None
) -> pd.DataFrame:
    """Read photographs as a measurement does.

    Args:
        classifier: Reads; with all cores.
        rows: With sha256 and path.
        progress: Called with the number of photographs done and their number in all; what it
            raises ends the work.

    Returns:
        sha256 and `p_<CODE>` per class, without those whose file has gone meanwhile.
    """
    columns = [f"p_{name}" for name in classifier.card.class_names]
    parts = []
    done = 0
    for hashes, pixels in _decode(rows, classifier.card.image_size):
        if len(hashes):
            said = classifier.classify(pixels).probabilities
            parts.append(pd.DataFrame(said, columns=columns).assign(sha256=hashes))
        done = min(done + _BATCH, len(rows))
        if progress:
            progress(done, len(rows))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["sha256"])


def _decode(rows: pd.DataFrame, side: int) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    for start in range(0, len(rows), _BATCH):
        chunk = rows.iloc[start : start + _BATCH]
        hashes, pictures = [], []
        for sha256, path in zip(chunk["sha256"], chunk["path"], strict=True):
            try:
                pictures.append(resize_to_square(read_image(Path(path)).pixels, side))
            except ImageError:
                continue  # the comparison counts it as unread
            hashes.append(str(sha256))
        yield hashes, np.stack(pictures) if pictures else np.empty((0, side, side, 3), np.uint8)

"""Photographs read again by a model that kept no reading of them, to compare it with another."""

from pathlib import Path

import pandas as pd

from melanoma_core.data.scanning import Progress
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.assessment import read_probabilities


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
    said = read_probabilities(classifier, [Path(path) for path in rows["path"]], progress=progress)
    columns = [f"p_{name}" for name in classifier.card.class_names]
    # What could not be read, the comparison counts as unread.
    read = pd.DataFrame(said.probabilities, columns=columns).assign(sha256=rows["sha256"].to_list())
    return read.dropna(subset=columns).reset_index(drop=True)

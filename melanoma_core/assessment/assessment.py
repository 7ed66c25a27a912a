"""A model measured on a labelled folder: every photograph read, all figures, what they rest on."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.assessment.selection import Selection, keep_classes, leave_out_known
from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.data.quality import judge_quality, measure_quality
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.slices import ATTRIBUTES
from melanoma_core.models.classifier import Classifier
from melanoma_core.models.predictions import add_probabilities, index_labels
from melanoma_core.progress import Progress

_CHUNK = 20  # photographs that one worker decodes and reads at a time; counters show hundreds


@dataclass(frozen=True)
class Assessment:
    """What a model was measured to be on a folder.

    Attributes:
        model_id: Of the model.
        folder: Name of the folder.
        folder_key: Of its content (`OpenedFolder.key`).
        subset: Which was read.
        labels: Whose labels were used, in words.
        made_at: UTC, ISO 8601.
        num_selected: Photographs of the subset with one of the model's diagnoses.
        num_unlabelled: Photographs of the subset with none; not read.
        num_known: Photographs that the model was fitted on, itself or a relative; None where the
            model does not tell what it was fitted on.
        with_known: Whether these were measured on nonetheless.
        unreadable: By file name, why a photograph could not be read.
        num_refused: Photographs that a reading would refuse; they are measured all the same, since
            a lesion that is refused is one that the model cannot help with.
        num_refused_melanomas: Melanomas among them.
        evaluation: On every photograph that was read.
        num_relatives: Photographs read that have a relative in the folder's own train subset.
        without_relatives: On the others alone; None where that would be all or none.
    """

    model_id: str
    folder: str
    folder_key: str
    subset: str
    labels: str
    made_at: str
    num_selected: int
    num_unlabelled: int
    num_known: int | None
    with_known: bool
    unreadable: dict[str, str]
    num_refused: int
    num_refused_melanomas: int
    evaluation: Evaluation
    num_relatives: int
    without_relatives: Evaluation | None


def assess(
    classifier: Classifier,
    opened: OpenedFolder,
    selection: Selection,
    *,
    with_known: bool = False,
    num_workers: int = 1,
    progress: Progress | None = None,
) -> Assessment:
    """Read every photograph of a selection and measure what was said.

    Args:
        classifier: Reads; load it with one thread where there are several workers.
        opened: The folder.
        selection: Of its photographs.
        with_known: Whether to measure on what the model was fitted on, too.
        num_workers: Photographs that are read at the same time.
        progress: Called with the number of photographs done and their number in all; what it
            raises ends the work.

    Raises:
        DatasetError: No photograph is new to the model, or none can be read.
    """
    selection = keep_classes(selection, classifier.card.class_names)
    num_known = int(selection.table["is_known"].sum())
    table = selection.table
    if not with_known:
        table = table.loc[np.flatnonzero(leave_out_known(selection))]
    paths = [Path(path) for path in table["path"]]
    said = read_probabilities(classifier, paths, num_workers, progress)
    is_read = ~np.isnan(said.probabilities).any(axis=1)
    if not is_read.any():
        raise DatasetError(
            f"Found {len(table):,} photographs to measure on, and none can be read "
            f"({next(iter(said.unreadable.values()), 'there is none')}). Name another folder."
        )
    card = classifier.card
    is_melanoma = table["label"].to_numpy() == card.class_names[card.melanoma_index]
    table, probabilities = table.iloc[np.flatnonzero(is_read)], said.probabilities[is_read]
    has_relative = table["has_relative"].to_numpy(bool)
    is_part = has_relative.any() and not has_relative.all()
    return Assessment(
        model_id=card.model_id,
        folder=opened.folder.name,
        folder_key=opened.key,
        subset=selection.subset,
        labels=selection.labels,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        num_selected=len(selection.table),
        num_unlabelled=selection.num_unlabelled,
        num_known=num_known if selection.is_lineage_known else None,
        with_known=with_known,
        unreadable=said.unreadable,
        num_refused=int(said.is_refused.sum()),
        num_refused_melanomas=int((said.is_refused & is_melanoma).sum()),
        evaluation=_evaluate(classifier, table, probabilities),
        num_relatives=int(has_relative.sum()),
        without_relatives=_evaluate(classifier, table[~has_relative], probabilities[~has_relative])
        if is_part
        else None,
    )


@dataclass(frozen=True, eq=False)
class Said:
    """What a network says of files.

    Attributes:
        probabilities: float64 [N, C], calibrated; NaN for a file that could not be read.
        is_refused: bool [N], whether a reading would refuse the photograph.
        unreadable: By file name, why it could not be read.
    """

    probabilities: NDArray[np.float64]
    is_refused: NDArray[np.bool_]
    unreadable: dict[str, str]


def read_probabilities(
    classifier: Classifier,
    paths: Sequence[Path],
    num_workers: int = 1,
    progress: Progress | None = None,
) -> Said:
    """Read files; one that cannot be read never stops the rest."""
    chunks = [paths[first : first + _CHUNK] for first in range(0, len(paths), _CHUNK)]
    nothing = np.empty((0, len(classifier.card.class_names)))
    parts = [Said(nothing, np.empty(0, dtype=bool), {})]
    pool = ThreadPoolExecutor(num_workers)
    try:
        for part in pool.map(partial(_read_chunk, classifier), chunks):
            parts.append(part)
            if progress is not None:
                progress(sum(len(each.is_refused) for each in parts), len(paths))
    finally:
        pool.shutdown(cancel_futures=True)
    return Said(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.is_refused for part in parts]),
        {name: why for part in parts for name, why in part.unreadable.items()},
    )


def _read_chunk(classifier: Classifier, paths: Sequence[Path]) -> Said:
    card = classifier.card
    said = Said(
        np.full((len(paths), len(card.class_names)), np.nan), np.zeros(len(paths), dtype=bool), {}
    )
    pixels, places = [], []
    for place, path in enumerate(paths):
        try:
            photograph = read_image(path)
        except ImageError as error:
            said.unreadable[path.name] = str(error)
            continue
        said.is_refused[place] = any(
            each.refused for each in judge_quality(measure_quality(photograph))
        )
        pixels.append(resize_to_square(photograph.pixels, card.image_size))
        places.append(place)
    if places:
        outputs = classifier.classify(np.stack(pixels))
        said.probabilities[places] = outputs.probabilities
        if outputs.novelty is not None and card.novelty is not None:
            said.is_refused[places] |= ~(outputs.novelty <= card.novelty.distance)
    return said


def _evaluate(
    classifier: Classifier, table: pd.DataFrame, probabilities: NDArray[np.float64]
) -> Evaluation:
    card = classifier.card
    return evaluate_fully(
        probabilities,
        index_labels(table, card.class_names),
        table["group"].to_numpy(np.int64),
        card.class_names,
        card.melanoma_index,
        card.operating_point.threshold,
        attributes=table[list(ATTRIBUTES)].reset_index(drop=True),
        conformal=card.conformal,
        frequencies=card.frequencies,
    )


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
    images = rows[["sha256"]].reset_index(drop=True)
    predictions = add_probabilities(images, said.probabilities, classifier.card.class_names)
    # A comparison counts a photograph without a prediction as unread.
    return predictions.dropna().reset_index(drop=True)

"""A model measured on a labelled folder: every photograph read, all figures, what they rest on."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.data.scanning import Progress
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.evaluation.evaluation import Evaluation, evaluation_from_json
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.slices import ATTRIBUTES
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.selection import Selection, keep_classes, leave_out_known

_CHUNK = 16  # photographs that one worker decodes and reads at a time


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
    evaluation: Evaluation
    num_relatives: int
    without_relatives: Evaluation | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it: what is undefined is null."""
        news = self.without_relatives
        return asdict(self) | {
            "evaluation": self.evaluation.to_json(),
            "without_relatives": None if news is None else news.to_json(),
        }


def assessment_from_json(raw: Mapping[str, Any]) -> Assessment:
    """Return what `Assessment.to_json` gave, exactly.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another kind.
    """
    news = raw["without_relatives"]
    evaluations = {
        "evaluation": evaluation_from_json(raw["evaluation"]),
        "without_relatives": None if news is None else evaluation_from_json(news),
    }
    return Assessment(**{**raw, **evaluations})


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
    probabilities, reasons = read_probabilities(classifier, paths, num_workers, progress)
    is_read = ~np.isnan(probabilities).any(axis=1)
    if not is_read.any():
        raise DatasetError(
            f"Found {len(table):,} photographs to measure on, and none can be read "
            f"({next(iter(reasons.values()), 'there is none')}). Name another folder."
        )
    table, probabilities = table.iloc[np.flatnonzero(is_read)], probabilities[is_read]
    has_relative = table["has_relative"].to_numpy(bool)
    is_part = has_relative.any() and not has_relative.all()
    return Assessment(
        model_id=classifier.card.model_id,
        folder=opened.folder.name,
        folder_key=opened.key,
        subset=selection.subset,
        labels=selection.labels,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        num_selected=len(selection.table),
        num_unlabelled=selection.num_unlabelled,
        num_known=num_known if selection.is_lineage_known else None,
        with_known=with_known,
        unreadable=reasons,
        evaluation=_evaluate(classifier, table, probabilities),
        num_relatives=int(has_relative.sum()),
        without_relatives=_evaluate(classifier, table[~has_relative], probabilities[~has_relative])
        if is_part
        else None,
    )


def read_probabilities(
    classifier: Classifier,
    paths: Sequence[Path],
    num_workers: int = 1,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float64], dict[str, str]]:
    """Read files; one that cannot be read never stops the rest.

    Returns:
        float64 [N, C], calibrated, NaN for a file that could not be read; and why, by its name.
    """

    def read(
        chunk: Sequence[Path],
    ) -> tuple[NDArray[np.float64], dict[str, str]]:
        found = np.full((len(chunk), len(classifier.card.class_names)), np.nan)
        pixels, places = [], []
        reasons: dict[str, str] = {}
        for place, path in enumerate(chunk):
            try:
                photograph = read_image(path)
            except ImageError as error:
                reasons[path.name] = str(error)
                continue
            pixels.append(resize_to_square(photograph.pixels, classifier.card.image_size))
            places.append(place)
        if pixels:
            found[places] = classifier.classify(np.stack(pixels)).probabilities
        return found, reasons

    chunks = [paths[first : first + _CHUNK] for first in range(0, len(paths), _CHUNK)]
    parts: list[NDArray[np.float64]] = []
    reasons: dict[str, str] = {}
    done = 0
    pool = ThreadPoolExecutor(num_workers)
    try:
        for part, why in pool.map(read, chunks):
            parts.append(part)
            reasons |= why
            done += len(part)
            if progress is not None:
                progress(done, len(paths))
    finally:
        pool.shutdown(cancel_futures=True)
    num_classes = len(classifier.card.class_names)
    return np.concatenate([np.empty((0, num_classes)), *parts]), reasons


def _evaluate(
    classifier: Classifier, table: pd.DataFrame, probabilities: NDArray[np.float64]
) -> Evaluation:
    card = classifier.card
    positions = {str(name): index for index, name in enumerate(card.class_names)}
    return evaluate_fully(
        probabilities,
        np.array([positions[str(label)] for label in table["label"]]),
        table["group"].to_numpy(np.int64),
        card.class_names,
        card.melanoma_index,
        card.operating_point.threshold,
        attributes=table[list(ATTRIBUTES)].reset_index(drop=True),
        conformal=card.conformal,
    )

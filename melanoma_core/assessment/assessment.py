"""The evaluation of a model on a labelled folder."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.assessment.file_predictions import predict_files
from melanoma_core.assessment.selection import Selection, find_unseen, keep_classes
from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.lesions import name_lesions
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.slices import gather_attributes
from melanoma_core.evaluation.subsets import CONFIRMED, TEST, find_headline
from melanoma_core.models.classifier import Classifier
from melanoma_core.models.origins import describe_origins
from melanoma_core.models.predictions import add_probabilities, index_truths
from melanoma_core.progress import Progress
from melanoma_core.software import DISCLAIMER, VERSION
from melanoma_core.taxonomy import SKIN_CANCERS, Confirmation, RiskTier


class Part(StrEnum):
    """Images that an evaluation reports on, in words."""

    CONFIRMED = "Confirmed by histopathology"
    ALL = "All images"
    UNRELATED = "Not related to train"


_KEYS = {Part.CONFIRMED: CONFIRMED, Part.ALL: TEST}


@dataclass(frozen=True)
class Assessment:
    """The evaluation of a model on a folder, with what it was computed on.

    Attributes:
        model_id: Of the model.
        folder: Name of the folder.
        folder_key: Key of the folder's content (`OpenedFolder.key`).
        subset: The evaluated subset.
        labels: Where the labels come from, in words.
        made_at: UTC, ISO 8601.
        num_selected: Number of images of the subset with one of the model's diagnoses, or a tier.
        num_unlabelled: Number of images of the subset with neither; they are left out.
        num_known: Number of images seen in training, themselves or a related image; None if the
            model does not record what it was trained on.
        with_known: Whether the images seen in training were included.
        unreadable: Why an image could not be read, by file name.
        num_refused: Number of images that a reading would refuse. They are included, because the
            model cannot help with a lesion that is refused.
        num_refused_melanomas: Number of known melanomas among them.
        evaluation: On all readable images.
        num_relatives: Number of readable images that are related to the folder's own train subset.
        without_relatives: On the other images; None if these are all or none.
        warnings: What else limits the result, one sentence each.
        num_refused_cancers: Number of skin cancers among the refused images; None if it was not
            counted.
        num_confirmed: Number of readable images whose label histopathology confirmed; None if it
            was not counted.
        confirmed: On these; None if they are all or none.
        app_version: Version of this software; "" in an evaluation of an earlier one.
        operating_points: Where both operating points come from (`origins.describe_origins`); None
            in an evaluation of an earlier version.
        disclaimer: What the evaluation is not for.
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
    warnings: tuple[str, ...] = ()
    num_refused_cancers: int | None = None
    num_confirmed: int | None = None
    confirmed: Evaluation | None = None
    app_version: str = ""
    operating_points: dict[str, Any] | None = None
    disclaimer: str = DISCLAIMER

    @property
    def parts(self) -> dict[Part, Evaluation]:
        """The evaluations, the headline first.

        That is the one on the images confirmed by histopathology, if they have melanomas and other
        lesions, as in a model card (`subsets.find_headline`).
        """
        evaluations = {
            Part.CONFIRMED: self.confirmed,
            Part.ALL: self.evaluation,
            Part.UNRELATED: self.without_relatives,
        }
        found = {part: each for part, each in evaluations.items() if each is not None}
        metrics = {_KEYS[part]: each.figures for part, each in found.items() if part in _KEYS}
        is_headline = find_headline(metrics) == CONFIRMED
        first = Part.CONFIRMED if is_headline else Part.ALL
        return {first: found.pop(first)} | found


def assess(
    classifier: Classifier,
    selection: Selection,
    *,
    include_seen: bool = False,
    num_workers: int = 1,
    progress: Progress | None = None,
) -> Assessment:
    """Evaluate a model on the selected images of a folder.

    Args:
        classifier: The model; load it with one thread if there are several workers.
        selection: The images.
        include_seen: Whether to include images seen in training.
        num_workers: Number of batches that are processed at the same time.
        progress: Progress callback. An exception that it raises stops the work.

    Raises:
        DatasetError: All images were seen in training, or none can be read.
    """
    card = classifier.card
    selection = keep_classes(selection, (*card.class_names, *RiskTier))
    num_seen = int(selection.table["is_seen"].sum())
    table = selection.table
    if not include_seen:
        table = table.loc[np.flatnonzero(find_unseen(selection))]
    files = predict_files(classifier, [Path(path) for path in table["path"]], num_workers, progress)
    if not files.is_readable.any():
        raise DatasetError(
            f"Found {len(table):,} images to evaluate on, and none of them can be read "
            f"({next(iter(files.unreadable.values()), 'the subset is empty')}). An evaluation "
            "needs at least 1 readable image. Name another folder."
        )
    labels = table["label"].astype(str).to_numpy()
    is_melanoma = labels == card.class_names[card.melanoma_index]
    is_cancer = np.isin(labels, [*map(str, SKIN_CANCERS), str(RiskTier.MALIGNANT)])
    table = table.iloc[np.flatnonzero(files.is_readable)]
    attributes = gather_attributes(table)
    predictions = LabelledPredictions(
        files.probabilities[files.is_readable],
        index_truths(table, card.class_names),
        table["group"].to_numpy(np.int64),
        attributes,
        name_lesions(table),
    )
    has_relative = table["has_relative"].to_numpy(bool)
    is_confirmed = attributes["confirmation"].eq(Confirmation.HISTOPATHOLOGY).to_numpy(bool)
    return Assessment(
        model_id=card.model_id,
        folder=selection.folder,
        folder_key=selection.folder_key,
        subset=selection.subset,
        labels=selection.labels,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        num_selected=len(selection.table),
        num_unlabelled=selection.num_unlabelled,
        num_known=num_seen if selection.is_lineage_known else None,
        with_known=include_seen,
        unreadable=files.unreadable,
        num_refused=int(files.is_refused.sum()),
        num_refused_melanomas=int((files.is_refused & is_melanoma).sum()),
        evaluation=evaluate_fully(predictions, card.rules),
        num_relatives=int(has_relative.sum()),
        without_relatives=_evaluate_part(predictions, ~has_relative, card.rules),
        warnings=tuple(filter(None, (selection.unchecked,))),
        num_refused_cancers=int((files.is_refused & is_cancer).sum()),
        num_confirmed=int(is_confirmed.sum()),
        confirmed=_evaluate_part(predictions, is_confirmed, card.rules),
        app_version=VERSION,
        operating_points=describe_origins(card),
    )


def _evaluate_part(
    predictions: LabelledPredictions, rows: NDArray[np.bool_], rules: DecisionRules
) -> Evaluation | None:
    """Return the evaluation of some images; None if they are all or none."""
    if rows.all() or not rows.any():
        return None
    return evaluate_fully(predictions.select(rows), rules)


def locate_photographs(wanted: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Find the files of wanted images in a folder, by their SHA-256.

    Args:
        wanted: With sha256.
        records: Records of an opened folder, with path and sha256.

    Returns:
        The rows of `wanted` that have a file in the folder, with `path`.

    Example:
        >>> wanted = pd.DataFrame({"sha256": ["a1", "b2"]})
        >>> records = pd.DataFrame({"path": ["x.jpg", "y.jpg"], "sha256": ["b2", "c3"]})
        >>> locate_photographs(wanted, records)["path"].tolist()
        ['x.jpg']
    """
    files = records.dropna(subset=["sha256"]).drop_duplicates("sha256")
    by_hash = dict(zip(files["sha256"], files["path"], strict=True))
    found = wanted.assign(path=wanted["sha256"].map(by_hash).astype(object))
    return found.dropna(subset=["path"])


def read_again(
    classifier: Classifier, rows: pd.DataFrame, progress: Progress | None = None
) -> pd.DataFrame:
    """Compute a model's predictions for images that it has no stored predictions for.

    Args:
        classifier: The model, loaded with all cores.
        rows: With sha256 and path.
        progress: Progress callback. An exception that it raises stops the work.

    Returns:
        sha256 and `p_<CODE>` per class, without images that cannot be read.
    """
    files = predict_files(classifier, [Path(path) for path in rows["path"]], progress=progress)
    images = rows[["sha256"]].reset_index(drop=True)
    predictions = add_probabilities(images, files.probabilities, classifier.card.class_names)
    return predictions.dropna().reset_index(drop=True)

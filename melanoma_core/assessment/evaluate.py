"""Evaluate a model on a labelled folder, as the command line and the background job both do."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.progress import Progress
from melanoma_core.settings import Settings

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment


@dataclass(frozen=True)
class EvaluationRequest:
    """Which model to evaluate, and on which images.

    Attributes:
        folder: Folder of labelled images.
        model_id: Id of the model; None for the deployed one.
        subset: "test", "validation", "train" or "all"; None for the images that the folder marks
            as test, or all of them where it marks none.
        include_seen: Whether to include the images seen in training.
        table: File of a cleaned table whose labels are used, or None for the folder's labels.
        folder_key: Key of the folder's content (`OpenedFolder.key`). A background job keeps one
            result per key; `evaluate_folder` ignores it.
    """

    folder: Path
    model_id: str | None = None
    subset: str | None = None
    include_seen: bool = False
    table: Path | None = None
    folder_key: str = ""


def evaluate_folder(
    settings: Settings,
    request: EvaluationRequest,
    read_progress: Progress | None = None,
    scan_progress: Progress | None = None,
) -> "Assessment":
    """Evaluate a model on a labelled folder, with one worker thread per core.

    Args:
        settings: Where models and the cache are.
        request: What to evaluate.
        read_progress: Called with the number of images read and their total.
        scan_progress: Called with the number of files scanned and their total.

    Raises:
        DatasetError: The folder or the table cannot be used, or no image can be evaluated.
        ModelError: The model is missing or damaged.
    """
    from melanoma_core.assessment.assessment import assess
    from melanoma_core.assessment.selection import select_photographs
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.cleaned_table import read_decisions
    from melanoma_core.data.opening import open_folder
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.identifiers import find_key
    from melanoma_core.models.lineage import read_split
    from melanoma_core.models.registry import find_serving

    serving = find_serving(settings, request.model_id)
    classifier = load_classifier(serving.folder, num_threads=1)
    # Before the scan, which takes longer. Path.resolve fails on a link that leads to itself.
    real_folder = Path(os.path.realpath(request.folder))
    decisions = read_decisions(request.table, real_folder) if request.table else None
    opened = open_folder(request.folder, FactCache(settings.cache_dir), scan_progress)
    fitted_on, key = read_split(serving.folder), find_key(settings)
    selection = select_photographs(opened, request.subset, fitted_on, decisions, key)
    assessment = assess(
        classifier,
        selection,
        include_seen=request.include_seen,
        num_workers=os.cpu_count() or 1,
        progress=read_progress,
    )
    notices = (serving.notice,) if serving.notice else ()
    return replace(assessment, warnings=notices + assessment.warnings)

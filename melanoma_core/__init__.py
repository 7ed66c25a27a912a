"""Find melanoma in photographs of skin lesions: data, training, evaluation, models, reading.

For research and education. Not a medical device.

Four functions are enough for a start: `read` a photograph, `read_lesion` from several,
`open_dataset` of a folder, and `evaluate` a model on one. The packages below offer the rest.
"""

import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.software import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from melanoma_core.assessment.assessment import Assessment
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.progress import Progress
    from melanoma_core.reading.lesion import LesionReading
    from melanoma_core.reading.reading import Reading

__version__ = VERSION
__all__ = ["__version__", "evaluate", "open_dataset", "read", "read_lesion"]


def read(path: Path | str, model: str | None = None, *, read_anyway: bool = False) -> "Reading":
    """Read one photograph of a skin lesion.

    The network is loaded once. For many photographs, `reading.reading.read_files` uses
    every core, and one that cannot be read does not stop the rest.

    Args:
        path: A JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM file of at most 32 MiB.
        model: Id of the model; None for the deployed model.
        read_anyway: Whether to read it even if it is out of distribution. The reading then carries
            the mark `read_anyway`, and a warning says what it means.

    Returns:
        Calibrated probabilities, both alerts and the heatmap of each diagnosis. A warning says if
        the deployed model is missing, so that the bundled one reads.
        `reading.statement.describe_finding` states it in one sentence.

    Raises:
        ImageError: The file cannot be decoded, or the photograph is refused: nothing can be seen,
            or it is too unlike the images that the network was trained on.
        ModelError: The model is missing or damaged.

    Example:
        >>> from melanoma_core.settings import ASSETS
        >>> reading = read(ASSETS / "demonstration" / "drawn-melanoma-1.jpg")
        >>> reading.alert
        True
        >>> reading.heatmap("MEL").shape == (reading.height, reading.width)
        True
    """
    _, (reading,) = _read([path], model, read_anyway)
    return reading


def read_lesion(
    paths: "Iterable[Path | str]", model: str | None = None, *, read_anyway: bool = False
) -> "LesionReading":
    """Read one lesion from all its photographs.

    Args:
        paths: The photographs, at least one; each as for `read`.
        model: Id of the model; None for the deployed model.
        read_anyway: As for `read`.

    Returns:
        Calibrated probabilities and both alerts of the lesion, with the reading of each photograph.
        `alerts_differ` and `diagnoses_differ` say whether they disagree.

    Raises:
        ImageError: There is no photograph, or one of them cannot be decoded or is refused.
        ModelError: The model is missing or damaged.

    Example:
        >>> from melanoma_core.settings import ASSETS
        >>> names = ("drawn-melanoma-1.jpg", "drawn-nevus.jpg")
        >>> lesion = read_lesion(ASSETS / "demonstration" / name for name in names)
        >>> [reading.alert for reading in lesion.readings], lesion.alerts_differ
        ([True, False], True)
    """
    from melanoma_core.reading.lesion import combine_readings

    return combine_readings(*_read(list(paths), model, read_anyway))


def open_dataset(folder: Path | str, progress: "Progress | None" = None) -> "Dataset":
    """Open a folder of photographs as a cleaned dataset, with one row per image.

    The collections in it are merged by image id. Copies, unreadable files and images with
    contradictory labels are left out; `Dataset.decisions` says why. Files are measured once and
    remembered in the cache (`MELANOMA_CACHE_DIR`). Nothing in the folder is changed.

    Args:
        folder: A collection, or a folder of collections.
        progress: Called with the number of files scanned and their total.

    Returns:
        `Dataset.table` has the columns that `Dataset` documents.

    Raises:
        DatasetError: Nothing was recognised, a table is wrong, or there is no file.

    Example:
        >>> from tempfile import mkdtemp
        >>> from melanoma_core.data.drawn.dataset import write_demonstration_dataset
        >>> folder = write_demonstration_dataset(Path(mkdtemp()) / "drawn")
        >>> dataset = open_dataset(folder)
        >>> int((dataset.table["label"] == "MEL").sum())
        8
    """
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.dataset import merge_records
    from melanoma_core.data.opening import open_folder
    from melanoma_core.settings import load_settings

    cache = FactCache(load_settings().cache_dir)
    return merge_records(open_folder(Path(folder), cache, progress).records)


def evaluate(
    model: str | None, folder: Path | str, subset: str | None = None, *, include_seen: bool = False
) -> "Assessment":
    """Evaluate a model on a labelled folder.

    Args:
        model: Id of the model; None for the deployed model.
        folder: A collection, or a folder of collections.
        subset: "test", "validation", "train" or "all"; None for the images that the folder marks as
            test, or all of them where it marks none.
        include_seen: Whether to include images seen in training. The metrics are then too good.

    Returns:
        Every metric with its count and 95% confidence interval, and what was left out.

    Raises:
        DatasetError: The folder cannot be used, or it has no image to evaluate on.
        ModelError: The model is missing or damaged.

    Example:
        >>> from tempfile import mkdtemp
        >>> from melanoma_core.data.drawn.dataset import write_demonstration_dataset
        >>> folder = write_demonstration_dataset(Path(mkdtemp()) / "drawn")
        >>> evaluate(None, folder, "all").evaluation.figures["sensitivity"].total
        9
    """
    from melanoma_core.assessment.evaluate import EvaluationRequest, evaluate_folder
    from melanoma_core.settings import load_settings

    request = EvaluationRequest(Path(folder), model, subset, include_seen)
    return evaluate_folder(load_settings(), request)


def _read(
    paths: "Sequence[Path | str]", model: str | None, read_anyway: bool
) -> "tuple[ModelCard, list[Reading]]":
    """Read photographs, which all have to be readable."""
    from melanoma_core.errors import ImageError
    from melanoma_core.models.registry import find_serving
    from melanoma_core.reading.reading import Reading, read_files
    from melanoma_core.reading.statement import READ_ANYWAY
    from melanoma_core.settings import load_settings

    if not paths:
        raise ImageError("Found no photograph of the lesion. Name at least one.")
    serving = find_serving(load_settings(), model)
    if serving.notice:
        warnings.warn(serving.notice, stacklevel=3)
    classifier = _load_classifier(serving.folder)
    readings = []
    for path, result in read_files(classifier, map(Path, paths), read_anyway=read_anyway):
        if not isinstance(result, Reading):
            raise ImageError(result.reason if len(paths) == 1 else f"{path}: {result.reason}")
        if result.read_anyway:
            warnings.warn(f"{path}: {READ_ANYWAY}", stacklevel=3)
        readings.append(result)
    return classifier.card, readings


@lru_cache(maxsize=1)
def _load_classifier(folder: Path) -> "Classifier":
    from melanoma_core.models.classifier import load_classifier

    return load_classifier(folder)

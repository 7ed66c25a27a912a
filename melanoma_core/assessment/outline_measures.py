"""How the measures of outlines behave: their distributions on manually drawn ones, by diagnosis."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.assessment.outlines import measure_outlines
from melanoma_core.data.decoding import decode_table, map_in_threads
from melanoma_core.data.images import read_image
from melanoma_core.data.outlines import read_mask, select_outlined
from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.discrimination import measure_discrimination
from melanoma_core.evaluation.faithfulness import average, average_difference
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress
from melanoma_core.reading.outline_measures import COLOURS, CUT, EMPTY, SEVERAL, measure_outline
from melanoma_core.taxonomy import Diagnosis

MEASURES = (
    *("asymmetry", "border_irregularity", "abrupt_segments"),
    *("num_colours", "diameter", "area_share"),
)
_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Spread:
    """The distribution of a measure.

    Attributes:
        mean: Mean over photographs, with its 95% confidence interval, resampled by lesion.
        quartiles: 25%, 50% and 75% of the photographs have at most this; NaN where there is none.
    """

    mean: Figure
    quartiles: tuple[float, float, float]


@dataclass(frozen=True)
class OutlineSummary:
    """The measures of manually drawn outlines.

    Attributes:
        spreads: By diagnosis and name of the measure (`MEASURES`).
        colours: Share of photographs with each colour, by diagnosis and colour.
        missing: Share of photographs with each reason for missing measures, by diagnosis and
            reason.
        roc_auc: How well a measure alone ranks melanomas above all other lesions, by its name.
    """

    spreads: dict[str, dict[str, Spread]]
    colours: dict[str, dict[str, Figure]]
    missing: dict[str, dict[str, Figure]]
    roc_auc: dict[str, Figure]


def list_outlined(table: pd.DataFrame, folder: Path, limit: int | None) -> pd.DataFrame:
    """Return the images that have an outline, at most `limit` of them, drawn at random.

    Args:
        table: Images of a folder: `path`, `label`, `group`.
        folder: Named in the error.
        limit: Maximum number; None for all.

    Raises:
        DatasetError: No image has an outline.
    """
    outlined = select_outlined(table[table["label"].notna()])
    if outlined.empty:
        raise DatasetError(
            f"Found no outline for the {len(table):,} images in {folder}. At least 1 is needed. "
            "Put the outlines into a masks/ folder beside the folder of the images, named as in "
            "HAM10000: ISIC_0024306_segmentation.png."
        )
    if limit is not None:
        outlined = outlined.sample(min(limit, len(outlined)), random_state=0)
    return outlined


def measure_table(outlined: pd.DataFrame, progress: Progress | None = None) -> pd.DataFrame:
    """Measure manually drawn outlines in their photographs.

    Args:
        outlined: Of `list_outlined`.
        progress: Called with the number of measured photographs and their total.

    Returns:
        The rows with the attributes of `OutlineMeasures`, missing where they are, and
        `num_colours`.

    Raises:
        ImageError: A file cannot be read.
    """

    def measure(files: tuple[str, Path]) -> dict[str, Any]:
        photograph, outline = files
        measures = measure_outline(read_mask(outline), read_image(Path(photograph)).pixels)
        colours = measures.colours
        return asdict(measures) | {"num_colours": None if colours is None else len(colours)}

    files = zip(outlined["path"], outlined["outline"], strict=True)
    rows = []
    for row in map_in_threads(measure, files, os.cpu_count() or 1):
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(outlined))
    measured = pd.DataFrame(rows, index=outlined.index)
    return outlined.join(measured.astype(dict.fromkeys(MEASURES, np.float64)))


def summarise(measured: pd.DataFrame) -> OutlineSummary:
    """Summarise the measures by diagnosis.

    Args:
        measured: Of `measure_table`, with `label` and `group`.
    """
    parts = {str(label): rows for label, rows in measured.groupby("label", sort=True)}
    return OutlineSummary(
        spreads={label: _spread(rows) for label, rows in parts.items()},
        colours={label: _share_colours(rows) for label, rows in parts.items()},
        missing={label: _share_missing(rows) for label, rows in parts.items()},
        roc_auc={name: _rank_melanomas(measured, name) for name in MEASURES},
    )


def measure_dice(
    classifier: Classifier, table: pd.DataFrame, progress: Progress | None = None
) -> dict[str, Figure] | None:
    """Compare the outlines that a model draws with manually drawn ones.

    Args:
        classifier: The model.
        table: Photographs that it has not seen in training: `path`, `group`, `source`.
        progress: Called with the number of read photographs and their total.

    Returns:
        "dice", "jaccard" and "failed", as `assessment.outlines` defines them; None if the model
        draws no outline, or no photograph has one.

    Raises:
        ImageError: A file cannot be read.
    """
    facts, outlined = classifier.card.outline, select_outlined(table)
    if facts is None or outlined.empty:
        return None
    side = classifier.card.image_size
    drawn = [
        classifier.classify(pixels).outline
        for _, pixels in decode_table(outlined, side, progress=progress)
    ]
    outlines = np.concatenate([each for each in drawn if each is not None])
    return measure_outlines(outlines, outlined, facts.threshold)[TEST]


def _spread(rows: pd.DataFrame) -> dict[str, Spread]:
    groups = rows["group"].to_numpy()
    spreads = {}
    for name in MEASURES:
        values = rows[name].to_numpy(dtype=np.float64)
        low, middle, high = rows[name].quantile(_QUARTILES)
        spreads[name] = Spread(
            average_difference(values, groups), (float(low), float(middle), float(high))
        )
    return spreads


def _share_colours(rows: pd.DataFrame) -> dict[str, Figure]:
    known, groups = rows[rows["colours"].notna()], rows["group"]
    return {
        name: _share([name in found for found in known["colours"]], groups[known.index])
        for name in COLOURS
    }


def _share_missing(rows: pd.DataFrame) -> dict[str, Figure]:
    return {
        reason: _share(list(rows["missing"] == reason), rows["group"])
        for reason in (EMPTY, SEVERAL, CUT)
    }


def _share(event: list[bool], groups: pd.Series) -> Figure:
    return average(np.array(event, np.float64), groups.to_numpy())


def _rank_melanomas(measured: pd.DataFrame, name: str) -> Figure:
    known = measured[measured[name].notna()]
    if known.empty:
        return Figure(np.nan, np.nan, np.nan, None, 0, 0)
    is_melanoma: NDArray[np.bool_] = (known["label"] == Diagnosis.MEL).to_numpy()
    resamples = resample_lesions(known["group"].to_numpy())
    return measure_discrimination(resamples, known[name].to_numpy(), is_melanoma).roc_auc

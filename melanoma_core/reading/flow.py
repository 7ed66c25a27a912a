"""Count what a reading makes of the test photographs of a model: refused, alert or no alert."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.images import read_image
from melanoma_core.data.quality import judge_quality, measure_quality
from melanoma_core.evaluation.flow import ReadingFlow, measure_flow
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.models.card import ModelCard
from melanoma_core.models.classifier import Outputs
from melanoma_core.models.predictions import index_truths
from melanoma_core.reading.reading import RefusalKind

if TYPE_CHECKING:
    import pandas as pd


def count_readings(card: ModelCard, table: "pd.DataFrame", outputs: Outputs) -> ReadingFlow:
    """Count what a reading makes of labelled photographs.

    Args:
        card: With the limits and thresholds of the model.
        table: N rows of a split, with `path`, `label` and `group`.
        outputs: Of the model, for these photographs in this order.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """
    predictions = LabelledPredictions(
        outputs.probabilities, index_truths(table, card.class_names), table["group"].to_numpy()
    )
    paths = map(Path, table["path"])
    unclear = map_in_threads(_shows_nothing, paths, os.cpu_count() or 1)
    unfamiliar = [False] * len(table)
    if card.novelty is not None and outputs.novelty is not None:
        unfamiliar = [card.novelty.refuses(distance) for distance in outputs.novelty.tolist()]
    refusals = [
        RefusalKind.QUALITY if nothing else RefusalKind.UNFAMILIAR if unlike else None
        for nothing, unlike in zip(unclear, unfamiliar, strict=True)
    ]
    return measure_flow(predictions, card.rules, refusals)


def _shows_nothing(path: Path) -> bool:
    findings = judge_quality(measure_quality(read_image(path)))
    return any(finding.refused for finding in findings)

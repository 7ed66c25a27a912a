"""Readings with given probabilities, for tests."""

from dataclasses import replace

import numpy as np

from melanoma_core.evaluation.prediction_set import PredictionSet
from melanoma_core.reading.outline_measures import OutlineMeasures
from melanoma_core.reading.reading import Reading


def make_reading(
    probabilities: dict[str, float],
    threshold: float = 0.05,
    skin_cancer_threshold: float | None = None,
    *,
    members: tuple[str, ...] | None = None,
    model_id: str = "test",
) -> Reading:
    """Return a reading whose probabilities were not changed by calibration."""
    names = tuple(probabilities)
    found = None
    if members is not None:
        ruled_out = tuple(name for name in names if name not in members)
        found = PredictionSet(members, (), ruled_out, "MEL", 0.9)
    return Reading(
        model_id=model_id,
        class_names=names,
        probabilities=tuple(probabilities.values()),
        threshold=threshold,
        skin_cancer_threshold=skin_cancer_threshold,
        uncalibrated=tuple(probabilities.values()),
        prediction_set=found,
        evidence=np.zeros((len(probabilities), 3, 3), np.float32),
        width=64,
        height=64,
    )


def with_outline(reading: Reading) -> Reading:
    """Return a reading with even heatmaps and a lesion in the middle quarter of the photograph."""
    outline = np.zeros((32, 32), np.float32)
    outline[8:24, 8:24] = 1
    return replace(
        reading,
        evidence=np.ones_like(reading.evidence),
        outline=outline,
        outline_threshold=0.5,
        outline_measures=OutlineMeasures(
            area_share=0.25,
            asymmetry=0.1,
            border_irregularity=1.2,
            abrupt_segments=3,
            colours=("light brown", "black"),
            diameter=0.4,
        ),
    )

"""Read a lesion from several of its photographs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from melanoma_core.evaluation.temperature import combine_logits
from melanoma_core.models.card import ModelCard
from melanoma_core.reading.reading import Reading
from melanoma_core.reading.verdict import Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class LesionReading(Verdict):
    """A lesion that was read from its photographs.

    There is no prediction set: its promise holds for single photographs.

    Attributes:
        readings: The reading of each photograph, as they were given.
    """

    readings: tuple[Reading, ...]

    @property
    def alerts_differ(self) -> bool:
        """Whether an alert is raised by one photograph and not by another."""
        alerts = {(reading.alert, reading.skin_cancer_alert) for reading in self.readings}
        return len(alerts) > 1

    @property
    def diagnoses_differ(self) -> bool:
        """Whether the photographs have different leading diagnoses."""
        return len({reading.top_diagnosis for reading in self.readings}) > 1

    @property
    def read_anyway(self) -> bool:
        """Whether a photograph is out of distribution and was read anyway."""
        return any(reading.read_anyway for reading in self.readings)


def combine_readings(card: ModelCard, readings: Sequence[Reading]) -> LesionReading:
    """Read a lesion from the readings of its photographs.

    The logits are averaged before calibration, and the mean is divided by the temperature for
    lesions. No photograph passes through the network again. The lesion of a single photograph has
    the probabilities of that photograph, so that the two never differ.

    Args:
        card: Card of the model that read all photographs.
        readings: At least one.

    Raises:
        ValueError: There is no reading, or one is of another model.
    """
    models = {reading.model_id for reading in readings}
    if models != {card.model_id}:
        raise ValueError(
            f"found readings of {sorted(models) or 'no model'}; a lesion needs at least one "
            f"reading, all of the model {card.model_id}"
        )
    probabilities, uncalibrated = readings[0].probabilities, readings[0].uncalibrated
    if len(readings) > 1:
        outputs = np.array([reading.uncalibrated for reading in readings])
        together = np.zeros(len(readings), dtype=np.intp)
        temperature = card.lesion_temperature or card.temperature
        probabilities = tuple(combine_logits(outputs, temperature, together)[0].tolist())
        uncalibrated = tuple(combine_logits(outputs, 1.0, together)[0].tolist())
    melanoma_probability = probabilities[card.melanoma_index]
    return LesionReading(
        model_id=card.model_id,
        class_names=card.class_names,
        probabilities=probabilities,
        melanoma_probability=melanoma_probability,
        threshold=card.operating_point.threshold,
        alert=melanoma_probability >= card.operating_point.threshold,
        skin_cancer_threshold=card.rules.skin_cancer_threshold,
        uncalibrated=uncalibrated,
        readings=tuple(readings),
    )

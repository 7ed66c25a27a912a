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
        counted: Those that the lesion was read from: each photograph once, without those that are
            out of distribution, unless all are.
    """

    readings: tuple[Reading, ...]
    counted: tuple[Reading, ...]

    @property
    def is_combined(self) -> bool:
        """Whether it was read from several photographs, so that metrics by lesion apply."""
        return len(self.counted) > 1

    @property
    def num_copies(self) -> int:
        """Number of photographs that are copies of an earlier one."""
        return len(self.readings) - len(_drop_copies(self.readings))

    @property
    def num_set_aside(self) -> int:
        """Number of photographs that were read anyway, and are not part of the reading."""
        return len(_drop_copies(self.readings)) - len(self.counted)

    @property
    def alerts_differ(self) -> bool:
        """Whether an alert is raised by one photograph and not by another."""
        alerts = {(reading.alert, reading.skin_cancer_alert) for reading in self.counted}
        return len(alerts) > 1

    @property
    def diagnoses_differ(self) -> bool:
        """Whether the photographs have different leading diagnoses."""
        return len({reading.top_diagnosis for reading in self.counted}) > 1


def combine_readings(card: ModelCard, readings: Sequence[Reading]) -> LesionReading:
    """Read a lesion from the readings of its photographs.

    The logits are averaged before calibration, and the mean is divided by the temperature for
    lesions. No photograph passes through the network again. Copies of a photograph count once, and
    those that were read although out of distribution do not count, unless all were. A lesion of
    which one photograph counts has the probabilities of that photograph, so that the two never
    differ.

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
    distinct = _drop_copies(readings)
    counted = [reading for reading in distinct if not reading.read_anyway] or distinct
    probabilities, uncalibrated = counted[0].probabilities, counted[0].uncalibrated
    if len(counted) > 1:
        outputs = np.array([reading.uncalibrated for reading in counted])
        together = np.zeros(len(counted), dtype=np.intp)
        temperature = card.lesion_temperature or card.temperature
        probabilities = tuple(combine_logits(outputs, temperature, together)[0].tolist())
        uncalibrated = tuple(combine_logits(outputs, 1.0, together)[0].tolist())
    return LesionReading(
        model_id=card.model_id,
        class_names=card.class_names,
        probabilities=probabilities,
        threshold=card.operating_point.threshold,
        skin_cancer_threshold=card.rules.skin_cancer_threshold,
        uncalibrated=uncalibrated,
        read_anyway=counted[0].read_anyway,
        readings=tuple(readings),
        counted=tuple(counted),
    )


def _drop_copies(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings of different photographs, in their order."""
    different: dict[str | int, Reading] = {}
    for place, reading in enumerate(readings):
        different.setdefault(reading.fingerprint or place, reading)
    return list(different.values())

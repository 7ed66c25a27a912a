"""How a model's probabilities become a diagnosis, an alert and a prediction set.

Imports no NumPy, because a reading takes its rules from the model card.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ConformalBound:
    """The lowest probability at which a diagnosis belongs to a prediction set.

    Attributes:
        lowest_probability: Calibrated, in [0, 1]; None if there were too few lesions to determine
            it. The diagnosis can then neither be named nor ruled out.
        num_lesions: Number of lesions of this diagnosis that the bound was determined on.
    """

    lowest_probability: float | None
    num_lesions: int


@dataclass(frozen=True)
class ConformalBounds:
    """The conformal bounds of a model.

    Attributes:
        coverage: Share of the lesions of each diagnosis whose set should contain it, in (0, 1).
        fitted_on: The subset that the bounds were determined on; never the reported one.
        bounds: By class name, in the order of the network's outputs.
    """

    coverage: float
    fitted_on: str
    bounds: Mapping[str, ConformalBound]


@dataclass(frozen=True)
class DecisionRules:
    """How a model's probabilities become a diagnosis, an alert and a prediction set.

    Attributes:
        class_names: Diagnosis codes, in the order of the network's C outputs.
        melanoma_index: Position of melanoma in `class_names`.
        threshold: A probability of melanoma at or above it is an alert, in [0, 1]. If None, an
            alert is an image whose most probable class is melanoma.
        conformal: Bounds of the prediction sets; None if the model makes no sets.
        frequencies: C class shares of the images that the probabilities are calibrated for; None
            if unknown.

    Example:
        >>> DecisionRules(("MEL", "NV"), melanoma_index=0, threshold=0.2).threshold
        0.2
    """

    class_names: tuple[str, ...]
    melanoma_index: int
    threshold: float | None = None
    conformal: ConformalBounds | None = None
    frequencies: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: The melanoma index or the threshold is out of range.
        """
        if not 0 <= self.melanoma_index < len(self.class_names):
            raise ValueError(
                f"melanoma_index is {self.melanoma_index} of {len(self.class_names)} classes"
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}; it must be in [0, 1]")

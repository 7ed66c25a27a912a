"""How a model's probabilities become a diagnosis, two alerts and a prediction set.

Imports no NumPy, because a reading takes its rules from the model card.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from melanoma_core.taxonomy import SKIN_CANCERS

SKIN_CANCER = "skin_cancer"  # of its curves and metrics, where a class has its name


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
    """How a model's probabilities become a diagnosis, two alerts and a prediction set.

    Attributes:
        class_names: Diagnosis codes, in the order of the network's C outputs.
        melanoma_index: Position of melanoma in `class_names`.
        threshold: A probability of melanoma at or above it is an alert, in [0, 1]. If None, an
            alert is an image whose most probable class is melanoma.
        conformal: Bounds of the prediction sets; None if the model makes no sets.
        frequencies: C class shares of the images that the probabilities are calibrated for; None
            if unknown.
        skin_cancer_threshold: A sum of the probabilities of all skin cancers at or above it is a
            skin cancer alert, in [0, 1]; None if the model has no such alert.
        lesion_temperature: Divides the mean logits of a lesion's photographs, relative to the
            temperature that one photograph is calibrated with; above 0.

    Example:
        >>> DecisionRules(("MEL", "NV"), melanoma_index=0, threshold=0.2).threshold
        0.2
    """

    class_names: tuple[str, ...]
    melanoma_index: int
    threshold: float | None = None
    conformal: ConformalBounds | None = None
    frequencies: tuple[float, ...] | None = None
    skin_cancer_threshold: float | None = None
    lesion_temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: The melanoma index or a threshold is out of range.
        """
        if not 0 <= self.melanoma_index < len(self.class_names):
            raise ValueError(
                f"melanoma_index is {self.melanoma_index} of {len(self.class_names)} classes"
            )
        for name in ("threshold", "skin_cancer_threshold"):
            threshold = getattr(self, name)
            if threshold is not None and not 0 <= threshold <= 1:
                raise ValueError(f"{name} is {threshold}; it must be in [0, 1]")

    @property
    def skin_cancer_indices(self) -> tuple[int, ...]:
        """Positions of the skin cancers in `class_names`: melanoma, and BCC and SCC if present."""
        return tuple(
            index
            for index, name in enumerate(self.class_names)
            if index == self.melanoma_index or name in SKIN_CANCERS
        )

    @property
    def knows_other_skin_cancers(self) -> bool:
        """Whether there is another skin cancer than melanoma among the classes."""
        return len(self.skin_cancer_indices) > 1

    def add_skin_cancers(self, columns: Sequence[Any]) -> Any:
        """Return the probability of any skin cancer.

        The order of the sum is fixed, so that a reading and an evaluation get the same number to
        the last bit, and a probability at the threshold is an alert in both.

        Args:
            columns: C probabilities in [0, 1]; or C arrays of them, such as the transpose of
                float64 [N, C].

        Returns:
            One number in [0, 1], or one array.

        Example:
            >>> DecisionRules(("MEL", "NV", "BCC"), 0).add_skin_cancers((0.25, 0.5, 0.25))
            0.5
        """
        first, *others = self.skin_cancer_indices
        total = columns[first]
        for index in others:
            total = total + columns[index]
        return total

"""The diagnoses that a reading does not rule out: what serving needs of it, without NumPy.

How the bounds are found is in `conformal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ConformalBound:
    """From which probability a diagnosis belongs to the set.

    Attributes:
        lowest_probability: Calibrated, in [0, 1]; None where there were not enough cases to find
            it, so that the diagnosis can be neither named nor ruled out.
        num_lesions: Lesions of that diagnosis that it was found on.
    """

    lowest_probability: float | None
    num_lesions: int


@dataclass(frozen=True)
class ConformalBounds:
    """How a model makes its sets.

    Attributes:
        coverage: Share of the lesions of each diagnosis whose set shall hold it, in (0, 1).
        fitted_on: The subset that the bounds were found on; never the one reported on.
        bounds: By class name, in the order of the network's outputs.
    """

    coverage: float
    fitted_on: str
    bounds: Mapping[str, ConformalBound]


@dataclass(frozen=True)
class PredictionSet:
    """The diagnoses that one photograph may show.

    Attributes:
        members: Class names, the most probable first.
        unknown: Class names that had not enough cases to be named or ruled out.
        num_classes: How many the network tells apart.
        coverage: As in `ConformalBounds`.
    """

    members: tuple[str, ...]
    unknown: tuple[str, ...]
    num_classes: int
    coverage: float

    @property
    def is_telling(self) -> bool:
        """Whether it says anything: some classes are left, and most are ruled out."""
        return 0 < len(self.members) <= (self.num_classes - len(self.unknown)) / 2


def make_prediction_set(
    bounds: ConformalBounds, class_names: Sequence[str], probabilities: Sequence[float]
) -> PredictionSet:
    """Return the set of one photograph.

    Args:
        bounds: Of the model.
        class_names: C names, in the order of the probabilities.
        probabilities: C numbers in [0, 1], calibrated.
    """
    ranked = sorted(zip(class_names, probabilities, strict=True), key=lambda each: -each[1])
    lowest = {name: bound.lowest_probability for name, bound in bounds.bounds.items()}
    return PredictionSet(
        members=tuple(
            name
            for name, probability in ranked
            if (bound := lowest[name]) is not None and probability >= bound
        ),
        unknown=tuple(name for name in class_names if lowest[name] is None),
        num_classes=len(class_names),
        coverage=bounds.coverage,
    )

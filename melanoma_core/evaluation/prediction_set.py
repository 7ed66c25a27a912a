"""The diagnoses that a reading does not rule out: what serving needs of it, without NumPy.

How the bounds are found is in `conformal`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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


def bounds_from_json(raw: Mapping[str, Any]) -> ConformalBounds:
    """Return the bounds that a card holds.

    Raises:
        ValueError: A bound is no probability.
        KeyError: Something is missing.
        TypeError: Something is of another kind.
    """
    bounds = {name: ConformalBound(**bound) for name, bound in raw["bounds"].items()}
    for bound in bounds.values():
        if bound.lowest_probability is not None and not 0 <= bound.lowest_probability <= 1:
            raise ValueError("lowest_probability out of range")
    return ConformalBounds(raw["coverage"], raw["fitted_on"], bounds)


class Abstention(StrEnum):
    """Why a set says nothing."""

    EMPTY = "empty"
    TOO_MANY = "too many"
    MELANOMA_UNKNOWN = "melanoma unknown"


@dataclass(frozen=True)
class PredictionSet:
    """The diagnoses that one photograph may show.

    Attributes:
        members: Class names, the most probable first.
        unknown: Class names that had not enough cases to be named or ruled out.
        ruled_out: All other class names, in the network's order.
        melanoma: What melanoma is called among them.
        coverage: As in `ConformalBounds`.
    """

    members: tuple[str, ...]
    unknown: tuple[str, ...]
    ruled_out: tuple[str, ...]
    melanoma: str
    coverage: float

    @property
    def abstention(self) -> Abstention | None:
        """Why it says nothing, or None where it does.

        It does not where melanoma can be neither named nor ruled out, where it names none, and
        where it names more than it rules out.
        """
        if self.melanoma in self.unknown:
            return Abstention.MELANOMA_UNKNOWN
        if not self.members:
            return Abstention.EMPTY
        return Abstention.TOO_MANY if len(self.members) > len(self.ruled_out) else None


def make_prediction_set(
    bounds: ConformalBounds,
    class_names: Sequence[str],
    probabilities: Sequence[float],
    melanoma_index: int,
) -> PredictionSet:
    """Return the set of one photograph.

    Args:
        bounds: Of the model.
        class_names: C names, in the order of the probabilities.
        probabilities: C numbers in [0, 1], calibrated.
        melanoma_index: Position of melanoma in `class_names`.
    """
    ranked = sorted(zip(class_names, probabilities, strict=True), key=lambda each: -each[1])
    lowest = {name: bounds.bounds[name].lowest_probability for name in class_names}
    members = tuple(
        str(name)
        for name, probability in ranked
        if (bound := lowest[name]) is not None and probability >= bound
    )
    unknown = tuple(str(name) for name in class_names if lowest[name] is None)
    return PredictionSet(
        members,
        unknown,
        ruled_out=tuple(str(name) for name in class_names if name not in (*members, *unknown)),
        melanoma=str(class_names[melanoma_index]),
        coverage=bounds.coverage,
    )

"""The diagnoses that a reading does not rule out, the leading one always among them.

Imports no NumPy, because every reading imports it. `conformal` determines the bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.evaluation.rules import DecisionRules


class Abstention(StrEnum):
    """Why a prediction set is not informative."""

    TOO_MANY = "too many"
    MELANOMA_UNKNOWN = "melanoma unknown"


@dataclass(frozen=True)
class PredictionSet:
    """The diagnoses that one photograph may show.

    Attributes:
        members: Class names in the set, the most probable first: the leading diagnosis, and all
            that reach their bound.
        unknown: Other class names without a bound, which can neither be named nor ruled out.
        ruled_out: All other class names, in the network's order.
        melanoma: The class name of melanoma.
        coverage: Share of the lesions of each diagnosis whose set should contain it.
    """

    members: tuple[str, ...]
    unknown: tuple[str, ...]
    ruled_out: tuple[str, ...]
    melanoma: str
    coverage: float

    @property
    def abstention(self) -> Abstention | None:
        """Why the set is not informative; None if it is.

        It is not informative if melanoma has no bound and does not lead, or if it contains more
        diagnoses than it rules out.
        """
        if self.melanoma in self.unknown:
            return Abstention.MELANOMA_UNKNOWN
        return Abstention.TOO_MANY if len(self.members) > len(self.ruled_out) else None


def make_prediction_set(
    rules: DecisionRules, probabilities: Sequence[float]
) -> PredictionSet | None:
    """Return the conformal prediction set of one photograph, with its leading diagnosis.

    With the leading diagnosis, a set is at least as large as the bounds make it. So it contains the
    true diagnosis at least as often.

    Args:
        rules: Of the model.
        probabilities: C numbers in [0, 1], calibrated.

    Returns:
        The set; None if the model makes no sets.

    Example:
        >>> from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds
        >>> bounds = {"MEL": ConformalBound(0.1, 40), "NV": ConformalBound(0.9, 90)}
        >>> conformal = ConformalBounds(0.9, "validation", bounds)
        >>> rules = DecisionRules(("MEL", "NV"), 0, conformal=conformal)
        >>> make_prediction_set(rules, (0.3, 0.7)).members
        ('NV', 'MEL')
    """
    if rules.conformal is None:
        return None
    names = [str(name) for name in rules.class_names]
    lowest = {name: rules.conformal.bounds[name].lowest_probability for name in names}
    ranked = sorted(zip(names, probabilities, strict=True), key=lambda each: -each[1])
    members = tuple(
        name
        for rank, (name, probability) in enumerate(ranked)
        if rank == 0 or ((bound := lowest[name]) is not None and probability >= bound)
    )
    others = [name for name in names if name not in members]
    return PredictionSet(
        members,
        unknown=tuple(name for name in others if lowest[name] is None),
        ruled_out=tuple(name for name in others if lowest[name] is not None),
        melanoma=names[rules.melanoma_index],
        coverage=rules.conformal.coverage,
    )

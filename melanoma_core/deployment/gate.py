"""Whether a candidate may read in the place of the deployed model: plain values in, verdict out."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage

if TYPE_CHECKING:  # who only shows a verdict waits for no pandas
    from melanoma_core.deployment.comparison import Comparison

_TAIL = 0.025


@dataclass(frozen=True)
class Margins:
    """How much worse a candidate may be.

    Attributes:
        sensitivity: The 95% interval of the difference in melanoma sensitivity must exclude a
            loss larger than this. Not smaller by default, since no smaller one can be shown on
            the test subsets that there are. Of two equally good networks that differ on 4% (6%)
            of 190 melanoma lesions, the interval reaches 2.7 (3.4) points to either side: a margin
            of 2 points would refuse 71% (79%) of the equal ones; 5 points refuse 9% (21%) of
            them, and let 4% of those pass that miss 5 melanomas more in 100, and 0.2% of those that
            miss 8 more. The test of this module simulates it.
        specificity: The difference itself, which thousands of lesions measure well, must not be a
            larger loss than this: ten more of a hundred harmless lesions with an alert would teach
            people to overlook alerts.
    """

    sensitivity: float = 0.05
    specificity: float = 0.10


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        is_allowed: Whether the candidate may be promoted.
        reasons: One sentence each: why not, or on what grounds.
    """

    is_allowed: bool
    reasons: tuple[str, ...]


def judge(
    model_id: str,
    deployed_id: str,
    leakage: Leakage | None,
    comparison: "Comparison | str",
    margins: Margins | None = None,
) -> Verdict:
    """Say whether a candidate may be promoted.

    Args:
        model_id: The candidate's.
        deployed_id: Of the model that it would replace.
        leakage: Of the candidate's card.
        comparison: With the deployed model, or why there is none.
        margins: By default those of the class.
    """
    if model_id == deployed_id:
        return Verdict(False, (f"{model_id} is deployed already.",))
    margins = margins or Margins()
    against = [*_judge_leakage(leakage)]
    if isinstance(comparison, str):
        against.append(comparison)
    else:
        against += _judge_images(comparison, model_id, deployed_id)
        against += _judge_figures(comparison, margins)
    if against or isinstance(comparison, str):
        return Verdict(False, tuple(against))
    return Verdict(True, _tell_grounds(comparison, margins))


def _judge_leakage(leakage: Leakage | None) -> list[str]:
    if leakage is None:
        return [
            "Nobody looked for leaks between its training and its test (it was made by an older "
            "version). Train it anew."
        ]
    if leakage.found:
        return [
            f"It leaks: {leakage.found:,} of its {leakage.num_test:,} test photographs have a "
            f"relative among those that it was fitted on ({leakage.examples[0]})."
        ]
    return []


def _judge_images(comparison: "Comparison", model_id: str, deployed_id: str) -> list[str]:
    if (comparison.candidate_id, comparison.deployed_id) != (model_id, deployed_id):
        return [
            f"It was not compared with the deployed model {deployed_id}: the comparison is of "
            f"{comparison.candidate_id} and {comparison.deployed_id}. Compare anew."
        ]
    if comparison.images_sha256 != comparison.expected_sha256:
        return [
            f"It was compared on other images than those it is to be judged by: on "
            f"{comparison.num_images:,} of its {comparison.num_test:,} test photographs. Of "
            f"{comparison.num_unread:,} nobody knows what {deployed_id} says: name the folder that "
            "holds them."
        ]
    return []


def _judge_figures(comparison: "Comparison", margins: Margins) -> list[str]:
    gain, specificity = comparison.differences["sensitivity"], comparison.differences["specificity"]
    against = []
    if math.isnan(gain.value) or math.isnan(specificity.value):
        return ["The photographs hold no melanoma, or nothing else: nothing can be compared."]
    low = find_lower_end(gain)
    if low < -margins.sensitivity:
        against.append(
            f"Its sensitivity for melanoma may be worse than that of the deployed model by more "
            f"than the margin of {_points(margins.sensitivity)}: the difference is "
            f"{format_difference(gain)} on {comparison.num_melanomas:,} photographs of "
            f"{comparison.num_melanoma_lesions:,} melanomas{_explain_doubt(gain, margins)}."
        )
    if specificity.value < -margins.specificity:
        against.append(
            f"Its specificity collapses by more than the margin of "
            f"{_points(margins.specificity)}: the difference is {format_difference(specificity)}."
        )
    return against


def _explain_doubt(gain: Figure, margins: Margins) -> str:
    """Say that it is the number of melanomas which excludes too little, where it is."""
    return ", too few to exclude that" if gain.value >= -margins.sensitivity else ""


def find_lower_end(difference: Figure) -> float:
    """Return the lower end of a difference's interval, also where no resample differs.

    Where the two networks never differ on n lesions, up to 1 - 0.025^(1/n) of all lesions may
    still be such on which they do (Clopper and Pearson 1934), and all to the candidate's loss.
    """
    if not math.isnan(difference.low):
        return difference.low
    most = 1 - _TAIL ** (1 / max(difference.num_lesions, 1))
    return float(difference.value - most)


def format_difference(difference: Figure) -> str:
    """Return a difference of shares in percentage points with its 95% interval."""
    if math.isnan(difference.value):
        return "undefined"
    value = f"{100 * difference.value:+.1f} percentage points"
    if math.isnan(difference.low):
        return f"{value} (the two never differ on these {difference.num_lesions:,} lesions)"
    low, high = 100 * difference.low, 100 * difference.high
    return f"{value} (95% interval {low:+.1f} to {high:+.1f})"


def _tell_grounds(comparison: "Comparison", margins: Margins) -> tuple[str, ...]:
    differences = comparison.differences
    return (
        f"Compared on {comparison.num_images:,} photographs of {comparison.num_lesions:,} lesions "
        "that are news to both, without a leak.",
        f"Sensitivity for melanoma: {format_difference(differences['sensitivity'])}; a loss of more "
        f"than {_points(margins.sensitivity)} is excluded.",
        f"Specificity: {format_difference(differences['specificity'])}.",
    )


def _points(share: float) -> str:
    return f"{100 * share:g} percentage points"

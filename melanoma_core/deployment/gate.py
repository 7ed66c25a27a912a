"""The gate: decide whether a candidate may replace the deployed model."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage

if TYPE_CHECKING:  # a page that only shows a verdict does not load pandas
    from melanoma_core.deployment.comparison import Comparison

_TAIL = 0.025
_SKIN_CANCER = "skin_cancer_"  # precedes the names of the metrics of the skin cancer alert


@dataclass(frozen=True)
class Margins:
    """The largest loss that the gate accepts.

    Both apply to the melanoma alert, and to the skin cancer alert if both models have one.

    Attributes:
        sensitivity: Loss of sensitivity. The 95% CI of the difference must exclude a
            larger loss. The default is as small as the test subset allows: it has 190 melanoma
            lesions. Suppose that two equally good models differ on 4% (6%) of them. The 95% CI is
            then ±2.7 (±3.4) points. A margin of 2 points would refuse 71% (79%) of such
            candidates; 5 points refuse 9% (21%). Of the candidates that miss 5 more melanomas per
            100, 4% pass; of those that miss 8 more, 0.2% pass. A test simulates these numbers.
        specificity: Loss of specificity. It applies to the difference itself, which thousands of
            lesions estimate well. Ten more false alerts per 100 lesions would make people ignore
            alerts.
    """

    sensitivity: float = 0.05
    specificity: float = 0.10


@dataclass(frozen=True)
class Verdict:
    """The decision of the gate.

    Attributes:
        is_allowed: Whether the candidate may be promoted.
        reasons: The reasons for the decision, one sentence each.
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
    """Return whether a candidate may be promoted, with all reasons.

    Args:
        model_id: Id of the candidate.
        deployed_id: Id of the model that it would replace.
        leakage: The leakage check in the candidate's card.
        comparison: The comparison with the deployed model; or, in a sentence, why there is none.
        margins: The accepted losses.
    """
    if model_id == deployed_id:
        return Verdict(False, (f"{model_id} is already deployed.",))
    margins = margins or Margins()
    against = [*_judge_leakage(leakage)]
    if isinstance(comparison, str):
        against.append(comparison)
    else:
        against += _judge_images(comparison, model_id, deployed_id)
        against += _judge_figures(comparison, margins)
    if against or isinstance(comparison, str):
        return Verdict(False, tuple(against))
    return Verdict(True, _explain_approval(comparison, margins))


def _judge_leakage(leakage: Leakage | None) -> list[str]:
    if leakage is None:
        return [
            "Leakage between training and test was not checked, because an older version made the "
            "model. Train it again."
        ]
    if leakage.found:
        example = f" ({leakage.examples[0]})" if leakage.examples else ""
        return [
            f"Leakage: {leakage.found:,} of {leakage.num_test:,} test photographs are related to a "
            f"photograph that the model was fitted on{example}."
        ]
    return []


def _judge_images(comparison: "Comparison", model_id: str, deployed_id: str) -> list[str]:
    if (comparison.candidate_id, comparison.deployed_id) != (model_id, deployed_id):
        return [
            f"The comparison is between {comparison.candidate_id} and {comparison.deployed_id}, "
            f"not with the deployed model {deployed_id}. Compare {model_id} again."
        ]
    if comparison.images_sha256 != comparison.expected_sha256:
        return [
            f"The comparison is incomplete: it covers {comparison.num_images:,} of "
            f"{comparison.num_test:,} test photographs. {deployed_id} has no prediction for "
            f"{comparison.num_unread:,} of them. Name the folder that contains them."
        ]
    return []


def _judge_figures(comparison: "Comparison", margins: Margins) -> list[str]:
    gain, specificity = comparison.differences["sensitivity"], comparison.differences["specificity"]
    if math.isnan(gain.value) or math.isnan(specificity.value):
        return ["The compared photographs show only melanomas, or none. The comparison needs both."]
    against = _judge_alert(comparison, margins, "", "melanoma")
    if _compares_skin_cancer(comparison):
        against += _judge_alert(comparison, margins, _SKIN_CANCER, "skin cancer")
    return against


def _judge_alert(
    comparison: "Comparison", margins: Margins, prefix: str, condition: str
) -> list[str]:
    """Return what one of the alerts loses beyond the margins."""
    gain = comparison.differences[f"{prefix}sensitivity"]
    specificity = comparison.differences[f"{prefix}specificity"]
    against = []
    if _bound_loss(gain) < -margins.sensitivity:
        against.append(
            f"Its {condition} sensitivity may be lower than that of the deployed model by more "
            f"than the margin of {_points(margins.sensitivity)}: the difference is "
            f"{format_difference(gain)} on {gain.total:,} photographs of {gain.num_lesions:,} "
            f"{condition}s{_explain_doubt(gain, margins)}."
        )
    if specificity.value < -margins.specificity:
        whose = f" of the {condition} alert" if prefix else ""
        against.append(
            f"Its specificity{whose} is lower by more than the margin of "
            f"{_points(margins.specificity)}: the difference is {format_difference(specificity)}."
        )
    return against


def _compares_skin_cancer(comparison: "Comparison") -> bool:
    """Return whether both models have a skin cancer alert, with lesions to compare it on."""
    differences = comparison.differences
    names = [f"{_SKIN_CANCER}{name}" for name in ("sensitivity", "specificity")]
    return all(name in differences and not math.isnan(differences[name].value) for name in names)


def _explain_doubt(gain: Figure, margins: Margins) -> str:
    """Return a note if too few melanomas, not a measured loss, are the reason."""
    return ", too few to exclude a larger loss" if gain.value >= -margins.sensitivity else ""


def _bound_loss(difference: Figure) -> float:
    """Return the lower end of a difference's 95% CI, also if the two models never differ.

    If they never differ on n lesions, they may still differ on up to 1 - 0.025^(1/n) of all
    lesions (Clopper and Pearson 1934). In the worst case, the candidate is wrong on all of them.
    """
    if not math.isnan(difference.low):
        return difference.low
    most = 1 - _TAIL ** (1 / max(difference.num_lesions, 1))
    return float(difference.value - most)


def format_difference(difference: Figure) -> str:
    """Return a difference of shares in percentage points with its 95% CI.

    >>> format_difference(Figure(0.03, 0.01, 0.05, None, 200, 200))
    '+3.0 percentage points (95% CI +1.0 to +5.0)'
    """
    if math.isnan(difference.value):
        return "undefined"
    value = f"{100 * difference.value:+.1f} percentage points"
    if math.isnan(difference.low):
        return f"{value} (no difference on any of {difference.num_lesions:,} lesions)"
    low, high = 100 * difference.low, 100 * difference.high
    return f"{value} (95% CI {low:+.1f} to {high:+.1f})"


def _explain_approval(comparison: "Comparison", margins: Margins) -> tuple[str, ...]:
    differences = comparison.differences
    unchecked = (comparison.unchecked,) if comparison.unchecked else ()
    return (
        f"Compared on {comparison.num_images:,} photographs of {comparison.num_lesions:,} lesions "
        "that neither model has seen in training. No leakage.",
        f"Melanoma sensitivity: {format_difference(differences['sensitivity'])}. A loss of more "
        f"than {_points(margins.sensitivity)} is excluded.",
        f"Specificity: {format_difference(differences['specificity'])}.",
        *_explain_skin_cancer(comparison),
        *unchecked,
    )


def _explain_skin_cancer(comparison: "Comparison") -> tuple[str, ...]:
    if not _compares_skin_cancer(comparison):
        return ("The skin cancer alert was not compared: not both models have one.",)
    found, spared = (
        format_difference(comparison.differences[f"{_SKIN_CANCER}{name}"])
        for name in ("sensitivity", "specificity")
    )
    return (f"Skin cancer alert: sensitivity {found}; specificity {spared}.",)


def _points(share: float) -> str:
    return f"{100 * share:g} percentage points"

"""What becomes of the test photographs in a reading: refused, alert or no alert, by ground truth.

A refused photograph is an indeterminate result. A test looks better than it is where these are
left out, so they are a row of their own: Schuetz et al., "Use of 3×2 tables with an intention to
diagnose approach to assess clinical performance of diagnostic tests" (2012,
doi:10.1136/bmj.e6717).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.predictions import LabelledPredictions, check_classes
from melanoma_core.evaluation.resampling import Resamples, measure_shares, resample_lesions
from melanoma_core.evaluation.rules import DecisionRules

MELANOMA, SKIN_CANCER = "melanoma", "skin cancer"


@dataclass(frozen=True)
class Outcomes:
    """The results of some photographs. Their sum is the number of these photographs.

    Attributes:
        alert: Photographs with an alert.
        no_alert: Photographs that were read without one.
        refused: Photographs that were not read: indeterminate results.
    """

    alert: int
    no_alert: int
    refused: int

    @property
    def total(self) -> int:
        """The number of photographs."""
        return self.alert + self.no_alert + self.refused


@dataclass(frozen=True)
class OutcomeTable:
    """The results of one alert by ground truth.

    Attributes:
        condition: `MELANOMA` or `SKIN_CANCER`.
        threshold: Of the alert; None if an alert is the most probable class.
        present: Photographs of lesions with the condition.
        absent: Photographs of other lesions.
        figures: "sensitivity_read" and "specificity_read", without the refused photographs;
            "sensitivity_intended" and "specificity_intended", in which each refused photograph
            counts against the model: as a miss where the condition is present, and as a false
            alert where it is absent.
        unknown: Photographs of lesions of which it is not known: malignant ones, of which no
            diagnosis says whether they are melanomas.
    """

    condition: str
    threshold: float | None
    present: Outcomes
    absent: Outcomes
    figures: dict[str, Figure]
    unknown: Outcomes = Outcomes(0, 0, 0)


@dataclass(frozen=True)
class ReadingFlow:
    """What became of the test photographs.

    Attributes:
        num_images: Number of photographs.
        num_lesions: Number of lesions that they show.
        refused: Number of refused photographs by reason.
        tables: One per alert that the model has.
    """

    num_images: int
    num_lesions: int
    refused: dict[str, int]
    tables: tuple[OutcomeTable, ...]

    def __post_init__(self) -> None:
        """Check the sums.

        Raises:
            ValueError: The counts do not add up.
        """
        num_refused = sum(self.refused.values())
        for table in self.tables:
            parts = table.present, table.absent, table.unknown
            if sum(each.total for each in parts) != self.num_images:
                raise ValueError(f"{table.condition}: not {self.num_images} photographs in all")
            if sum(each.refused for each in parts) != num_refused:
                raise ValueError(f"{table.condition}: not {num_refused} refused photographs")


def measure_flow(
    predictions: LabelledPredictions, rules: DecisionRules, refusals: Sequence[str | None]
) -> ReadingFlow:
    """Count what a reading makes of labelled photographs.

    Args:
        predictions: For N photographs, the refused ones included. What the network outputs for
            these is not used.
        rules: Of the model.
        refusals: N reasons for a refusal; None for a photograph that is read.

    Raises:
        ValueError: The lengths or the classes differ.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2], [0.2, 0.8]])
        >>> predictions = LabelledPredictions(probabilities, np.array([0, 0, 1, 1]), np.arange(4))
        >>> rules = DecisionRules(("MEL", "NV"), 0, threshold=0.5)
        >>> flow = measure_flow(predictions, rules, [None, None, None, "quality"])
        >>> flow.tables[0].present, flow.tables[0].absent
        (Outcomes(alert=1, no_alert=1, refused=0), Outcomes(alert=1, no_alert=0, refused=1))
    """
    check_classes(predictions, rules)
    if len(refusals) != len(predictions.labels):
        raise ValueError(f"{len(refusals)} refusals for {len(predictions.labels)} predictions")
    resamples = resample_lesions(predictions.lesion_ids)
    refused = np.array([reason is not None for reason in refusals], dtype=bool)
    is_melanoma = predictions.labels == rules.melanoma_index
    is_other = predictions.is_known(rules.class_names[rules.melanoma_index]) & ~is_melanoma
    kinds = [(MELANOMA, rules.threshold, is_melanoma, is_other)]
    alerts = [predictions.alerts(rules)]
    suspected = predictions.skin_cancer_alerts(rules)
    if suspected is not None:
        is_cancer = predictions.is_skin_cancer(rules)
        kinds.append((SKIN_CANCER, rules.skin_cancer_threshold, is_cancer, ~is_cancer))
        alerts.append(suspected)
    reasons = Counter(str(reason) for reason in refusals if reason is not None)
    return ReadingFlow(
        len(refused),
        resamples.num_lesions,
        dict(sorted(reasons.items())),
        tuple(
            OutcomeTable(
                condition,
                threshold,
                _count(present, alert, refused),
                _count(absent, alert, refused),
                _measure(resamples, (present, absent), alert, refused),
                _count(~present & ~absent, alert, refused),
            )
            for (condition, threshold, present, absent), alert in zip(kinds, alerts, strict=True)
        ),
    )


def _count(
    among: NDArray[np.bool_], alert: NDArray[np.bool_], refused: NDArray[np.bool_]
) -> Outcomes:
    read = among & ~refused
    return Outcomes(
        int((read & alert).sum()), int((read & ~alert).sum()), int((among & refused).sum())
    )


def _measure(
    resamples: Resamples,
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    alert: NDArray[np.bool_],
    refused: NDArray[np.bool_],
) -> dict[str, Figure]:
    present, absent = known
    found, cleared = alert & ~refused, ~alert & ~refused
    return measure_shares(
        resamples,
        {
            "sensitivity_read": (found, present & ~refused),
            "specificity_read": (cleared, absent & ~refused),
            "sensitivity_intended": (found, present),
            "specificity_intended": (cleared, absent),
        },
    )

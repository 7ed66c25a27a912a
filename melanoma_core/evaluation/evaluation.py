"""All that was measured of one network on some images, as one document."""

from dataclasses import dataclass

from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.evaluation.slices import Slice


@dataclass(frozen=True)
class Evaluation:
    """What `metrics.evaluate_fully` measures.

    Attributes:
        class_names: C names, in the order of the network's outputs.
        melanoma_index: Position of melanoma among them.
        threshold: Of the alert; None where melanoma put first is the alert.
        num_images: That it rests on.
        num_lesions: Among them.
        num_resamples: Bootstrap resamples behind each interval.
        figures: By name. Those of `metrics.evaluate`; of the alert "ppv", "npv", "alert_rate" and
            "prevalence"; "brier_score" and "melanoma_average_precision"; of each class against the
            rest "precision_<NAME>", "roc_auc_<NAME>" and "average_precision_<NAME>"; and, where
            the model has sets, those of `conformal.measure_sets`.
        confusion: Images by true class (row) and class put first (column).
        roc: By class name; see `discrimination.Discrimination`.
        precision_recall: Likewise.
        calibration: The calibration curve of the probability of melanoma.
        net_benefit: The decision curve; see `alerts.measure_net_benefit`.
        slices: By age, sex, site and source, as far as these are known.
    """

    class_names: tuple[str, ...]
    melanoma_index: int
    threshold: float | None
    num_images: int
    num_lesions: int
    num_resamples: int
    figures: dict[str, Figure]
    confusion: tuple[tuple[int, ...], ...]
    roc: dict[str, Curve]
    precision_recall: dict[str, Curve]
    calibration: tuple[CalibrationBin, ...]
    net_benefit: Curve
    slices: tuple[Slice, ...]

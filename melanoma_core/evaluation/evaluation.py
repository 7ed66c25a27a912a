"""The complete evaluation of one model on a set of images. `jsonable` converts it to JSON."""

from dataclasses import dataclass, field

from melanoma_core.evaluation.confirmed import ConfirmedDiagnosis
from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.evaluation.slices import Slice


@dataclass(frozen=True)
class Evaluation:
    """The result of `metrics.evaluate_fully`.

    Attributes:
        class_names: C names, in the order of the network's outputs.
        melanoma_index: Position of melanoma in `class_names`.
        threshold: Of the alert; None if an alert is an image predicted as melanoma.
        num_images: Number of images.
        num_lesions: Number of lesions that these images show.
        num_resamples: Number of bootstrap resamples behind each interval.
        figures: Metrics by name. Those of `metrics.evaluate`; of the alert "ppv", "npv",
            "alert_rate" and "prevalence"; the same with "skin_cancer_" before them, if the model
            has such an alert; those of `lesions.measure_lesions`; "brier_score" and
            "melanoma_average_precision"; of each
            class against the rest "precision_<NAME>", "roc_auc_<NAME>" and
            "average_precision_<NAME>"; and, if the model makes sets, those of
            `conformal.measure_sets`.
        confusion: Number of images by true class (row) and predicted class (column).
        roc: ROC curve by class name, and by `rules.SKIN_CANCER` if the model knows other skin
            cancers than melanoma; see `discrimination.Discrimination`.
        precision_recall: Precision-recall curve, by the same names.
        calibration: The calibration curve of the probability of melanoma.
        net_benefit: The decision curve; see `alerts.measure_net_benefit`.
        slices: By the attributes in `slices.ATTRIBUTES`, as far as these are known.
        skin_cancer_threshold: Of the skin cancer alert; None if the model has no such alert.
        confirmed: The alerts by diagnosis and confirmation, as far as any is known.
        tiers: Number of images of which only the risk tier is known, by tier. They are in
            `num_images`, and in the metrics of the questions that their tier answers.
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
    skin_cancer_threshold: float | None = None
    confirmed: tuple[ConfirmedDiagnosis, ...] = ()
    tiers: dict[str, int] = field(default_factory=dict)

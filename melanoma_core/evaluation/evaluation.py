"""All that was measured of one network on some images, as one document."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from melanoma_core.evaluation.figure import Curve, Figure
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.evaluation.slices import Slice

_FIGURE_NUMBERS = ("value", "low", "high")


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

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it: what is undefined is null."""
        return {name: without_nan(value) for name, value in asdict(self).items()}


def evaluation_from_json(raw: Mapping[str, Any]) -> Evaluation:
    """Return what `Evaluation.to_json` gave, exactly.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another kind.
    """
    return Evaluation(
        class_names=tuple(raw["class_names"]),
        melanoma_index=raw["melanoma_index"],
        threshold=raw["threshold"],
        num_images=raw["num_images"],
        num_lesions=raw["num_lesions"],
        num_resamples=raw["num_resamples"],
        figures=_read_figures(raw["figures"]),
        confusion=tuple(tuple(row) for row in raw["confusion"]),
        roc={name: _read_curve(curve) for name, curve in raw["roc"].items()},
        precision_recall={
            name: _read_curve(curve) for name, curve in raw["precision_recall"].items()
        },
        calibration=tuple(
            CalibrationBin(each["predicted"], read_figure(each["observed"]))
            for each in raw["calibration"]
        ),
        net_benefit=_read_curve(raw["net_benefit"]),
        slices=tuple(
            Slice(**each | {"figures": _read_figures(each["figures"])}) for each in raw["slices"]
        ),
    )


def read_figure(raw: Mapping[str, Any]) -> Figure:
    """Return a figure of JSON, where what is undefined is null."""
    undefined = {name: math.nan for name in _FIGURE_NUMBERS if raw[name] is None}
    return Figure(**{**raw, **undefined})


def _read_figures(raw: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: read_figure(figure) for name, figure in raw.items()}


def _read_curve(raw: Mapping[str, Any]) -> Curve:
    return Curve(
        **{
            name: tuple(math.nan if number is None else number for number in numbers)
            for name, numbers in raw.items()
        }
    )


def without_nan(value: Any) -> Any:  # whatever JSON can hold
    """Return the same with null where a number is undefined, as JSON can hold it."""
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value

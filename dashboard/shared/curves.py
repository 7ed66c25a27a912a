"""Charts of an evaluation: curves in, a plotly figure out, without Streamlit calls.

The model's curve is solid with a band; reference lines are dashed or dotted. Colour is never the
only difference.
"""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.charts import draw_confusion, finish_figure, name_class
from melanoma_core.evaluation.alerts import benefit_of_all
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Curve
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.evaluation.rules import SKIN_CANCER
from melanoma_core.taxonomy import SKIN_CANCERS, RiskTier

# Contrast of at least 3:1 against the backgrounds of both themes.
_LINE, _POINT, _OTHER = "#4f83b0", "#b85c91", "#808a94"
_BAND = "rgba(79, 131, 176, 0.22)"
_HEIGHT = 400  # px


def has_curve(evaluation: Evaluation, class_name: str) -> bool:
    """Return whether a class, or any skin cancer, has a ROC curve."""
    return class_name in evaluation.roc and bool(evaluation.roc[class_name].x)


def draw_measured_confusion(evaluation: Evaluation) -> go.Figure:
    """Draw the confusion matrix of an evaluation."""
    names = list(evaluation.class_names)
    counts = pd.DataFrame(evaluation.confusion, pd.Index(names, name="label"), names)
    return draw_confusion(counts, "Confusion matrix")


def draw_roc(evaluation: Evaluation, class_name: str) -> go.Figure:
    """Draw the ROC curve of a class against the rest, with the operating point of its alert."""
    curve = evaluation.roc[class_name]
    figure = draw_curve(curve, "1 − specificity %{x:.0%}, sensitivity %{y:.1%}")
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="chance",
        line={"color": _OTHER, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    melanoma = evaluation.class_names[evaluation.melanoma_index]
    prefix = {melanoma: "", SKIN_CANCER: f"{SKIN_CANCER}_"}.get(class_name)
    names = [f"{prefix}{name}" for name in ("sensitivity", "specificity")]
    if prefix is not None and evaluation.figures.keys() >= set(names):
        sensitivity, specificity = (evaluation.figures[name] for name in names)
        figure.add_scatter(
            x=[1 - specificity.value],
            y=[sensitivity.value],
            mode="markers",
            name="operating point",
            marker={"color": _POINT, "symbol": "diamond", "size": 13},
            hovertemplate="operating point: 1 − specificity %{x:.1%}, sensitivity %{y:.1%}"
            "<extra></extra>",
        )
    finish_curves(figure, f"ROC curve, {_name_class(class_name)} against the rest")
    share_axes(figure, "1 − specificity", "sensitivity")
    return figure


def draw_precision_recall(evaluation: Evaluation, class_name: str) -> go.Figure:
    """Draw the precision-recall curve of a class against the rest."""
    curve = evaluation.precision_recall[class_name]
    figure = draw_curve(curve, "recall %{x:.0%}, precision %{y:.1%}")
    frequency = _compute_frequency(evaluation, class_name)
    figure.add_scatter(
        x=[0, 1],
        y=[frequency] * 2,
        mode="lines",
        name="chance",
        line={"color": _OTHER, "dash": "dash", "width": 1.5},
        hovertemplate="share of the images: %{y:.1%}<extra></extra>",
    )
    finish_curves(figure, f"Precision-recall curve, {_name_class(class_name)} against the rest")
    share_axes(figure, "recall", "precision")
    return figure


def _name_class(name: str) -> str:
    return "any skin cancer" if name == SKIN_CANCER else name_class(name)


def _compute_frequency(evaluation: Evaluation, class_name: str) -> float:
    """Return the share of a class among the images of which it is known whether they show it."""
    if class_name != SKIN_CANCER:
        total = evaluation.figures[f"roc_auc_{class_name}"].total
        return evaluation.figures[f"recall_{class_name}"].total / total
    known = (name for name in evaluation.class_names if name in SKIN_CANCERS)
    counts = [evaluation.figures[f"recall_{name}"].total for name in known]
    return (sum(counts) + evaluation.tiers.get(RiskTier.MALIGNANT, 0)) / evaluation.num_images


def draw_calibration(evaluation: Evaluation) -> go.Figure:
    """Draw the calibration curve of melanoma, in up to ten bins of equally many images."""
    return draw_calibration_bins(
        evaluation.calibration, "Calibration of the probability of melanoma", "melanomas"
    )


def draw_calibration_bins(
    bins: Sequence[CalibrationBin], title: str, counted: str, name: str = "model"
) -> go.Figure:
    """Draw a calibration curve.

    Args:
        bins: Up to ten bins of equally many images or lesions.
        title: Of the chart.
        counted: What the probability is of, in the plural.
        name: Whose probability it is.
    """
    observed = [each.observed for each in bins]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="perfect calibration",
        line={"color": _OTHER, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[each.predicted for each in bins],
        y=[each.value for each in observed],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [each.high - each.value for each in observed],
            "arrayminus": [each.value - each.low for each in observed],
            "thickness": 1.5,
        },
        mode="lines+markers",
        name=f"{name}, with 95% CI",
        line={"color": _LINE, "width": 2},
        marker={"size": 8},
        customdata=[[each.count, each.total] for each in observed],
        hovertemplate="predicted %{x:.1%}: observed %{y:.1%}, %{customdata[0]:,} of "
        "%{customdata[1]:,}<extra></extra>",
    )
    finish_curves(figure, title)
    share_axes(figure, "mean predicted probability", f"observed share of {counted}")
    return figure


def draw_net_benefit(evaluation: Evaluation) -> go.Figure:
    """Draw the decision curve, with those of excising every lesion and none."""
    curve = evaluation.net_benefit
    prevalence = evaluation.figures["prevalence"].value
    figure = draw_curve(curve, "threshold %{x:.0%}: net benefit %{y:.3f}")
    for name, values, dash in (
        ("excise all", [benefit_of_all(prevalence, each) for each in curve.x], "dash"),
        ("excise none", [0.0] * len(curve.x), "dot"),
    ):
        figure.add_scatter(
            x=curve.x,
            y=values,
            mode="lines",
            name=name,
            line={"color": _OTHER, "dash": dash, "width": 2},
            hovertemplate=f"{name}: %{{y:.3f}}<extra></extra>",
        )
    if evaluation.threshold is not None and evaluation.threshold <= curve.x[-1]:
        figure.add_vline(
            x=evaluation.threshold,
            line={"color": _POINT, "width": 1.5, "dash": "longdash"},
            annotation_text="alert threshold",
        )
    finish_curves(figure, "Decision curve")
    top = max([prevalence, *(each for each in curve.high if not math.isnan(each))])
    figure.update_xaxes(title="threshold probability for excision", tickformat=".0%")
    # The line of excising all lesions falls without limit.
    figure.update_yaxes(
        title="net benefit per lesion", range=[-0.35 * (top or 1), 1.1 * (top or 1)]
    )
    return figure


def draw_curve(curve: Curve, hover_text: str, name: str = "model") -> go.Figure:
    """Draw a curve with its band.

    Args:
        curve: The curve.
        hover_text: What the pointer shows at a point, as plotly writes it.
        name: Whose curve it is.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[*curve.x, *reversed(curve.x)],
        y=[*curve.high, *reversed(curve.low)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_BAND,
        name="95% CI, pointwise",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve.x,
        y=curve.y,
        mode="lines",
        name=name,
        line={"color": _LINE, "width": 2.5},
        customdata=[_name_threshold(each) for each in curve.threshold],
        hovertemplate=hover_text + "<br>%{customdata}<extra></extra>",
    )
    return figure


def _name_threshold(threshold: float) -> str:
    return "" if math.isnan(threshold) else f"threshold {threshold:.1%}"


def finish_curves(figure: go.Figure, title: str) -> None:
    """Set the title and the height of a chart of curves."""
    finish_figure(figure, title).update_layout(height=_HEIGHT)
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(zeroline=False)


def share_axes(figure: go.Figure, x_title: str, y_title: str) -> None:
    """Let both axes go from 0 to 100%."""
    figure.update_xaxes(title=x_title, tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title=y_title, tickformat=".0%", range=[-0.02, 1.04])

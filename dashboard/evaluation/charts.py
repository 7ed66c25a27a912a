"""Figures of an evaluation: measured curves in, a plotly figure out, no st call.

What is measured is a solid line with points and its band; what it is compared with is dashed or
dotted, and named in the legend: nothing is told by colour alone.
"""

import math

import plotly.graph_objects as go

from dashboard.shared.charts import finish_figure, name_class
from melanoma_core.evaluation.alerts import benefit_of_all
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Curve

# 3:1 and more against both themes' backgrounds.
_LINE, _POINT, _OTHER = "#4f83b0", "#b85c91", "#808a94"
_BAND = "rgba(79, 131, 176, 0.22)"
_HEIGHT = 400  # px


def draw_roc(evaluation: Evaluation, class_name: str) -> go.Figure:
    """Draw the ROC curve of a class against the rest, with the alert's place on melanoma's."""
    curve = evaluation.roc[class_name]
    figure = _draw_curve(curve, "others alerted on %{x:.0%}, found %{y:.1%}")
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="guessing",
        line={"color": _OTHER, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    sensitivity, specificity = (evaluation.figures[name] for name in ("sensitivity", "specificity"))
    if class_name == evaluation.class_names[evaluation.melanoma_index]:
        figure.add_scatter(
            x=[1 - specificity.value],
            y=[sensitivity.value],
            mode="markers",
            name="the alert",
            marker={"color": _POINT, "symbol": "diamond", "size": 13},
            hovertemplate="the alert: others alerted on %{x:.1%}, found %{y:.1%}<extra></extra>",
        )
    _finish(figure, f"ROC curve, {name_class(class_name)} against the rest")
    _share_axes(figure, "others alerted on (1 − specificity)", "found (sensitivity)")
    return figure


def draw_precision_recall(evaluation: Evaluation, class_name: str) -> go.Figure:
    """Draw precision over recall of a class against the rest, with its share of the images."""
    curve = evaluation.precision_recall[class_name]
    figure = _draw_curve(curve, "found %{x:.0%}, of these right %{y:.1%}")
    total = evaluation.figures[f"recall_{class_name}"].total
    figure.add_scatter(
        x=[0, 1],
        y=[total / evaluation.num_images] * 2,
        mode="lines",
        name="guessing",
        line={"color": _OTHER, "dash": "dash", "width": 1.5},
        hovertemplate="its share of the photographs: %{y:.1%}<extra></extra>",
    )
    _finish(figure, f"Precision and recall, {name_class(class_name)} against the rest")
    _share_axes(figure, "found (recall)", "of these right (precision)")
    return figure


def draw_calibration(evaluation: Evaluation) -> go.Figure:
    """Draw how often a predicted melanoma was one, in up to ten groups of as many photographs."""
    bins = evaluation.calibration
    observed = [each.observed for each in bins]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="as it says",
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
        name="measured, with its 95% interval",
        line={"color": _LINE, "width": 2},
        marker={"size": 8},
        customdata=[[each.count, each.total] for each in observed],
        hovertemplate="said %{x:.1%}: %{y:.1%} were melanomas, %{customdata[0]:,} of "
        "%{customdata[1]:,}<extra></extra>",
    )
    _finish(figure, "Calibration of the probability of melanoma")
    _share_axes(figure, "mean probability of melanoma", "share of melanomas")
    return figure


def draw_net_benefit(evaluation: Evaluation) -> go.Figure:
    """Draw the decision curve, beside cutting out every lesion and none."""
    curve = evaluation.net_benefit
    prevalence = evaluation.figures["prevalence"].value
    figure = _draw_curve(curve, "cut out from %{x:.0%}: net benefit %{y:.3f}")
    for name, values, dash in (
        ("cut out every lesion", [benefit_of_all(prevalence, each) for each in curve.x], "dash"),
        ("cut out none", [0.0] * len(curve.x), "dot"),
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
            annotation_text="alert",
        )
    _finish(figure, "What acting on the probability is worth")
    top = max([prevalence, *(each for each in curve.high if not math.isnan(each))])
    figure.update_xaxes(title="probability from which a lesion is cut out", tickformat=".0%")
    # Cutting out every lesion falls without end.
    figure.update_yaxes(
        title="net benefit, melanomas per lesion", range=[-0.35 * (top or 1), 1.1 * (top or 1)]
    )
    return figure


def _draw_curve(curve: Curve, told: str) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=[*curve.x, *reversed(curve.x)],
        y=[*curve.high, *reversed(curve.low)],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_BAND,
        name="95% interval at each point",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=curve.x,
        y=curve.y,
        mode="lines",
        name="measured",
        line={"color": _LINE, "width": 2.5},
        customdata=[_name_threshold(each) for each in curve.threshold],
        hovertemplate=told + "<br>%{customdata}<extra></extra>",
    )
    return figure


def _name_threshold(threshold: float) -> str:
    return "" if math.isnan(threshold) else f"from a probability of {threshold:.1%}"


def _finish(figure: go.Figure, title: str) -> None:
    finish_figure(figure, title).update_layout(height=_HEIGHT)
    figure.update_xaxes(zeroline=False)
    figure.update_yaxes(zeroline=False)


def _share_axes(figure: go.Figure, x_title: str, y_title: str) -> None:
    figure.update_xaxes(title=x_title, tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title=y_title, tickformat=".0%", range=[-0.02, 1.04])

"""Figures of runs: a table of a few rows in, a plotly figure out, no st call.

A subset is told by its dash and its marker, a run by its dash and number; colour repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.charts import ROW_HEIGHT, escape_label, finish_figure, name_class
from melanoma_core.evaluation.figure import Figure

_COLOURS = ("#b85c91", "#4f83b0", "#8a7a1f", "#2f8f76", "#c0622f", "#7a6fc0", "#808a94", "#5b8c3a")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
_TALL = 440  # px
_MARKED = 40  # points; beyond them a line is read better alone
_MOST_TICKS = 10
_RECALL = "recall/"
_SHARES = {"accuracy", "balanced_accuracy", "melanoma_sensitivity", "melanoma_specificity"}


@dataclass(frozen=True)
class _Style:
    colour: str
    dash: str
    marker: str


_SUBSETS = {
    "validation": _Style(_COLOURS[0], "solid", "circle"),
    "train": _Style(_COLOURS[1], "dash", "circle-open"),
    "published": _Style(_COLOURS[2], "dot", "diamond-open"),
    "batch": _Style("#808a94", "solid", "circle"),
    "": _Style(_COLOURS[1], "solid", "circle"),
}
_SUBSET_TITLES = {
    "published": "validation as published",
    "batch": "train, within the epoch",
    "": "",
}
CURVE_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "melanoma_sensitivity": "Melanoma sensitivity",
    "melanoma_specificity": "Melanoma specificity",
    "roc_auc": "Melanoma ROC AUC",
    "learning_rate": "Learning rate",
}


def draw_chart(curves: pd.DataFrame, chart: str) -> go.Figure:
    """Draw one of the charts of a run.

    Args:
        curves: As `control.read_curves` gives.
        chart: A metric; "recall" is that of all classes, "recall/now" that of the last epoch.
    """
    if chart == "recall/now":
        return draw_last_recalls(curves)
    return draw_recalls(curves) if chart == "recall" else draw_curves(curves, chart)


def draw_curves(curves: pd.DataFrame, metric: str) -> go.Figure:
    """Draw one metric of a run over its epochs, a line per subset.

    Args:
        curves: As `control.read_curves` gives.
        metric: One of its metrics.
    """
    chosen = curves[curves["metric"] == metric]
    figure = go.Figure()
    for subset, style in _SUBSETS.items():
        rows = chosen[chosen["subset"] == subset]
        if len(rows):
            name = _SUBSET_TITLES.get(subset, subset)
            _add_line(figure, rows, name, style, is_thin=subset == "batch")
    return _finish_curves(figure, CURVE_TITLES.get(metric, metric), metric)


def draw_recalls(curves: pd.DataFrame) -> go.Figure:
    """Draw the recall of every class on validation over the epochs."""
    chosen = curves[(curves["subset"] == "validation") & curves["metric"].str.startswith(_RECALL)]
    figure = go.Figure()
    for index, (metric, rows) in enumerate(chosen.groupby("metric", sort=False)):
        _add_line(figure, rows, _name_recall(str(metric)), _pick(index))
    _finish_curves(figure, "Recall of each class on validation", "accuracy")
    return figure.update_layout(height=_TALL)  # on a telephone the classes stand below each other


def draw_last_recalls(curves: pd.DataFrame) -> go.Figure:
    """Draw the recall of every class after the last epoch, on train beside validation."""
    chosen = curves[curves["metric"].str.startswith(_RECALL)]
    last = chosen[chosen["epoch"] == chosen["epoch"].max()]
    metrics = list(dict.fromkeys(last["metric"]))
    names = [_name_recall(metric) for metric in metrics]
    figure = go.Figure()
    for subset in ("train", "validation", "published"):
        rows = last[last["subset"] == subset].set_index("metric")["value"].reindex(metrics)
        if rows.notna().any():
            style = _SUBSETS[subset]
            figure.add_scatter(
                x=rows,
                y=names,
                mode="markers",
                name=_SUBSET_TITLES.get(subset, subset),
                marker={"color": style.colour, "symbol": style.marker, "size": 10},
                hovertemplate="%{y}: %{x:.1%}<extra>" + subset + "</extra>",
            )
    finish_figure(figure, "Recall of each class after the last epoch")
    figure.update_layout(height=160 + ROW_HEIGHT * max(len(names), 5))
    figure.update_xaxes(title="recall", tickformat=".0%", range=[-0.03, 1.03], dtick=0.25)
    figure.update_yaxes(autorange="reversed", type="category", title="")
    return figure


def draw_comparison(curves: Mapping[str, pd.DataFrame], metric: str, subset: str) -> go.Figure:
    """Draw one metric of several runs over one another.

    Args:
        curves: By the name of the run.
        metric: What is drawn.
        subset: On which images.
    """
    figure = go.Figure()
    for index, (name, table) in enumerate(curves.items()):
        rows = table[(table["metric"] == metric) & (table["subset"] == subset)]
        _add_line(figure, rows, escape_label(name), _pick(index))
    title = CURVE_TITLES.get(metric) or f"Recall of {_name_recall(metric)}"
    return _finish_curves(figure, f"{title}, {subset or 'of the network'}", metric)


def draw_looks(rows: Mapping[str, Sequence[Figure | None]], looks: Sequence[str]) -> go.Figure:
    """Draw each recipe's figures, one point with its 95% interval per way of measuring.

    Args:
        rows: By recipe, a figure per way of measuring; None where there is none.
        looks: What these ways are called, in the same order.
    """
    names = [escape_label(name) for name in rows]
    figure = go.Figure()
    for index, look in enumerate(looks):
        style = _pick(index)
        figures = [row[index] for row in rows.values()]
        # Side by side within a row, the first on top.
        places = [place + 0.18 * (index - (len(looks) - 1) / 2) for place in range(len(names))]
        figure.add_scatter(
            x=[each.value if each else None for each in figures],
            y=places,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.value if each else None for each in figures],
                "arrayminus": [each.value - each.low if each else None for each in figures],
                "thickness": 1.5,
            },
            mode="markers",
            name=look,
            marker={"color": style.colour, "symbol": style.marker, "size": 9},
            customdata=names,
            hovertemplate="%{customdata}: %{x:.1%}<extra>" + look + "</extra>",
        )
    finish_figure(figure, "Accuracy, measured in four ways")
    figure.update_layout(height=180 + 78 * max(len(names), 1))
    figure.update_xaxes(title="accuracy, with its 95% interval", tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=names,
        range=[len(names) - 0.5, -0.5],
        title="",
    )
    return figure


def _finish_curves(figure: go.Figure, title: str, metric: str) -> go.Figure:
    """Finish a figure of curves over epochs, with the axis that suits the metric."""
    finish_figure(figure, title)
    last = max((max(trace.x) for trace in figure.data if len(trace.x)), default=1)
    figure.update_xaxes(title="epoch", tick0=0, dtick=ceil(last / _MOST_TICKS))
    if metric in _SHARES or metric.startswith(_RECALL):
        figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    elif metric == "loss":
        figure.update_yaxes(rangemode="tozero")
    elif metric == "learning_rate":
        figure.update_yaxes(exponentformat="power", rangemode="tozero")
    return figure


def _name_recall(metric: str) -> str:
    return name_class(metric.removeprefix(_RECALL))


def _add_line(
    figure: go.Figure, rows: pd.DataFrame, name: str, style: _Style, is_thin: bool = False
) -> None:
    figure.add_scatter(
        x=rows["epoch"],
        y=rows["value"],
        name=name,
        showlegend=bool(name),
        mode="lines" if is_thin or len(rows) > _MARKED else "lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 1 if is_thin else 2},
        marker={"symbol": style.marker, "size": 7},
        connectgaps=False,
        hovertemplate="epoch %{x:.3~g}: %{y:.4~g}<extra>" + name + "</extra>",
    )


def _pick(index: int) -> _Style:
    return _Style(
        _COLOURS[index % len(_COLOURS)],
        _DASHES[index % len(_DASHES)],
        _MARKERS[index % len(_MARKERS)],
    )

"""Charts of runs and studies: a table in, a plotly figure out, without Streamlit calls.

Subsets and runs differ in dash and marker as well as in colour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.charts import ROW_HEIGHT, escape_label, finish_figure, name_class
from melanoma_core.evaluation.figure import Figure

_COLOURS = ("#b85c91", "#4f83b0", "#8a7a1f", "#2f8f76", "#c0622f", "#7a6fc0", "#808a94", "#5b8c3a")
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
_TALL = 440  # px
_MOST_MARKERS = 40  # points; longer lines are easier to read without markers
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
    "batch": "train, within an epoch",
    "": "",
}
CURVE_TITLES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "melanoma_sensitivity": "Melanoma recall, top-1",
    "melanoma_specificity": "Melanoma specificity, top-1",
    "roc_auc": "Melanoma ROC AUC",
    "learning_rate": "Learning rate",
}


def draw_chart(curves: pd.DataFrame, chart: str) -> go.Figure:
    """Draw one of the charts of a run.

    Args:
        curves: Table of `control.read_curves`; only rows of the chart's metric are used.
        chart: A metric; "recall" for the recalls of all classes, "recall/now" for those of the
            last epoch.
    """
    if chart == "recall/now":
        return _draw_last_recalls(curves)
    return _draw_recalls(curves) if chart == "recall" else _draw_metric(curves, chart)


def _draw_metric(curves: pd.DataFrame, metric: str) -> go.Figure:
    chosen = curves[curves["metric"] == metric]
    figure = go.Figure()
    for subset, style in _SUBSETS.items():
        rows = chosen[chosen["subset"] == subset]
        if len(rows):
            name = _SUBSET_TITLES.get(subset, subset)
            _add_line(figure, rows, name, style, is_thin=subset == "batch")
    return _finish_curves(figure, CURVE_TITLES[metric], metric)


def _draw_recalls(curves: pd.DataFrame) -> go.Figure:
    chosen = curves[(curves["subset"] == "validation") & curves["metric"].str.startswith(_RECALL)]
    figure = go.Figure()
    for index, (metric, rows) in enumerate(chosen.groupby("metric", sort=False)):
        _add_line(figure, rows, _name_recall(str(metric)), _choose_style(index))
    _finish_curves(figure, "Recall by class, validation", "accuracy")
    return figure.update_layout(height=_TALL)  # on a phone the legend has a row per class


def _draw_last_recalls(curves: pd.DataFrame) -> go.Figure:
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
    finish_figure(figure, "Recall by class, last epoch")
    figure.update_layout(height=160 + ROW_HEIGHT * max(len(names), 5))
    figure.update_xaxes(title="recall", tickformat=".0%", range=[-0.03, 1.03], dtick=0.25)
    figure.update_yaxes(autorange="reversed", type="category", title="")
    return figure


def draw_comparison(curves: Mapping[str, pd.DataFrame], metric: str, subset: str) -> go.Figure:
    """Draw one metric of several runs in one chart.

    Args:
        curves: Tables of `control.read_curves` by the name of the run.
        metric: A metric of the tables.
        subset: "train", "validation" or "published"; empty for a metric of the network itself.
    """
    figure = go.Figure()
    for index, (name, table) in enumerate(curves.items()):
        rows = table[(table["metric"] == metric) & (table["subset"] == subset)]
        _add_line(figure, rows, escape_label(name), _choose_style(index))
    title = f"{CURVE_TITLES[metric]}, {subset}" if subset else CURVE_TITLES[metric]
    return _finish_curves(figure, title, metric)


def draw_accuracies(rows: Mapping[str, Sequence[Figure]], titles: Sequence[str]) -> go.Figure:
    """Draw the accuracies of each recipe of a study, with their 95% confidence intervals.

    Args:
        rows: By recipe, its accuracy on each evaluation set.
        titles: Titles of the evaluation sets, in the same order.
    """
    names = [escape_label(name) for name in rows]
    figure = go.Figure()
    for index, title in enumerate(titles):
        style = _choose_style(index)
        figures = [row[index] for row in rows.values()]
        # Next to one another within a row, the first on top.
        places = [place + 0.18 * (index - (len(titles) - 1) / 2) for place in range(len(names))]
        figure.add_scatter(
            x=[each.value for each in figures],
            y=places,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.value for each in figures],
                "arrayminus": [each.value - each.low for each in figures],
                "thickness": 1.5,
            },
            mode="markers",
            name=title,
            marker={"color": style.colour, "symbol": style.marker, "size": 9},
            customdata=names,
            hovertemplate="%{customdata}: %{x:.1%}<extra>" + title + "</extra>",
        )
    finish_figure(figure, "Accuracy with and without leakage")
    figure.update_layout(height=180 + 78 * max(len(names), 1))
    figure.update_xaxes(title="accuracy, with 95% CI", tickformat=".0%")
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
    figure.update_xaxes(title="epoch", tick0=0, dtick=_choose_tick_step(last))
    if metric in _SHARES or metric.startswith(_RECALL):
        figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    elif metric == "loss":
        figure.update_yaxes(rangemode="tozero")
    elif metric == "learning_rate":
        figure.update_yaxes(exponentformat="power", rangemode="tozero")
    return figure


def _choose_tick_step(last: float) -> int:
    """Return 1, 2 or 5 times a power of ten, for at most about ten ticks up to the last epoch."""
    least = max(last / _MOST_TICKS, 1)
    power = int(10 ** floor(log10(least)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


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
        mode="lines" if is_thin or len(rows) > _MOST_MARKERS else "lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 1 if is_thin else 2},
        marker={"symbol": style.marker, "size": 7},
        connectgaps=False,
        hovertemplate="epoch %{x:.3~g}: %{y:.4~g}<extra>" + name + "</extra>",
    )


def _choose_style(index: int) -> _Style:
    return _Style(
        _COLOURS[index % len(_COLOURS)],
        _DASHES[index % len(_DASHES)],
        _MARKERS[index % len(_MARKERS)],
    )

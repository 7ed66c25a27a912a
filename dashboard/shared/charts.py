"""Charts that several pages show: a table in, a plotly figure out, no st call."""

from math import ceil

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.markup import name_diagnosis
from melanoma_core.runs.comparison import share_rows
from melanoma_core.taxonomy import parse_diagnosis

# Each 3:1 and more against both themes' backgrounds; a hue of its own beside its dash.
_GRID = "rgba(128, 138, 148, 0.4)"


_HEIGHT, ROW_HEIGHT = 260, 24  # px


_MOST_TICKS = 10


RECALL = "recall/"


_SHARES = {"accuracy", "balanced_accuracy", "melanoma_sensitivity", "melanoma_specificity"}


def draw_confusion(counts: pd.DataFrame, title: str) -> go.Figure:
    """Draw a confusion matrix: what each class was read as, in counts and shares of its row.

    Args:
        counts: A row per true class, a column per class it was read as.
        title: Of the figure.
    """
    shares = share_rows(counts)
    figure = go.Figure(
        go.Heatmap(
            z=shares.to_numpy(),
            x=[name_class(name) for name in counts.columns],
            y=[name_class(name) for name in counts.index],
            text=counts.to_numpy(),
            texttemplate="%{text}",
            colorscale="Cividis",  # even to the eye, told apart by the colour-blind
            zmin=0,
            zmax=1,
            colorbar={"tickformat": ".0%", "thickness": 10, "title": "of the row"},
            hovertemplate="%{y} read as %{x}: %{text} (%{z:.1%})<extra></extra>",
        )
    )
    finish_figure(figure, escape(title), "")
    figure.update_layout(height=230 + ROW_HEIGHT * len(counts))
    figure.update_xaxes(title="read as", tickangle=-45)
    figure.update_yaxes(title="", autorange="reversed")
    return figure


def finish_figure(figure: go.Figure, title: str, metric: str) -> go.Figure:
    """Give a figure its title, axes and height."""
    num_named = sum(trace.showlegend is not False and bool(trace.name) for trace in figure.data)
    num_legend_rows = ceil(num_named / 3)
    figure.update_layout(
        title={"text": title, "x": 0},
        height=_HEIGHT + ROW_HEIGHT * num_legend_rows,
        margin={"l": 8, "r": 16, "t": 44, "b": 50 + ROW_HEIGHT * num_legend_rows},
        # Below the axis, where it meets no title however many lines there are.
        legend={
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
        },
        hovermode="closest",
    )
    figure.update_xaxes(gridcolor=_GRID, automargin=True)
    if metric:
        last = max((max(trace.x) for trace in figure.data if len(trace.x)), default=1)
        figure.update_xaxes(title="epoch", tick0=0, dtick=ceil(last / _MOST_TICKS))
    figure.update_yaxes(gridcolor=_GRID, automargin=True)
    if metric in _SHARES or metric.startswith(RECALL):
        figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    elif metric == "loss":
        figure.update_yaxes(rangemode="tozero")
    elif metric == "learning_rate":
        figure.update_yaxes(exponentformat="power", rangemode="tozero")
    return figure


def name_class(name: str) -> str:
    """Return a class as a person calls it: with its tier's shape where it is a diagnosis."""
    plain = name.removeprefix(RECALL)
    diagnosis = parse_diagnosis(plain)
    return name_diagnosis(diagnosis) if diagnosis else escape(plain)


def escape(text: str) -> str:
    """Return text that plotly takes as it is: its markup is HTML's."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")

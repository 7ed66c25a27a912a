"""Charts that several pages show: a table in, a plotly figure out, no Streamlit call."""

from math import ceil

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.markup import name_diagnosis
from melanoma_core.runs.comparison import normalise_rows
from melanoma_core.taxonomy import parse_diagnosis

ROW_HEIGHT = 24  # px; of a legend or of a category axis
_HEIGHT = 260  # px; of a chart without its legend
_GRID = "rgba(128, 138, 148, 0.4)"  # visible on the backgrounds of both themes


def draw_confusion(counts: pd.DataFrame, title: str) -> go.Figure:
    """Draw a confusion matrix, in counts and as shares of each row.

    Args:
        counts: Images, one row per true class, one column per predicted class.
        title: Title of the chart.
    """
    figure = go.Figure(
        go.Heatmap(
            z=normalise_rows(counts).to_numpy(),
            x=[name_class(name) for name in counts.columns],
            y=[name_class(name) for name in counts.index],
            text=counts.to_numpy(),
            texttemplate="%{text}",
            colorscale="Cividis",  # perceptually uniform, also for colour-blind readers
            zmin=0,
            zmax=1,
            showscale=False,  # leaves the width of a phone to the counts
            hovertemplate="true %{y}, predicted %{x}: %{text} (%{z:.1%})<extra></extra>",
        )
    )
    finish_figure(figure, escape_label(title))
    figure.update_layout(height=230 + ROW_HEIGHT * len(counts))
    figure.update_xaxes(title="predicted class", tickangle=-45)
    figure.update_yaxes(title="true class (colour: share of row)", autorange="reversed")
    return figure


def finish_figure(figure: go.Figure, title: str) -> go.Figure:
    """Set the title, grid, legend and height of a figure, and return it.

    Args:
        figure: Complete with all its traces: the height grows with the rows of the legend.
        title: Already escaped.
    """
    num_named = sum(trace.showlegend is not False and bool(trace.name) for trace in figure.data)
    legend_height = ROW_HEIGHT * ceil(num_named / 3)
    figure.update_layout(
        title={"text": title, "x": 0},
        height=_HEIGHT + legend_height,
        margin={"l": 8, "r": 16, "t": 44, "b": 50 + legend_height},
        # Below the axis, where even a tall legend does not cover the title.
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        hovermode="closest",
    )
    figure.update_xaxes(gridcolor=_GRID, automargin=True)
    figure.update_yaxes(gridcolor=_GRID, automargin=True)
    return figure


def name_class(name: str) -> str:
    """Return the title of a class: with the shape of its risk tier if it is a diagnosis.

    >>> name_class("MEL")
    '▲ melanoma'
    >>> name_class("scar <5 mm")
    'scar &lt;5 mm'
    """
    diagnosis = parse_diagnosis(name)
    return name_diagnosis(diagnosis) if diagnosis else escape_label(name)


def escape_label(text: str) -> str:
    """Return text as one line that plotly shows literally; it would interpret HTML.

    >>> escape_label("a <b> & c")
    'a &lt;b> &amp; c'
    """
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")

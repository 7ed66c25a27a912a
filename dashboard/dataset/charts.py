"""Charts of the Dataset page: a small table in, a plotly figure out, no Streamlit call.

Name, shape and colour identify a class, a pattern identifies a subset.
"""

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.charts import ROW_HEIGHT, escape_label, finish_figure
from dashboard.shared.markup import name_diagnosis
from melanoma_core.data.overview import OTHER, QUANTILES
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier, find_tier, read_label

# Okabe and Ito (2008), with Tol's wine instead of black, which a dark page would hide. With any
# colour blindness, two classes differ by more than 15 in L*a*b*. The names are beside the bars.
CLASS_COLOURS = {
    Diagnosis.MEL: "#D55E00",
    Diagnosis.NV: "#009E73",
    Diagnosis.BCC: "#CC79A7",
    Diagnosis.AK: "#E69F00",
    Diagnosis.BKL: "#0072B2",
    Diagnosis.DF: "#F0E442",
    Diagnosis.VASC: "#56B4E9",
    Diagnosis.SCC: "#882255",
}

# Blue and grey with a contrast of at least 3:1 to the backgrounds of both themes.
_PLAIN, _INK = "#4f83b0", "#808a94"
_PATTERNS = {"train": "", "validation": "/", "test": "x", "unassigned": "."}
_LABEL_LENGTH = 34  # characters of a value; the table has it in full


def draw_classes(counts: pd.DataFrame, is_log: bool) -> go.Figure:
    """Draw the images per class and subset.

    Args:
        counts: From `overview.count_classes` or `overview.count_labels`.
        is_log: Whether the axis is logarithmic.
    """
    names = [name_row(label) for label in counts.index]
    colours = [_choose_colour(label) for label in counts.index]
    return _draw_subsets(counts, names, colours, "Images per class", is_log)


def draw_tiers(counts: pd.DataFrame, is_log: bool) -> go.Figure:
    """Draw the images per risk tier and subset.

    Args:
        counts: From `overview.count_tiers`.
        is_log: Whether the axis is logarithmic.
    """
    styles = [TIER_STYLES[RiskTier(tier)] for tier in counts.index]
    names = [f"{style.symbol} {tier}" for style, tier in zip(styles, counts.index, strict=True)]
    colours = [style.colour for style in styles]
    return _draw_subsets(counts, names, colours, "Images per risk tier", is_log)


def draw_values(counts: pd.DataFrame, title: str) -> go.Figure:
    """Draw how often each value occurs.

    Args:
        counts: Columns `value` and `files`, from `overview.count_values`.
        title: Title of the chart, with the unit of the values.
    """
    names, positions = [_shorten(value) for value in counts["value"]], list(range(len(counts)))
    figure = go.Figure(
        go.Bar(
            y=positions,  # not the names, since two long names may be cut to the same text
            x=counts["files"],
            orientation="h",
            marker_color=_PLAIN,
            text=[f"{count:,}" for count in counts["files"]],
            textposition="outside",
            cliponaxis=False,
            customdata=names,
            hovertemplate="%{customdata}: %{x:,} images<extra></extra>",
        )
    )
    _finish_bars(figure, title, "images", len(counts))
    return figure.update_yaxes(type="linear", tickvals=positions, ticktext=names)


def draw_spread(spread: pd.DataFrame, title: str, axis: str) -> go.Figure:
    """Draw the distribution of a measurement in each class, as a box plot of quantiles.

    Args:
        spread: From `overview.measure_spread`.
        title: Title of the chart.
        axis: Name of the measurement, with its range or unit.
    """
    figure = go.Figure()
    low, first, middle, third, high = (spread[quantile] for quantile in QUANTILES)
    for label in spread.index:
        figure.add_box(
            y=[name_diagnosis(read_label(label))],
            lowerfence=[low[label]],
            q1=[first[label]],
            median=[middle[label]],
            q3=[third[label]],
            upperfence=[high[label]],
            orientation="h",
            fillcolor=_choose_colour(label),
            line={"color": _INK, "width": 1.5},
            name="",
            showlegend=False,
        )
    return _finish_bars(figure, title, axis, len(spread))


def draw_balance(table: pd.DataFrame, title: str, axis: str) -> go.Figure:
    """Draw each class before and after balancing.

    Args:
        table: Index `taxonomy.Label`, columns `before` and `after`.
        title: Title of the chart.
        axis: Title of the axis of counts.
    """
    names = [name_row(label) for label in table.index]
    colours = [_choose_colour(label) for label in table.index]
    figure = go.Figure()
    for column, pattern in (("before", ""), ("after", "/")):
        _add_bars(figure, names, table[column], colours, pattern)
    return _finish_bars(figure, title, axis, 2 * len(table))


def name_row(label: str) -> str:
    """Return the name of a label in a chart or table."""
    return "other labels" if label == OTHER else name_diagnosis(read_label(label))


def _choose_colour(label: str) -> str:
    if label == OTHER:
        return _INK
    known = read_label(label)
    if isinstance(known, Diagnosis):
        return CLASS_COLOURS[known]
    return TIER_STYLES[find_tier(known)].colour


def _draw_subsets(
    counts: pd.DataFrame, names: list[str], colours: list[str], title: str, is_log: bool
) -> go.Figure:
    subsets = [column for column in counts.columns if column != "total"]
    figure = go.Figure()
    for subset in subsets:
        pattern = _PATTERNS[subset] if len(subsets) > 1 else ""  # one needs no legend either
        _add_bars(figure, names, counts[subset], colours, pattern)
    figure.update_layout(showlegend=len(subsets) > 1)
    _finish_bars(figure, title, "images", len(counts) * len(subsets))
    if is_log:
        figure.update_xaxes(type="log", dtick=1, title="images (logarithmic)")
    return figure


def _add_bars(
    figure: go.Figure, names: list[str], counts: pd.Series, colours: list[str], pattern: str
) -> None:
    """Add a bar per class, named after the column of the counts."""
    name = str(counts.name)
    hatching = {"shape": pattern, "fillmode": "replace" if pattern else "overlay"}
    # An empty grey trace for the legend: the pattern is the same in all tiers.
    grey = {"color": _INK, "pattern": hatching}
    figure.add_bar(y=[None], x=[None], name=name, marker=grey, orientation="h", offsetgroup=name)
    figure.add_bar(
        y=names,
        x=counts,
        name=name,
        orientation="h",
        offsetgroup=name,
        showlegend=False,
        marker={"color": colours, "pattern": hatching, "line": {"color": _INK, "width": 1}},
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}, " + name + ": %{x:,}<extra></extra>",
    )


def _finish_bars(figure: go.Figure, title: str, axis: str, num_bars: int) -> go.Figure:
    """Set titles and height of a chart of horizontal bars, with the first row at the top."""
    finish_figure(figure, title)
    frame = figure.layout.margin.t + figure.layout.margin.b
    figure.update_layout(
        barmode="group",
        bargap=0.25 if num_bars > 2 else 0.6,
        height=frame + ROW_HEIGHT * max(num_bars, 3),
        margin_r=48,  # for the counts beside the bars
        legend_traceorder="normal",
    )
    figure.update_xaxes(title=axis, showgrid=True)
    # No grid on the classes: it would cross out the counts.
    figure.update_yaxes(title="", autorange="reversed", type="category", showgrid=False)
    return figure


def _shorten(text: str) -> str:
    label = escape_label(text)
    return label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"

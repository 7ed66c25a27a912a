"""Figures: a table of a few rows in, a plotly figure out, no st call.

A class is told by its name and its tier's shape, a subset by its pattern; colour repeats the tier.
"""

import pandas as pd
import plotly.graph_objects as go

from dashboard.shared.markup import name_diagnosis
from melanoma_core.data.overview import QUANTILES
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier

# Middle grey and blue: 3:1 and more against both themes' backgrounds.
_PLAIN, _INK = "#4f83b0", "#808a94"
_PATTERNS = {"train": "", "validation": "/", "test": "x", "unassigned": "."}
_BAR_HEIGHT, _FRAME_HEIGHT = 24, 130  # px
_LETTERS = 34  # of a name, before it is cut: the whole one is in the table


def draw_classes(counts: pd.DataFrame, is_log: bool) -> go.Figure:
    """Draw the images per class and subset.

    Args:
        counts: As `imbalance.count_classes` gives.
        is_log: Whether the axis is logarithmic.
    """
    names = [name_diagnosis(Diagnosis(label)) for label in counts.index]
    colours = [TIER_STYLES[Diagnosis(label).tier].colour for label in counts.index]
    return _draw_subsets(counts, names, colours, "Images per class", is_log)


def draw_tiers(counts: pd.DataFrame, is_log: bool) -> go.Figure:
    """Draw the images per risk tier and subset, as `imbalance.count_tiers` gives them."""
    styles = [TIER_STYLES[RiskTier(tier)] for tier in counts.index]
    names = [f"{style.symbol} {tier}" for style, tier in zip(styles, counts.index, strict=True)]
    colours = [style.colour for style in styles]
    return _draw_subsets(counts, names, colours, "Images per risk tier", is_log)


def draw_values(counts: pd.DataFrame, title: str, axis: str) -> go.Figure:
    """Draw how often each value occurs.

    Args:
        counts: `value` and `files`, as `overview.count_values` gives.
        title: Of the figure.
        axis: What the values are, with their unit.
    """
    names, positions = [_shorten(value) for value in counts["value"]], list(range(len(counts)))
    figure = go.Figure(
        go.Bar(
            y=positions,  # not the names: two long ones may be cut to the same
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
    _finish(figure, title, "images", axis, len(counts))
    return figure.update_yaxes(type="linear", tickvals=positions, ticktext=names)


def draw_spread(spread: pd.DataFrame, title: str, axis: str) -> go.Figure:
    """Draw how a measured fact is spread within each class, as boxes of quantiles.

    Args:
        spread: As `overview.measure_spread` gives.
        title: Of the figure.
        axis: What is measured, with its range or unit.
    """
    figure = go.Figure()
    low, first, middle, third, high = (spread[quantile] for quantile in QUANTILES)
    for label in spread.index:
        figure.add_box(
            y=[name_diagnosis(Diagnosis(label))],
            lowerfence=[low[label]],
            q1=[first[label]],
            median=[middle[label]],
            q3=[third[label]],
            upperfence=[high[label]],
            orientation="h",
            marker_color=TIER_STYLES[Diagnosis(label).tier].colour,
            name="",
            showlegend=False,
        )
    return _finish(figure, title, axis, "", len(spread))


def draw_balance(table: pd.DataFrame, title: str, axis: str) -> go.Figure:
    """Draw each class before and after balancing.

    Args:
        table: Index Diagnosis, columns `before` and `after`.
        title: Of the figure.
        axis: What is counted.
    """
    names = [name_diagnosis(Diagnosis(label)) for label in table.index]
    colours = [TIER_STYLES[Diagnosis(label).tier].colour for label in table.index]
    figure = go.Figure()
    for column, pattern in (("before", ""), ("after", "/")):
        _add_bars(figure, names, table[column], column, colours, pattern)
    return _finish(figure, title, axis, "", 2 * len(table))


def _draw_subsets(
    counts: pd.DataFrame, names: list[str], colours: list[str], title: str, is_log: bool
) -> go.Figure:
    subsets = [column for column in counts.columns if column != "total"]
    figure = go.Figure()
    for subset in subsets:
        _add_bars(figure, names, counts[subset], subset, colours, _PATTERNS[subset])
    _finish(figure, title, "images", "", len(counts) * len(subsets))
    if is_log:
        figure.update_xaxes(type="log", dtick=1, title="images (logarithmic)")
    return figure


def _add_bars(
    figure: go.Figure,
    names: list[str],
    counts: pd.Series,
    name: str,
    colours: list[str],
    pattern: str,
) -> None:
    marker = {"shape": pattern, "fillmode": "replace" if pattern else "overlay"}
    # In the legend a pattern is that of all tiers.
    grey = {"color": _INK, "pattern": marker}
    figure.add_bar(y=[None], x=[None], name=name, marker=grey, orientation="h", offsetgroup=name)
    figure.add_bar(
        y=names,
        x=counts,
        name=name,
        orientation="h",
        offsetgroup=name,
        showlegend=False,
        marker={
            "color": colours,
            "pattern": marker,
            "line": {"color": colours, "width": 1},
        },
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}, " + name + ": %{x:,}<extra></extra>",
    )


def _finish(figure: go.Figure, title: str, x_title: str, y_title: str, num_bars: int) -> go.Figure:
    """Give a figure its title, axes and height; the first row is on top."""
    figure.update_layout(
        title={"text": title, "x": 0},
        barmode="group",
        bargap=0.25 if num_bars > 2 else 0.6,
        height=_FRAME_HEIGHT + _BAR_HEIGHT * max(num_bars, 3),
        margin={"l": 8, "r": 48, "t": 64, "b": 48},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
    )
    figure.update_xaxes(title=x_title, gridcolor=_INK, gridwidth=0.3, automargin=True)
    figure.update_yaxes(title=y_title, autorange="reversed", type="category", automargin=True)
    return figure


def _shorten(text: str) -> str:
    """Return a value as one line that plotly takes as it is: its markup is HTML's."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return plain if len(plain) <= _LETTERS else plain[: _LETTERS - 1] + "…"

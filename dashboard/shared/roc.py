"""ROC curves beside each other, with operating points: data in, a plotly figure out.

Curves differ in their dashes and points in their shapes, not in colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.shared.curves import draw_curve, finish_curves, share_axes
from melanoma_core.evaluation.figure import EMPTY_CURVE, Curve, Figure

# Contrast of at least 3:1 against the backgrounds of both themes.
_COLOURS = ("#4f83b0", "#b85c91", "#808a94")
_DASHES = ("solid", "dash", "dot")
_MARKS = (("#b85c91", "diamond"), ("#4f83b0", "square"), ("#b06f3c", "triangle-up"))


@dataclass(frozen=True)
class RocLine:
    """A ROC curve with a name."""

    name: str
    curve: Curve


@dataclass(frozen=True)
class RocPoint:
    """An operating point with its intervals."""

    name: str
    sensitivity: Figure
    specificity: Figure


def draw_rocs(lines: Sequence[RocLine], points: Sequence[RocPoint], title: str) -> go.Figure:
    """Draw ROC curves and operating points; the first curve has a band.

    Args:
        lines: Up to three curves; those without a point are left out.
        points: Up to three points; undefined ones are left out.
        title: Of the chart.
    """
    drawn = [line for line in lines if line.curve.x]
    hover = "1 − specificity %{x:.0%}, sensitivity %{y:.1%}"
    first = drawn[0] if drawn else RocLine("", EMPTY_CURVE)
    figure = draw_curve(first.curve, hover, first.name) if drawn else go.Figure()
    for line, colour, dash in zip(drawn[1:], _COLOURS[1:], _DASHES[1:], strict=False):
        figure.add_scatter(
            x=line.curve.x,
            y=line.curve.y,
            mode="lines",
            name=line.name,
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate=hover + "<extra></extra>",
        )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="chance",
        line={"color": _COLOURS[-1], "dash": "dash", "width": 1},
        hoverinfo="skip",
    )
    for point, (colour, symbol) in zip(points, _MARKS, strict=False):
        if not math.isnan(point.sensitivity.value + point.specificity.value):
            _add_point(figure, point, colour, symbol)
    finish_curves(figure, title)
    share_axes(figure, "1 − specificity", "sensitivity")
    return figure


def _add_point(figure: go.Figure, point: RocPoint, colour: str, symbol: str) -> None:
    found, spared = point.sensitivity, point.specificity
    figure.add_scatter(
        x=[1 - spared.value],
        y=[found.value],
        error_x=_make_bar(spared.high - spared.value, spared.value - spared.low),
        error_y=_make_bar(found.value - found.low, found.high - found.value),
        mode="markers",
        name=point.name,
        marker={"color": colour, "symbol": symbol, "size": 13},
        hovertemplate=f"{point.name}: 1 − specificity %{{x:.1%}}, sensitivity %{{y:.1%}}"
        "<extra></extra>",
    )


def _make_bar(minus: float, plus: float) -> dict[str, object]:
    """Return an error bar; an undefined end has none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if math.isnan(plus) else plus],
        "arrayminus": [0 if math.isnan(minus) else minus],
        "thickness": 1.2,
    }

"""Charts of the audit: figures in, a plotly figure out, without Streamlit calls.

Judges differ in the shape of their marks, and figures of too few patients in hollow ones.
"""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.shared.charts import ROW_HEIGHT, escape_label, finish_figure
from melanoma_core.evaluation.figure import Figure
from melanoma_core.records.audit_table import Condition, Judge
from melanoma_core.records.audit_text import name_judge
from melanoma_core.records.drift import LARGE, LITTLE, Shift, Verdict
from melanoma_core.records.performance import Group, Rates

_STYLES = {
    Judge.FIRST_READ: ("#b85c91", "diamond"),
    Judge.NETWORK: ("#4f83b0", "square"),
    Judge.TOGETHER: ("#b06f3c", "triangle-up"),
}
_OTHER = "#808a94"
_SYMBOLS = {
    Verdict.TOO_FEW: "circle-open",
    Verdict.LITTLE: "circle",
    Verdict.SOME: "diamond",
    Verdict.ALERT: "x",
}
_HEIGHT = 400  # px
SIDES = ("sensitivity", "specificity")


def draw_rates(rates: Sequence[Rates], condition: Condition) -> go.Figure:
    """Draw sensitivity and specificity of each judge with their intervals."""
    shown = [each for each in rates if each.condition is condition]
    names = [name_judge(each.judge) for each in shown]
    figure = go.Figure()
    for side, colour, symbol in zip(
        SIDES, ("#b85c91", "#4f83b0"), ("diamond", "square"), strict=True
    ):
        figures = [_find_side(each, side) for each in shown]
        few = [bool(each) for _, each in figures]
        _add_marks(figure, names, figures, (side, colour, symbol), few)
    finish_figure(figure, f"Sensitivity and specificity for {condition}, with 95% CI")
    figure.update_layout(height=190 + 2 * ROW_HEIGHT * len(names), scattermode="group")
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02], zeroline=False)
    figure.update_yaxes(autorange="reversed", zeroline=False)
    return figure


def draw_groups(groups: Sequence[Group], condition: Condition, side: str) -> go.Figure:
    """Draw sensitivity or specificity of each judge in each part.

    Args:
        groups: The parts, in their order.
        condition: What was looked for.
        side: "sensitivity" or "specificity".
    """
    figure = go.Figure()
    names = [escape_label(group.value) for group in groups]
    for judge, style in _STYLES.items():
        found = [
            next((r for r in group.rates if (r.judge, r.condition) == (judge, condition)), None)
            for group in groups
        ]
        figures = [(None, "") if each is None else _find_side(each, side) for each in found]
        few = [bool(each) for _, each in figures]
        _add_marks(figure, names, figures, (name_judge(judge), *style), few, upright=True)
    finish_figure(figure, f"{side.capitalize()} for {condition} by {groups[0].grouping}")
    figure.update_layout(height=_HEIGHT, scattermode="group")
    figure.update_yaxes(tickformat=".0%", range=[-0.04, 1.04], zeroline=False)
    figure.update_xaxes(type="category", zeroline=False)
    return figure


def draw_shifts(shifts: Sequence[Shift]) -> go.Figure:
    """Draw how far one measure is from its reference, month by month.

    Args:
        shifts: Of one measure and one reference, by month; at least one.
    """
    figure = go.Figure()
    months = [each.month for each in shifts]
    for verdict in Verdict:
        chosen = [each for each in shifts if each.verdict is verdict]
        if chosen:
            figure.add_scatter(
                x=[each.month for each in chosen],
                y=[each.psi.value for each in chosen],
                error_y=_make_bars([each.psi for each in chosen]),
                mode="markers",
                name=str(verdict),
                marker={"symbol": _SYMBOLS[verdict], "size": 11, "color": "#4f83b0"},
                customdata=[[each.psi.total, each.psi.num_lesions] for each in chosen],
                hovertemplate="%{x}: PSI %{y:.2f}, %{customdata[0]:,} photographs of "
                "%{customdata[1]:,} patients<extra></extra>",
            )
    for level, dash, words in ((LITTLE, "dot", "some change"), (LARGE, "dash", "large change")):
        figure.add_hline(
            y=level,
            line={"color": _OTHER, "dash": dash},
            annotation_text=f"from here: {words}",
            annotation_position="top left",
        )
    finish_figure(figure, f"{str(shifts[0].measure).capitalize()}, against {shifts[0].reference}")
    figure.update_layout(height=_HEIGHT)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=months)
    figure.update_yaxes(title="population stability index", rangemode="tozero", zeroline=False)
    return figure


def _add_marks(  # noqa: PLR0913
    figure: go.Figure,
    names: Sequence[str],
    figures: Sequence[tuple[Figure | None, str]],
    style: tuple[str, str, str],
    few: Sequence[bool],
    *,
    upright: bool = False,
) -> None:
    """Add the marks of one row of figures, hollow where they are of too few patients."""
    name, colour, symbol = style
    known = [
        (each, found, is_few)
        for each, (found, _), is_few in zip(names, figures, few, strict=True)
        if found is not None and not math.isnan(found.value)
    ]
    values = [found.value for _, found, _ in known]
    places = [each for each, _, _ in known]
    bars = _make_bars([found for _, found, _ in known])
    where = {"x": places, "y": values, "error_y": bars}
    if not upright:
        where = {"x": values, "y": places, "error_x": bars}
    figure.add_scatter(
        **where,
        mode="markers",
        name=name,
        offsetgroup=name,
        orientation="v" if upright else "h",
        marker={
            "color": colour,
            "symbol": [f"{symbol}-open" if is_few else symbol for _, _, is_few in known],
            "size": 11,
            "line": {"width": 2, "color": colour},
        },
        customdata=[
            [found.count, found.total, found.num_lesions, "; too few to say" if is_few else ""]
            for _, found, is_few in known
        ],
        hovertemplate=f"{name}: %{{{'y' if upright else 'x'}:.1%}}, %{{customdata[0]:,}} of "
        "%{customdata[1]:,} lesions, %{customdata[2]:,} patients%{customdata[3]}<extra></extra>",
    )


def _make_bars(figures: Sequence[Figure]) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [_or_zero(each.high - each.value) for each in figures],
        "arrayminus": [_or_zero(each.value - each.low) for each in figures],
        "thickness": 1.2,
    }


def _or_zero(length: float) -> float:
    return 0.0 if math.isnan(length) else length


def _find_side(rates: Rates, side: str) -> tuple[Figure, str]:
    if side == "sensitivity":
        return rates.sensitivity, rates.few_positives
    return rates.specificity, rates.few_negatives

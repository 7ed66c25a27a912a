"""The probabilities of the lesion over time, as its AI readings were kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.ai_reading import HIDDEN
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.downloads import show_figure

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from melanoma_core.records.probability_history import KeptProbability

_MELANOMA, _SKIN_CANCER, _OTHER = "#b85c91", "#4f83b0", "#808a94"
_HEIGHT = 380  # px
_TICKS = 6


def show_history(opened: OpenedLesion) -> None:
    """Show the probabilities of all AI readings with the operating points in force."""
    from melanoma_core.records.probability_history import list_probabilities

    st.html("<h2>Probabilities over time</h2>")
    if opened.hides_ai:
        st.html(f"<p>{HIDDEN}</p>")
        return
    kept = list_probabilities(opened.case)
    if not kept:
        st.html("<p>There is no AI reading of this lesion yet.</p>")
        return
    show_figure(draw_history(kept), _tabulate(kept), "probabilities")
    st.caption(
        "Each point is an AI reading as it was kept, never computed again. The lines of two models "
        "are not joined: their probabilities cannot be compared."
    )


def draw_history(kept: "Sequence[KeptProbability]") -> "go.Figure":
    """Draw both probabilities with their operating points; another model begins a new line."""
    import plotly.graph_objects as go

    from dashboard.shared.charts import escape_label, finish_figure

    figure = go.Figure()
    for name, colour, symbol, dash in (
        ("melanoma", _MELANOMA, "circle", "solid"),
        ("skin cancer", _SKIN_CANCER, "square", "dash"),
    ):
        points = _break_at_models(kept, name.replace(" ", "_"))
        limits = _break_at_models(kept, f"{name.replace(' ', '_')}_threshold")
        figure.add_scatter(
            x=[on for on, _ in points],
            y=[value for _, value in points],
            mode="lines+markers",
            name=name,
            line={"color": colour, "dash": dash},
            marker={"symbol": symbol, "size": 10},
            hovertemplate=f"{name} %{{y:.1%}}, %{{x|%Y-%m-%d}}<extra></extra>",
        )
        figure.add_scatter(
            x=[on for on, _ in limits],
            y=[value for _, value in limits],
            mode="lines+markers",
            name=f"operating point, {name}",
            line={"color": colour, "dash": "dot", "width": 1.5},
            marker={"symbol": "line-ew-open", "size": 14},
            hovertemplate=f"operating point, {name} %{{y:.1%}}<extra></extra>",
        )
    for each in kept:
        if each.is_other_model:
            label = f"model {escape_label(each.model_id)}"
            figure.add_vline(each.on.isoformat(), line={"color": _OTHER, "dash": "dashdot"})
            figure.add_annotation(
                x=each.on.isoformat(), y=1, yref="paper", text=label, showarrow=False,
                xanchor="right", yanchor="top",
            )  # fmt: skip
    finish_figure(figure, "Probabilities over time, with operating points")
    figure.update_layout(height=_HEIGHT)
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.02], zeroline=False)
    figure.update_xaxes(type="date", tickformat="%Y-%m-%d", nticks=_TICKS)
    days = sorted({each.on.isoformat() for each in kept})
    if len(days) <= _TICKS:  # otherwise one day is written at several hours
        figure.update_xaxes(tickvals=days)
    return figure


def _break_at_models(
    kept: "Sequence[KeptProbability]", field: str
) -> list[tuple[str, float | None]]:
    """Return the values of a field by day, with a gap before each other model."""
    points: list[tuple[str, float | None]] = []
    for each in kept:
        if each.is_other_model:
            points.append((each.on.isoformat(), None))
        points.append((each.on.isoformat(), getattr(each, field)))
    return points


def _tabulate(kept: "Sequence[KeptProbability]") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame([vars(each) for each in kept])

"""All runs beside one another, and those that are chosen, in detail."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.training.cached import get_curves, get_figures, get_leads, get_predictions, get_runs
from dashboard.training.fields import RECIPE_FIELDS
from dashboard.training.markup import TEST_FIGURES, name_state, render_leads
from dashboard.training.titles import name_value
from melanoma_core.errors import MelanomaError
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.runs.run import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.run import Run

_SUBSETS = ("validation", "train", "published")
_MOST_COMPARED = 6  # lines that an eye tells apart
_FIGURE_PX = 150
_WIDTH = 14  # characters, to which figures are filled up on the left: a table sorts them as text


def show_comparison() -> None:
    """Show all runs in a table, and compare those that are chosen in it.

    Raises:
        RunError: The record cannot be read.
    """
    runs = _filter(get_runs())
    if not runs:
        st.html("<p>There is no such run. Launch one in the sidebar, or filter less.</p>")
        return
    chosen = _choose(runs)
    if not chosen:
        st.caption("Choose two or more runs at the left of the table to compare them.")
        return
    compare_runs(chosen)


def compare_runs(runs: "list[Run]") -> None:
    """Show how runs learned, what differs in their recipes, and what they say of test images.

    Raises:
        RunError: The record cannot be read.
    """
    named = _name_apart(runs)
    _show_curves(named)
    _show_differences(named)
    with show_errors():
        _show_tests(named)


def _filter(runs: "list[Run]") -> "list[Run]":
    """Let a person narrow the list down; nothing chosen is everything."""
    kinds: dict[str, Callable[[Run], str]] = {
        "State": lambda run: str(run.state),
        "Recipe": lambda run: run.spec.recipe.name,
        "Data": lambda run: run.spec.data_name,
    }
    for column, (label, tell) in zip(st.columns(len(kinds)), kinds.items(), strict=True):
        options = sorted({tell(run) for run in runs})
        wanted = column.multiselect(
            label,
            options,
            key=f"compare-{label}",
            persist_state="session",
            placeholder="all",
            help="Nothing chosen: all.",
        )
        runs = [run for run in runs if not wanted or tell(run) in wanted]
    return runs


def _choose(runs: "list[Run]") -> "list[Run]":
    table = _tabulate(runs)
    # A key per list: a choice is one of rows, which move when a run comes or goes.
    key = f"compared-{hash(tuple(run.run_id for run in runs))}"
    selection = st.dataframe(
        table,
        hide_index=True,
        placeholder="",
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(table), 388),
        column_config={
            **dict.fromkeys(TEST_FIGURES.values(), st.column_config.TextColumn(width=_FIGURE_PX)),
            "Launched": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Test photographs": st.column_config.NumberColumn(format="localized"),
        },
    )
    st.caption(
        "Figures are those on the test photographs of each run, with 95% intervals resampled by "
        "lesion. Melanoma counts as found where it has the largest probability."
    )
    offer_table(table, "runs", "All runs as CSV")
    return [runs[row] for row in selection["selection"]["rows"]][:_MOST_COMPARED]


def _tabulate(runs: "list[Run]") -> "pd.DataFrame":
    import pandas as pd

    rows = []
    for run in runs:
        figures = _find_figures(run)
        rows.append(
            {
                "Run": run.name,
                "State": name_state(run),
                "Recipe": run.spec.recipe.name,
                "Network": str(run.spec.recipe.architecture),
                "Data": run.spec.data_name,
                "Epochs": run.spec.recipe.total_epochs,
                **{
                    title: _fill(format_figure(name, figures[name])) if figures else None
                    for name, title in TEST_FIGURES.items()
                },
                "Test photographs": figures["accuracy"].total if figures else None,
                "Launched": pd.Timestamp(run.created_at),
            }
        )
    return pd.DataFrame(rows)


def _find_figures(run: "Run") -> "dict[str, Figure]":
    """Return the test figures of a run; none where it has left none, or they are out of reach."""
    if run.state is not RunState.FINISHED:
        return {}
    try:
        return get_figures(run)
    except MelanomaError:
        return {}


def _fill(text: str) -> str:
    return text.partition(",")[0].rjust(_WIDTH)


def _name_apart(runs: "list[Run]") -> "dict[str, Run]":
    """Return runs by their names, with the beginning of their ids where a name comes twice."""
    names = [run.name for run in runs]
    return {
        run.name if names.count(run.name) == 1 else f"{run.name} ({run.run_id[:6]})": run
        for run in runs
    }


def _show_curves(runs: "dict[str, Run]") -> None:
    from dashboard.training.charts import CURVE_TITLES, draw_comparison

    curves = {name: get_curves(run).table for name, run in runs.items()}
    st.subheader("Curves over one another", anchor=False)
    with st.container(horizontal=True):
        metric = st.selectbox(
            "Curve", list(CURVE_TITLES), format_func=CURVE_TITLES.__getitem__, width=260
        )
        subset = st.selectbox("Measured on", _SUBSETS, width=260)
    chart = draw_comparison(curves, metric, "" if metric == "learning_rate" else subset)
    show_chart(chart, f"comparison-{metric}-{subset}")


def _show_differences(runs: "dict[str, Run]") -> None:
    from melanoma_core.runs.comparison import tabulate_differences

    st.subheader("What differs in their recipes", anchor=False)
    table = tabulate_differences({name: run.spec.recipe for name, run in runs.items()})
    if table.empty:
        st.caption("Nothing: they are trained alike." if len(runs) > 1 else "Choose another run.")
        return
    table.insert(0, "Field", [RECIPE_FIELDS[name].label for name in table.index])
    st.dataframe(table.map(name_value), hide_index=True, height="content")


def _show_tests(runs: "dict[str, Run]") -> None:
    from dashboard.shared.charts import draw_confusion
    from melanoma_core.runs.comparison import count_confusions, explain_incomparable

    st.subheader("On the test photographs", anchor=False)
    finished = {name: run for name, run in runs.items() if run.state is RunState.FINISHED}
    if unfinished := [name for name in runs if name not in finished]:
        st.caption(f"Not finished, and so not measured: {escape_markdown(', '.join(unfinished))}.")
    reason = explain_incomparable(list(finished.values()))
    if reason or not finished:
        st.html(f"<p>{reason}</p>")
        return
    _show_figures(finished)
    for start in range(0, len(finished), 2):
        pairs = list(finished.items())[start : start + 2]
        for column, (name, run) in zip(st.columns(2), pairs, strict=False):
            with column:
                counts = count_confusions(get_predictions(run), "test")
                show_chart(draw_confusion(counts, name), f"confusion-{run.run_id}")


def _show_figures(runs: "dict[str, Run]") -> None:
    import pandas as pd

    figures = {name: get_figures(run) for name, run in runs.items()}
    table = pd.DataFrame(
        {
            "Run": name,
            **{title: format_figure(key, measured[key]) for key, title in TEST_FIGURES.items()},
        }
        for name, measured in figures.items()
    )
    st.dataframe(table, hide_index=True, height="content")
    offer_table(table, "test-figures", "Test figures as CSV")
    first, *others = runs
    if others:
        leads = {name: get_leads(runs[name], runs[first])["accuracy"] for name in others}
        st.html(render_leads(leads, first))

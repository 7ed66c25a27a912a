"""The Compare tab: a table of all runs, and a comparison of the selected ones."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_errors
from dashboard.shared.html import show_html
from dashboard.shared.markup import escape_markdown
from dashboard.training.cached_runs import (
    get_alert_figures,
    get_curves,
    get_differences,
    get_predictions,
    get_runs,
    get_test_figures,
)
from dashboard.training.fields import RECIPE_FIELDS, name_value
from dashboard.training.markup import (
    ALERT_FIGURES,
    ALERT_NOTE,
    COMPARED_FIGURES,
    TEST_FIGURES,
    TOP_1_NOTE,
    describe_duration,
    name_state,
    render_differences,
)
from dashboard.training.times import find_zone
from melanoma_core.errors import MelanomaError
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.runs.run import RunState
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.run import Run

_SUBSETS = ("validation", "train", "published")
_COMPARED, _LINKS = "compared", "compared-links"  # in the address; how often it changed
_ID_LENGTH = 8  # of a run, in the address
_MOST_COMPARED = 6  # lines that remain distinguishable
_FIGURE_PX = 190
_FIGURE_WIDTH = 14  # characters; padded on the left, since the table sorts metrics as text


def show_comparison() -> None:
    """Show all runs in a table, and compare the selected ones.

    Raises:
        RunError: The tracking store cannot be read.
    """
    runs = _filter(get_runs(load_settings()))
    if not runs:
        show_html("<p>No run matches. Launch one in the sidebar, or remove a filter.</p>")
        return
    selected = _select(runs)
    if not selected:
        st.caption("Select two or more runs at the left of the table to compare them.")
        return
    compare_runs(selected)


def compare_runs(runs: "list[Run]") -> None:
    """Show the curves, recipe differences and test metrics of runs side by side.

    Raises:
        RunError: The tracking store cannot be read.
    """
    named = _name_uniquely(runs)
    _show_curves(named)
    _show_recipe_differences(named)
    with show_errors():
        _show_tests(named)


def _filter(runs: "list[Run]") -> "list[Run]":
    filters: dict[str, Callable[[Run], str]] = {
        "State": lambda run: str(run.state),
        "Recipe": lambda run: run.spec.recipe.name,
        "Data": lambda run: run.spec.data_name,
    }
    for column, (label, get_value) in zip(st.columns(len(filters)), filters.items(), strict=True):
        wanted = column.multiselect(
            label,
            sorted({get_value(run) for run in runs}),
            key=f"compare-{label}",
            bind="query-params",
            placeholder="all",
            help="Empty: all.",
        )
        runs = [run for run in runs if not wanted or get_value(run) in wanted]
    return runs


def _select(runs: "list[Run]") -> "list[Run]":
    table = _tabulate(runs)
    asked = tuple(filter(None, st.query_params.get(_COMPARED, "").split(",")))
    if asked != st.session_state.get(_COMPARED):  # by a link or Back
        st.session_state[_LINKS] = st.session_state.get(_LINKS, 0) + 1
        st.session_state[_COMPARED] = asked
    # A key per list: Streamlit keeps selected row numbers, which change when a run is added.
    listed = hash(tuple(run.run_id for run in runs))
    rows = [row for row, run in enumerate(runs) if run.run_id[:_ID_LENGTH] in asked]
    selection = st.dataframe(
        table,
        hide_index=True,
        placeholder="",
        key=f"compared-{listed}-{st.session_state.get(_LINKS, 0)}",
        selection_default={"selection": {"rows": rows}},
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(table), 388),
        column_config={
            **dict.fromkeys(
                (*ALERT_FIGURES.values(), *TEST_FIGURES.values()),
                st.column_config.TextColumn(width=_FIGURE_PX),
            ),
            "Launched": st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm", help="In the time zone of this browser."
            ),
            "Duration": st.column_config.TextColumn(help="Since the last start of the run."),
            "Test images": st.column_config.NumberColumn(format="localized"),
        },
    )
    st.caption(f"Metrics on the test subset of each run, with 95% CI. {ALERT_NOTE} {TOP_1_NOTE}")
    offer_table(table, "runs", "All runs as CSV")
    chosen = [runs[row] for row in selection["selection"]["rows"]][:_MOST_COMPARED]
    _write_compared(chosen)
    return chosen


def _write_compared(runs: "list[Run]") -> None:
    """Write the compared runs into the address."""
    ids = tuple(run.run_id[:_ID_LENGTH] for run in runs)
    if set(ids) == set(st.session_state[_COMPARED]):
        return
    st.session_state[_COMPARED] = ids
    if ids:
        st.query_params[_COMPARED] = ",".join(ids)
    else:
        del st.query_params[_COMPARED]


def _tabulate(runs: "list[Run]") -> "pd.DataFrame":
    import pandas as pd

    rows = []
    zone = find_zone(st.context.timezone)
    for run in runs:
        figures, alerts = _find_test_figures(run), get_alert_figures(run)
        rows.append(
            {
                "Run": run.name,
                "State": name_state(run),
                **{
                    title: _format_cell(name, alerts[name]) if name in alerts else None
                    for name, title in ALERT_FIGURES.items()
                },
                "Melanoma ROC AUC": None,  # in its place among the columns
                "Launched": pd.Timestamp(run.created_at).tz_convert(zone),
                "Duration": describe_duration(run),
                "Recipe": run.spec.recipe.name,
                "Network": str(run.spec.recipe.architecture),
                "Data": run.spec.data_name,
                "Epochs": run.spec.recipe.total_epochs,
                **{
                    title: _format_cell(name, figures[name]) if figures else None
                    for name, title in TEST_FIGURES.items()
                },
                "Test images": figures["accuracy"].total if figures else None,
            }
        )
    return pd.DataFrame(rows)


def _find_test_figures(run: "Run") -> "dict[str, Figure]":
    """Return the test metrics of a run; empty if it has none or they cannot be read here."""
    if run.state is not RunState.FINISHED:
        return {}
    try:
        return get_test_figures(run)
    except MelanomaError:
        return {}


def _format_cell(name: str, figure: "Figure") -> str:
    return format_figure(name, figure).partition(",")[0].rjust(_FIGURE_WIDTH)


def _name_uniquely(runs: "list[Run]") -> "dict[str, Run]":
    """Return runs by name; runs with the same name get the start of their id."""
    names = [run.name for run in runs]
    return {
        run.name if names.count(run.name) == 1 else f"{run.name} ({run.run_id[:6]})": run
        for run in runs
    }


def _show_curves(runs: "dict[str, Run]") -> None:
    from dashboard.training.charts import CURVE_TITLES, draw_comparison

    curves = {name: get_curves(run) for name, run in runs.items()}
    st.header("Curves", anchor=False)
    with st.container(horizontal=True):
        metric = st.selectbox(
            "Metric", list(CURVE_TITLES), format_func=CURVE_TITLES.__getitem__, width=260
        )
        subset = st.selectbox("Subset", _SUBSETS, width=260)
    chart = draw_comparison(curves, metric, "" if metric == "learning_rate" else subset)
    show_chart(chart, f"comparison-{metric}-{subset}")


def _show_recipe_differences(runs: "dict[str, Run]") -> None:
    from melanoma_core.runs.comparison import tabulate_differences

    st.header("Recipe differences", anchor=False)
    table = tabulate_differences({name: run.spec.recipe for name, run in runs.items()})
    if table.empty:
        st.caption("None." if len(runs) > 1 else "Select another run to compare with.")
        return
    table.insert(0, "Field", [RECIPE_FIELDS[name].label for name in table.index])
    shown = table.map(name_value)
    st.dataframe(shown, hide_index=True, height="content")
    offer_table(shown, "recipe-differences", "Recipe differences as CSV")


def _show_tests(runs: "dict[str, Run]") -> None:
    from dashboard.shared.charts import draw_confusion
    from melanoma_core.runs.comparison import count_confusions, explain_incomparable

    st.header("Test subset", anchor=False)
    finished = {name: run for name, run in runs.items() if run.state is RunState.FINISHED}
    if unfinished := [name for name in runs if name not in finished]:
        st.caption(f"Without test metrics, not finished: {escape_markdown(', '.join(unfinished))}.")
    if not finished:
        return
    reason = explain_incomparable(list(finished.values()))
    if reason:
        show_html(f"<p>{reason}</p>")
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

    table = pd.DataFrame(
        {"Run": name}
        | {
            title: format_figure(key, get_alert_figures(run).get(key))
            for key, title in ALERT_FIGURES.items()
        }
        | {
            title: format_figure(key, get_test_figures(run)[key])
            for key, title in TEST_FIGURES.items()
        }
        for name, run in runs.items()
    )
    st.dataframe(table, hide_index=True, height="content")
    offer_table(table, "test-figures", "Test metrics as CSV")
    first, *others = runs
    if others:
        differences = {name: get_differences(runs[name], runs[first]) for name in others}
        for metric in COMPARED_FIGURES:
            chosen = {name: each[metric] for name, each in differences.items()}
            show_html(render_differences(chosen, metric, first))

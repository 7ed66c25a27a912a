"""The Runs tab: a list of all runs, and the progress, curves and results of the selected one."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.html import show_html
from dashboard.shared.markup import escape_markdown
from dashboard.shared.paging import choose_page
from dashboard.training.cached_runs import get_curves, get_log, get_runs, get_test_figures
from dashboard.training.fields import describe_changes, get_values
from dashboard.training.markup import (
    LEAK_WARNING,
    describe_epochs,
    describe_steps,
    name_state,
    render_end,
    render_fit,
    render_leak,
    render_progress,
    render_state,
    render_test_figures,
)
from dashboard.training.times import format_time
from melanoma_core.runs.run import RunState
from melanoma_core.settings import load_settings
from melanoma_core.training.recipe import PRESETS

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.runs.run import Run

_RUNS_PER_PAGE = 8
_SELECTED = "run"  # in the page's address: it survives a reload and can be shared
_ERROR = "run-error"
_MOST_CHARTS = 500  # cached, about 20 kB each
# By metric; "recall/now" shows the recalls of the last epoch.
_CHARTS = (
    *("loss", "accuracy", "melanoma_sensitivity", "melanoma_specificity", "roc_auc"),
    *("balanced_accuracy", "recall", "recall/now", "learning_rate"),
)


def select_run(run_id: str) -> None:
    """Show a run in this browser from now on."""
    st.query_params[_SELECTED] = run_id


def show_runs() -> None:
    """List all runs and show the selected one, in their current state.

    Raises:
        RunError: The tracking store cannot be read.
    """
    runs = get_runs(load_settings())
    if not runs:
        show_html(
            "<p>There are no runs yet. Choose a dataset and a recipe in the sidebar and press "
            "Launch. The run appears here, continues when this page is closed, and is kept.</p>"
        )
        return
    selected = _find_selected(runs)
    list_column, run_column = st.columns([2, 7], gap="medium")
    with list_column, st.container(key="run-list", gap="xxsmall"):
        _list_runs(runs, selected)
    with run_column:
        if selected is None:
            show_html("<p>This run no longer exists. Choose another one from the list.</p>")
        else:
            _show_run(selected)


def _find_selected(runs: "list[Run]") -> "Run | None":
    """Return the run in the page's address, or the first one: a running run, or the newest."""
    run_id = st.query_params.get(_SELECTED, runs[0].run_id)
    return next((run for run in runs if run.run_id == run_id), None)


def _list_runs(runs: "list[Run]", selected: "Run | None") -> None:
    # A key per selected run, so that its address opens the list where it is.
    page = choose_page(
        len(runs),
        _RUNS_PER_PAGE,
        f"runs-{selected.run_id if selected else ''}",
        opened=runs.index(selected) if selected else 0,
        max_visible_pages=5,
    )
    for run in runs[page]:
        st.button(
            f"{escape_markdown(run.name)}  \n{name_state(run)}",
            key=f"select-{run.run_id}",
            help=f"{escape_markdown(run.spec.data_name)}, launched "
            f"{format_time(run.created_at, st.context.timezone)}",
            type="primary" if selected and run.run_id == selected.run_id else "secondary",
            on_click=select_run,
            args=(run.run_id,),
            width="stretch",
        )


def _show_run(run: "Run") -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        st.header(escape_markdown(run.name), anchor=False, width="stretch")
        _offer_actions(run)
    show_stored_error(_ERROR)
    show_html(render_state(run, st.context.timezone))
    if run.spec.recipe.leaks:
        show_html(render_leak(LEAK_WARNING))
    if run.state is RunState.RUNNING:
        _show_progress(run)
    if run.state is RunState.FINISHED:
        _show_results(run)
    _show_curves(run, get_curves(run))
    _show_recipe(run)
    with st.expander("Log", key=f"log-{run.run_id}"):
        st.code(get_log(run) or "The log is empty.", language=None, height=300)


def _offer_actions(run: "Run") -> None:
    if not run.is_own:
        st.caption("Its files are on another machine.", width="content")
        return
    if not run.state.is_over:
        st.button(
            "Stop",
            help="Stops after the current batch. The last complete epoch is kept, and the run can "
            "be resumed.",
            on_click=_stop,
            args=(run,),
            disabled=run.is_stopping,
        )
        return
    if run.can_resume:
        st.button(
            "Resume",
            help="Continues after the last complete epoch. The result is that of an uninterrupted "
            "run.",
            type="primary",
            on_click=_resume,
            args=(run,),
        )
    with st.popover("Delete", help="Deletes the run with all its files."):
        show_html(
            "<p>This deletes the run, its curves and its checkpoint for good. A model made from it "
            "is kept.</p>"
        )
        st.button("Delete this run", on_click=_delete, args=(run,))


def _show_progress(run: "Run") -> None:
    if run.progress is None:
        st.progress(0.0, "Starting")
        return
    for share, text in (describe_epochs(run.progress), describe_steps(run.progress)):
        st.progress(share, text)
    show_html(render_progress(run.progress))


def _show_results(run: "Run") -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        show_html(render_end(run), width="content")
        if run.model_id:
            st.page_link(
                "models/page.py",
                label="Model card",
                query_params={"model": run.model_id},
                width="content",
            )
    show_html(render_test_figures(get_test_figures(run)))


def _show_curves(run: "Run", curves: "pd.DataFrame") -> None:
    if curves.empty:
        if not run.state.is_over:
            st.caption("The curves appear with the first batches.")
        return
    from dashboard.training.charts import CURVE_TITLES
    from melanoma_core.runs.fit import judge_fit

    show_html(render_fit(judge_fit(curves)))
    kinds = curves["metric"].str.partition("/")[0]
    rows = {kind: curves[kinds == kind].reset_index(drop=True) for kind in kinds.unique()}
    defined = set(kinds[curves["value"].notna()])
    if undefined := [CURVE_TITLES[kind] for kind in rows if kind not in defined]:
        st.caption(f"Undefined for lack of such images: {', '.join(undefined)}.")
    charts = [chart for chart in _CHARTS if chart.partition("/")[0] in defined]
    for start in range(0, len(charts), 2):  # row by row, so that pairs stay aligned
        for column, chart in zip(st.columns(2), charts[start : start + 2], strict=False):
            with column:
                _show_chart(run.run_id, chart, rows[chart.partition("/")[0]])
    if run.state.is_over:
        offer_table(curves, f"{run.name}-curves", "All curves as CSV")


# Cached: as long as its rows are the same, the browser receives the same chart and does not redraw.
@st.cache_data(show_spinner=False, max_entries=_MOST_CHARTS)
def _show_chart(run_id: str, chart: str, rows: "pd.DataFrame") -> None:
    from dashboard.training.charts import draw_chart

    show_chart(draw_chart(rows, chart), f"{run_id}-{chart}")


def _show_recipe(run: "Run") -> None:
    recipe = run.spec.recipe
    preset = PRESETS.get(recipe.name, recipe)  # a preset of another version may be unknown
    changes = describe_changes(get_values(recipe), preset)
    text = (
        f"Changed from the preset {recipe.name}: {changes}"
        if changes
        else (f"Recipe: the preset {recipe.name}, unchanged")
    )
    st.caption(f"{escape_markdown(text)}.")


def _stop(run: "Run") -> None:
    from melanoma_core.runs.control import stop_run

    with store_errors(_ERROR):
        stop_run(load_settings(), run.run_id)
    get_runs.clear()


def _resume(run: "Run") -> None:
    from melanoma_core.runs.control import resume_run

    with store_errors(_ERROR):
        resume_run(load_settings(), run.run_id)
    get_runs.clear()


def _delete(run: "Run") -> None:
    from melanoma_core.runs.control import delete_run

    with store_errors(_ERROR):
        delete_run(load_settings(), run.run_id)
        st.query_params.pop(_SELECTED, None)
    get_runs.clear()

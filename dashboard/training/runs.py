"""The runs, and the one that is followed: what it does, how it learns, and what can be done."""

from math import ceil
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.markup import escape_markdown
from dashboard.training.cached import (
    Curves,
    forget_runs,
    get_curves,
    get_figures,
    get_log,
    get_runs,
)
from dashboard.training.fields import describe_changes, read_chosen
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
    tell_time,
)
from melanoma_core.runs.run import RunState
from melanoma_core.settings import load_settings
from melanoma_core.training.recipe import PRESETS

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.runs.run import Run

RUNS_PER_PAGE = 8
_FOLLOWED = "run"  # in the address of the page: it survives a reload, and can be passed on
_ERROR = "run-error"
_MOST_CHARTS = 500  # kept drawn, each some 20 kB
# By the metric that they show; `recall/now` is that of the last epoch.
CHARTS = (
    *("loss", "accuracy", "melanoma_sensitivity", "melanoma_specificity", "roc_auc"),
    *("balanced_accuracy", "recall", "recall/now", "learning_rate"),
)


def follow(run_id: str) -> None:
    """Follow a run from now on, in this browser."""
    st.query_params[_FOLLOWED] = run_id


def show_runs() -> None:
    """List all runs and show the one that is followed, as they are now.

    Raises:
        RunError: The record cannot be read.
    """
    runs = get_runs()
    if not runs:
        st.html(
            "<p>Nothing was trained here yet. Choose photographs and a recipe in the sidebar, and "
            "press Launch: the run appears here, goes on when this page is closed, and is kept."
            "</p>"
        )
        return
    followed = _find_followed(runs)
    listed, shown = st.columns([2, 7], gap="medium")
    with listed, st.container(key="run-list", gap="xxsmall"):
        _list_runs(runs, followed)
    with shown:
        if followed is None:
            st.html("<p>There is no such run any more. Choose another one from the list.</p>")
        else:
            _show_run(followed)


def _find_followed(runs: "list[Run]") -> "Run | None":
    """Return the run that the page's address names, else the first: what works, or the newest."""
    wanted = st.query_params.get(_FOLLOWED, runs[0].run_id)
    return next((run for run in runs if run.run_id == wanted), None)


def _list_runs(runs: "list[Run]", followed: "Run | None") -> None:
    num_pages = ceil(len(runs) / RUNS_PER_PAGE)
    page = 0
    if num_pages > 1:
        opened = runs.index(followed) // RUNS_PER_PAGE + 1 if followed else 1
        # A key per followed run: whoever comes by its address is taken to its page.
        key = f"runs-{followed.run_id if followed else ''}-{num_pages}"
        page = st.pagination(num_pages, default=opened, key=key, max_visible_pages=5) - 1
    for run in runs[page * RUNS_PER_PAGE : (page + 1) * RUNS_PER_PAGE]:
        st.button(
            f"{escape_markdown(run.name)}  \n{name_state(run)}",
            key=f"follow-{run.run_id}",
            help=f"{escape_markdown(run.spec.data_name)}, launched {tell_time(run.created_at)}",
            type="primary" if followed and run.run_id == followed.run_id else "secondary",
            on_click=follow,
            args=(run.run_id,),
            width="stretch",
        )


def _show_run(run: "Run") -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        st.subheader(escape_markdown(run.name), anchor=False, width="stretch")
        _offer_actions(run)
    show_stored_error(_ERROR)
    st.html(render_state(run))
    if run.spec.recipe.leaks:
        st.html(render_leak(LEAK_WARNING))
    if run.state is RunState.RUNNING:
        _show_progress(run)
    if run.state is RunState.FINISHED:
        _show_end(run)
    _show_curves(run, get_curves(run))
    _show_recipe(run)
    with st.expander("Log", key=f"log-{run.run_id}"):
        st.code(get_log(run) or "Nothing was written yet.", language=None, height=300)


def _offer_actions(run: "Run") -> None:
    if not run.is_own:
        st.caption("Its files are on another machine.", width="content")
        return
    if not run.state.is_over:
        st.button(
            "Stop",
            help="After the batch that is at work. What was learned up to the last finished epoch "
            "is kept, and it can be resumed.",
            on_click=_stop,
            args=(run,),
            disabled=run.is_stopping,
        )
        return
    if run.state.can_resume:
        st.button(
            "Resume",
            help="Goes on after the last finished epoch, as if it had never ended.",
            type="primary",
            on_click=_resume,
            args=(run,),
        )
    with st.popover("Delete", help="Remove the run and all that it left."):
        st.html(
            "<p>The run, its curves and what it learned are removed for good. A model that was "
            "made of it stays.</p>"
        )
        st.button("Delete this run", on_click=_delete, args=(run,))


def _show_progress(run: "Run") -> None:
    if run.progress is None:
        st.progress(0.0, "Starting")
        return
    for share, text in (describe_epochs(run.progress), describe_steps(run.progress)):
        st.progress(share, text)
    st.html(render_progress(run.progress))


def _show_end(run: "Run") -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(render_end(run), width="content")
        if run.model_id:
            st.page_link(
                "models/page.py",
                label="Its card",
                query_params={"model": run.model_id},
                width="content",
            )
    st.html(render_test_figures(get_figures(run)))


def _show_curves(run: "Run", curves: Curves) -> None:
    if curves.table.empty:
        if not run.state.is_over:
            st.caption("The curves begin with the first batches.")
        return
    last_epoch = int(curves.table["epoch"].max())
    st.html(render_fit(_judge(run.run_id, last_epoch, curves.table)))
    drawn = [chart for chart in CHARTS if chart.partition("/")[0] in curves.digests]
    for start in range(0, len(drawn), 2):  # in rows, so that two stay side by side
        for column, chart in zip(st.columns(2), drawn[start : start + 2], strict=False):
            with column:
                _show_chart(
                    run.run_id, chart, curves.digests[chart.partition("/")[0]], curves.table
                )
    if run.state.is_over:
        offer_table(curves.table, f"{run.name}-curves", "All curves as CSV")


def _show_recipe(run: "Run") -> None:
    recipe = run.spec.recipe
    preset = PRESETS.get(recipe.name, recipe)  # of another version of the program
    changes = describe_changes(read_chosen(recipe), preset)
    told = (
        f"Changed from the preset {recipe.name}: {changes}"
        if changes
        else (f"The recipe is the preset {recipe.name} as it is")
    )
    st.caption(f"{escape_markdown(told)}.")


# What a chart was drawn from is told by its digest: while that stays, the browser is sent the very
# same chart, which it does not draw again.
@st.cache_data(show_spinner=False, max_entries=_MOST_CHARTS)
def _show_chart(run_id: str, chart: str, digest: int, _curves: "pd.DataFrame") -> None:  # noqa: ARG001
    from dashboard.training.charts import draw_chart

    show_chart(draw_chart(_curves, chart), f"{run_id}-{chart}")


@st.cache_data(show_spinner=False, max_entries=_MOST_CHARTS)
def _judge(run_id: str, last_epoch: int, _curves: "pd.DataFrame") -> str:  # noqa: ARG001
    from melanoma_core.runs.comparison import judge_fit

    return judge_fit(_curves)


def _stop(run: "Run") -> None:
    from melanoma_core.runs.control import stop_run

    with store_errors(_ERROR):
        stop_run(load_settings(), run.run_id)
    forget_runs()


def _resume(run: "Run") -> None:
    from melanoma_core.runs.control import resume_run

    with store_errors(_ERROR):
        resume_run(load_settings(), run.run_id)
    forget_runs()


def _delete(run: "Run") -> None:
    from melanoma_core.runs.control import delete_run

    with store_errors(_ERROR):
        delete_run(load_settings(), run.run_id)
        st.query_params.pop(_FOLLOWED, None)
    forget_runs()

"""Every preset on one split: what each way of measuring says, once and for all."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import allow_scan, open_chosen_folder
from dashboard.shared.markup import escape_markdown, render_error
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.training.cached import forget_runs, get_runs, get_studies
from dashboard.training.markup import (
    STUDY_TEXT,
    describe_epochs,
    list_unfinished,
    name_state,
    render_conclusion,
    tell_time,
)
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.runs.run import Run
    from melanoma_core.runs.study import Study

_LAUNCH = "launch-study"
_FIGURES = ("accuracy", "balanced_accuracy", "sensitivity")


def do_study(folder: Path | None) -> None:
    """Launch the study that was asked for, once; the photographs are measured before."""
    if folder is None or not is_requested(_LAUNCH):
        return
    from melanoma_core.runs.study import launch_study

    cancel_request(_LAUNCH)
    with show_errors():
        opened = open_chosen_folder(folder)
        if opened is not None:
            with st.spinner("Putting the runs into the queue"):
                launch_study(load_settings(), opened)
            forget_runs()


def show_studies(folder: Path | None) -> None:
    """Offer a study of the chosen folder, and show those that there are.

    Raises:
        MelanomaError: The record or predictions of a run cannot be read.
    """
    st.html(STUDY_TEXT)
    st.button(
        "Train every preset on one split",
        help="Puts a run per preset into the queue, for the folder chosen in the sidebar. What "
        "has finished already stays; what was stopped goes on. On a computer without a GPU this "
        "takes hours.",
        type="primary",
        on_click=_ask,
        args=(folder,),
        disabled=folder is None,
    )
    studies = get_studies()
    if not studies:
        st.caption("No study was launched here yet.")
        return
    chosen = st.selectbox(
        "Study",
        range(len(studies)),
        format_func=lambda index: (
            f"{studies[index].data_name}, {tell_time(studies[index].created_at)}"
        ),
        help="One per folder and content.",
        key="study",
        width=400,
    )
    _show_study(studies[chosen])


def _ask(folder: Path) -> None:
    allow_scan(folder)
    request_work(_LAUNCH)


def _show_study(study: "Study") -> None:
    current = {run.run_id: run for run in get_runs()}
    with st.container(gap="xxsmall", key="study-runs"):
        for row in study.rows:
            _show_progress(current.get(row.run.run_id, row.run))
    for line in list_unfinished(study):
        st.html(render_error(line))
    if not any(row.figures for row in study.rows):
        st.caption("The figures appear here when the first recipe has finished.")
        return
    st.subheader("What it shows", anchor=False)
    st.html(render_conclusion(study))
    _show_figures(study)


def _show_progress(run: "Run") -> None:
    """Show where a run that works or waits stands; of one that is over, the table tells."""
    if run.progress is not None and not run.state.is_over:
        share, text = describe_epochs(run.progress)
        st.progress(share, f"{escape_markdown(run.spec.recipe.name)}: {text.lower()}")
    elif not run.state.is_over:
        st.caption(f"{escape_markdown(run.spec.recipe.name)}: {name_state(run)}")


def _show_figures(study: "Study") -> None:
    import pandas as pd

    from dashboard.training.charts import draw_looks
    from melanoma_core.runs.study import CAPTIONS, LOOKS, tabulate_study

    rows = {
        f"{row.recipe.name}{' (a warning)' if row.is_warning else ''}": [
            row.figures[look]["accuracy"] for look in LOOKS
        ]
        for row in study.rows
        if row.figures
    }
    looks = [look.title for look in LOOKS.values()]
    show_chart(draw_looks(rows, looks), f"{study.study_id}-accuracy")
    figure = st.radio(
        "Figure",
        _FIGURES,
        format_func=CAPTIONS.__getitem__,
        horizontal=True,
        key="study-figure",
        help="Melanomas put first: the share of melanomas for which melanoma has the largest "
        "probability.",
    )
    heads, *body = tabulate_study(study, figure)
    table = pd.DataFrame(body, columns=["Recipe", *heads[1:]])
    st.dataframe(table, hide_index=True, height="content")
    st.caption(
        "In brackets, 95% intervals resampled by lesion. * A warning, not a result: its new images "
        "were made before the validation was drawn, which therefore holds relatives of what it "
        "learned."
    )
    offer_table(_list_figures(study), f"study-{study.study_id}", "All figures as CSV")


def _list_figures(study: "Study") -> Any:
    """Return every figure of a study in a row of its own."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "recipe": row.recipe.name,
                "measured_on": look,
                "figure": name,
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "count": figure.count,
                "total": figure.total,
                "num_groups": figure.num_lesions,
            }
            for row in study.rows
            for look, figures in row.figures.items()
            for name, figure in figures.items()
        ]
    )

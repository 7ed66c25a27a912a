"""The Study tab: every preset trained on one split, evaluated with and without leakage."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, write_address
from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import allow_scan, open_chosen_folder
from dashboard.shared.html import show_html
from dashboard.shared.markup import escape_markdown, render_error
from dashboard.shared.progress import cancel_request, is_requested, request_work
from dashboard.training.cached_runs import get_runs, get_studies
from dashboard.training.launch import confirm_drawn
from dashboard.training.markup import (
    STUDY_DESCRIPTION,
    describe_epochs,
    list_unfinished,
    name_state,
    render_conclusion,
    render_study_plan,
)
from dashboard.training.times import format_time
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.runs.run import Run
    from melanoma_core.runs.study import Study

_LAUNCH, _RECIPES = "launch-study", "study-recipes"


def launch_requested_study(folder: Path | None) -> None:
    """Launch the study that was requested, once; scan the folder first."""
    if folder is None or not is_requested(_LAUNCH):
        return
    from melanoma_core.runs.study import launch_study

    with show_errors():  # where an action of the person interrupts it, the next run goes on
        opened = open_chosen_folder(folder)
        if opened is not None:
            with st.spinner("Adding the runs to the queue"):
                cancel_request(_LAUNCH)
                launch_study(load_settings(), opened, recipes=st.session_state[_RECIPES])
            get_runs.clear()
    cancel_request(_LAUNCH)  # after an error, too


def show_studies(folder: Path | None) -> None:
    """Offer a study of the chosen folder and show the existing studies.

    Raises:
        MelanomaError: The tracking store or the predictions of a run cannot be read.
    """
    show_html(STUDY_DESCRIPTION)
    _offer_launch(folder)
    runs = get_runs(load_settings())
    studies = get_studies(runs)
    if not studies:
        st.caption("There are no studies yet.")
        return
    known = {study.study_id: study for study in studies}
    follow_address("study", "study", studies[0].study_id, known)
    chosen = st.selectbox(
        "Study",
        list(known),
        format_func=lambda study_id: (
            f"{known[study_id].data_name}, "
            f"{format_time(known[study_id].created_at, st.context.timezone)}"
        ),
        help="A study belongs to a folder with its content at the launch.",
        key="study",
        width=400,
    )
    write_address("study", "study", studies[0].study_id)
    _show_study(known[chosen], {run.run_id: run for run in runs})


def _offer_launch(folder: Path | None) -> None:
    """Let a person choose the presets of a study, and ask before hours of training."""
    from melanoma_core.runs.study import STUDY_RECIPES

    with st.popover("Start a study", disabled=folder is None, width=400):
        chosen = st.multiselect(
            "Presets",
            STUDY_RECIPES,
            default=STUDY_RECIPES,
            key=_RECIPES,
            persist_state="session",
            help="One run per preset. Finished runs are kept and stopped ones resume.",
        )
        show_html(render_study_plan(chosen, folder.name if folder else ""))
        is_confirmed = confirm_drawn(folder, "study")
        st.button(
            "Train these presets",
            type="primary",
            on_click=_request,
            args=(folder,),
            disabled=not (chosen and is_confirmed),
        )


def _request(folder: Path) -> None:
    allow_scan(folder)
    request_work(_LAUNCH)


def _show_study(study: "Study", current: "dict[str, Run]") -> None:
    with st.container(gap="xxsmall", key="study-runs"):
        for row in study.rows:
            _show_progress(current.get(row.run.run_id, row.run))
    for line in list_unfinished(study):
        show_html(render_error(line))
    if not any(row.figures for row in study.rows):
        st.caption("Metrics appear when the first run finishes.")
        return
    st.header("Findings", anchor=False)
    show_html(render_conclusion(study))
    _show_accuracy(study)
    _show_table(study)


def _show_progress(run: "Run") -> None:
    """Show the progress of a run that is running or queued."""
    name = escape_markdown(run.spec.recipe.name)
    if run.state.is_over:
        return
    if run.progress is None:
        st.caption(f"{name}: {name_state(run)}")
    else:
        share, text = describe_epochs(run.progress)
        st.progress(share, f"{name}: {text.lower()}")


def _show_accuracy(study: "Study") -> None:
    from dashboard.training.charts import draw_accuracies
    from melanoma_core.runs.study import PROTOCOLS

    rows = {
        f"{row.recipe.name}{'*' if row.is_warning else ''}": [
            row.figures[look]["accuracy"] for look in PROTOCOLS
        ]
        for row in study.rows
        if row.figures
    }
    titles = [look.title for look in PROTOCOLS.values()]
    show_chart(draw_accuracies(rows, titles), f"{study.study_id}-accuracy")


def _show_table(study: "Study") -> None:
    import pandas as pd

    from melanoma_core.runs.study_table import CAPTIONS, name_figure, tabulate_study

    metric = st.radio(
        "Metric",
        list(CAPTIONS),
        format_func=lambda figure: name_figure(study, figure),
        horizontal=True,
        key="study-figure",
        help="Top-1 recall is the share of melanomas for which melanoma is the most probable "
        "diagnosis.",
    )
    heads, *body = tabulate_study(study, metric)
    table = pd.DataFrame(body, columns=["Recipe", *heads[1:]])
    st.dataframe(table, hide_index=True, height="content")
    st.caption(
        "In parentheses: 95% CI, resampled by lesion. * Leaks on purpose: it oversamples before "
        "the validation images are drawn, so they include altered copies of training images."
    )
    offer_table(_list_figures(study), f"study-{study.study_id}", "All metrics as CSV")


def _list_figures(study: "Study") -> "pd.DataFrame":
    """Return a row per metric of a study."""
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

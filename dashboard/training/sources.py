"""The Sources tab: the metrics on every collection that was left out of training."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, write_address
from dashboard.shared.downloads import offer_table
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_error
from dashboard.training.cached_runs import get_runs
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.runs.leave_out import Series
    from melanoma_core.runs.run import Run

_DESCRIPTION = (
    "<p>A network can learn the camera of a collection instead of the disease. So each collection "
    "is left out in turn, and a network that has never seen it is evaluated on it. To launch such "
    "a series, choose “each in turn” under Images in the sidebar.</p>"
)


def show_sources() -> None:
    """Show a series of runs, each of which left out another collection.

    Raises:
        MelanomaError: The tracking store cannot be read.
    """
    from melanoma_core.runs.leave_out import list_series, load_series

    show_html(_DESCRIPTION)
    runs = get_runs(load_settings())
    known = list_series(runs)
    if not known:
        st.caption("No collection has been left out in turn yet.")
        return
    follow_address("series", "series", known[0], known)
    chosen = st.selectbox(
        "Series",
        known,
        key="series",
        width=400,
        help="A series belongs to a folder with its content, a recipe and the choice of images.",
    )
    write_address("series", "series", known[0])
    _show_series(load_series(load_settings(), chosen), runs)


def _show_series(series: "Series", runs: "list[Run]") -> None:
    import pandas as pd

    from melanoma_core.runs.leave_out_table import NOTE, list_missing, tabulate_series

    num_over = sum(run.state.is_over for run in runs if run.spec.series == series.series_id)
    if not series.is_over:
        st.caption(f"{num_over} of {len(series.rows)} runs are over.")
    heads, *body = tabulate_series(series)
    table = pd.DataFrame(body, columns=heads)
    st.dataframe(table, hide_index=True, height="content")
    st.caption(NOTE)
    offer_table(table, f"left-out-{series.series_id}", "Table as CSV")
    for line in list_missing(series) if series.is_over else ():
        show_html(render_error(line))

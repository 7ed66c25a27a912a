"""The Audit page: how well the doctor, the network and both together do here."""

from enum import StrEnum

import streamlit as st

from dashboard.performance.cached import get_performance
from dashboard.performance.choice import make_choice
from dashboard.performance.data import load_data
from dashboard.performance.feedback import offer_dataset
from dashboard.performance.log import show_log
from dashboard.performance.summary import offer_export, show_summary
from dashboard.performance.views import (
    show_curves,
    show_drift,
    show_figures,
    show_flow,
    show_groups,
    show_missed,
)
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.record import log_seen, need_record

_VIEW, _VIEW_KEY = "view", "audit-view"  # in the address, and of the widget


class _View(StrEnum):
    """The views; the values are labels and stand in the address."""

    FIGURES = "Figures"
    GROUPS = "Groups"
    CURVES = "Curves"
    MISSED = "Missed melanomas"
    DRIFT = "Drift"
    FLOW = "Flow and bias"
    LOG = "Audit log"


def _choose_view() -> str:
    views = [view.value for view in _View]
    follow_address(_VIEW, _VIEW_KEY, views[0], views)
    view = st.segmented_control(
        "View", views, key=_VIEW_KEY, required=True, label_visibility="collapsed"
    )
    write_address(_VIEW, _VIEW_KEY, views[0])
    return view or views[0]


show_page_header("Audit")
record = need_record()
view = _choose_view()
kept = None
with show_errors():
    if view == _View.LOG:
        show_log(record)
    else:
        with st.container():  # in every run: else the rest of the page moves, and folds up
            kept = load_data(record)
    if kept is not None:
        choice = make_choice(kept)
        log_seen(record, None, detail=f"audit: {choice.words}")
        show_summary(kept, choice)
        offer_export(record, kept, choice)
        offer_dataset(record)
        match view:
            case _View.GROUPS:
                show_groups(kept, choice)
            case _View.CURVES:
                show_curves(kept, choice)
            case _View.MISSED:
                show_missed(kept, choice)
            case _View.DRIFT:
                show_drift(kept, choice)
            case _View.FLOW:
                show_flow(get_performance(kept, choice), kept, choice)
            case _:
                show_figures(kept, choice)

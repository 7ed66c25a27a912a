"""The Lesion page: one lesion of the record, reached by links (`lesion?lesion=ID&view=…`)."""

import streamlit as st

from dashboard.lesion.compare import show_compare
from dashboard.lesion.head import show_head
from dashboard.lesion.lookalikes import show_lookalikes
from dashboard.lesion.opening import find_lesion
from dashboard.lesion.report import show_report
from dashboard.lesion.visit import show_visit
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.markup import render_error
from dashboard.shared.record import need_record

_VIEWS = {
    "timeline": "Timeline",
    "compare": "Compare",
    "lookalikes": "Look-alikes",
    "report": "Report",
}
_VIEW, _VIEW_KEY = "view", "lesion-view"  # in the address, and of the widget
_OTHER_NAMES = {"look-alikes": "lookalikes", "visit": "timeline"}

show_page_header("Lesion")
opened = None
record = need_record()
with show_errors():
    opened = find_lesion(record)
if opened is not None:
    show_head(opened)
    asked = st.query_params.get(_VIEW)
    if asked in _OTHER_NAMES:
        st.query_params[_VIEW] = _OTHER_NAMES[asked]
    elif asked is not None and asked not in _VIEWS:
        st.html(
            render_error(
                f"The address names no view of a lesion. It has: {', '.join(_VIEWS.values())}."
            )
        )
    follow_address(_VIEW, _VIEW_KEY, "timeline", _VIEWS)
    view = st.segmented_control(
        "View",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        key=_VIEW_KEY,
        required=True,
        label_visibility="collapsed",
    )
    write_address(_VIEW, _VIEW_KEY, "timeline")
    with show_errors():
        match view:
            case "compare":
                show_compare(opened)
            case "lookalikes":
                show_lookalikes(opened)
            case "report":
                show_report(opened)
            case _:
                show_visit(opened)

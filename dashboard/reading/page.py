"""The Reading page: upload photographs, read them with the model, explain the readings."""

import streamlit as st

from dashboard.reading.cached import get_worklist
from dashboard.reading.intake import accept_photographs, read_pending, show_introduction
from dashboard.reading.lesion import show_lesion
from dashboard.reading.model import show_model
from dashboard.reading.photograph import show_photograph
from dashboard.reading.prevalence import show_prevalence
from dashboard.reading.refused import show_refused
from dashboard.reading.removing import show_loss, show_undo
from dashboard.reading.steps import show_navigation
from dashboard.reading.worklist import show_worklist
from dashboard.shared.errors import show_errors
from dashboard.shared.handover import take_over
from dashboard.shared.head import show_page_header
from dashboard.shared.prevalence import show_address_error
from dashboard.shared.reading_model import get_card

show_page_header("Reading")
worklist = get_worklist()
if photographs := take_over():
    worklist.add(photographs)
worklist.look_at_opened()
accept_photographs(worklist)
progress = st.container()
show_loss(worklist)
show_undo(worklist)
show_refused(worklist)
opened = worklist.opened_lesion
rows = st.sidebar.container()  # filled after what is open, which a person waits for
show_prevalence(
    opened.entries[0].card if opened else None,
    by_lesion=worklist.opened is None and opened is not None and opened.reading.is_combined,
)
show_address_error()
if opened is not None:
    show_navigation(worklist, opened)
    if worklist.opened is None:
        show_lesion(worklist, opened)
    else:
        show_photograph(worklist.opened)
with rows:
    show_worklist(worklist)
with progress, show_errors():  # last, so that the readings so far are on the page meanwhile
    read_pending(worklist)
if opened is None and worklist.pending_name is None:
    show_introduction()
    with show_errors():
        show_model(get_card())

"""The landing page: photographs in, explained readings out."""

from dashboard.errors import shown_errors
from dashboard.frame import open_page
from dashboard.intake import offer_first_steps, read_pending, take_photographs
from dashboard.opened import show_model, show_opened
from dashboard.resources import get_card, get_worklist
from dashboard.worklist import show_refused, show_steps, show_worklist

open_page("Reading")
worklist = get_worklist()
take_photographs(worklist)
with shown_errors():
    read_pending(worklist)
show_refused(worklist)
show_worklist(worklist)
if worklist.opened is not None:
    show_steps(worklist)
    show_opened(worklist.opened)
elif worklist.pending_name is None:
    offer_first_steps()
    with shown_errors():
        show_model(get_card())

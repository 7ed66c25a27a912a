"""The landing page: photographs in, explained readings out."""

from dashboard.reading.intake import offer_first_steps, read_pending, take_photographs
from dashboard.reading.photograph import show_model, show_opened
from dashboard.reading.worklist import show_refused, show_steps, show_worklist
from dashboard.shared.errors import shown_errors
from dashboard.shared.head import open_page
from dashboard.shared.resources import get_card, get_worklist

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

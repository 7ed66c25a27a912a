"""The landing page: photographs in, explained readings out."""

from dashboard.reading.cached import get_card, get_worklist
from dashboard.reading.intake import offer_first_steps, read_pending, take_photographs
from dashboard.reading.photograph import show_model, show_opened
from dashboard.reading.worklist import show_refused, show_steps, show_worklist
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header

show_page_header("Reading")
worklist = get_worklist()
take_photographs(worklist)
with show_errors():
    read_pending(worklist)
show_refused(worklist)
show_worklist(worklist)
if worklist.opened is not None:
    show_steps(worklist)
    show_opened(worklist.opened)
elif worklist.pending_name is None:
    offer_first_steps()
    with show_errors():
        show_model(get_card())

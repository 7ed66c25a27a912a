"""Which form belongs to which step, and to which kind of entry."""

from collections.abc import Callable, Mapping

from dashboard.lesion.adding import show_photographs_form, show_visit_form
from dashboard.lesion.aftercare import show_follow_up, show_re_excision, show_referral_answer
from dashboard.lesion.decision import show_decision_form
from dashboard.lesion.first_read import show_first_read_form
from dashboard.lesion.form import Form
from dashboard.lesion.histology import show_histology_form
from dashboard.lesion.recall import show_recall_form
from dashboard.lesion.results import show_acknowledgement, show_information_form
from dashboard.lesion.specimen import show_specimen_form

FORMS: Mapping[str, Callable[[Form, str], None]] = {
    "photographs": lambda form, _: show_photographs_form(form),
    "first read": lambda form, _: show_first_read_form(form),
    "decision": lambda form, _: show_decision_form(form),
    "specimen": lambda form, _: show_specimen_form(form),
    "histology": lambda form, _: show_histology_form(form),
    "acknowledge": show_acknowledgement,
    "inform the patient": show_information_form,
    "re-excision": show_re_excision,
    "follow-up": show_follow_up,
    "answer of the referral": show_referral_answer,
    "recall": lambda form, _: show_recall_form(form),
}
"""The form of each step, by its name; called with the form and the id of the entry that waits."""

EDITORS: Mapping[str, Callable[[Form], None]] = {
    "Visit": show_visit_form,
    "Photograph": show_photographs_form,
    "FirstRead": show_first_read_form,
    "Decision": show_decision_form,
    "Specimen": show_specimen_form,
    "Histology": show_histology_form,
    "Information": lambda form: show_information_form(form, ""),
    "Recall": show_recall_form,
}
"""The form that corrects each kind of entry, by its name. What the network said is kept as it was;
an acknowledgement says nothing that could be corrected."""

"""What a malignant report waits for once the patient was informed: clear margins, and follow-up.

A melanoma of any thickness is excised with histologically clear margins, after a biopsy too:
Swetter et al. (2019), J Am Acad Dermatol 80:208, doi:10.1016/j.jaad.2018.08.055. The intervals of
its follow-up are those of the National Comprehensive Cancer Network, as compared with others in
https://pmc.ncbi.nlm.nih.gov/articles/PMC9798450/ (table 17).

After a carcinoma the whole skin is looked at each year: the guidelines of the American Academy of
Dermatology for basal cell carcinoma (2018), doi:10.1016/j.jaad.2017.10.006, and for squamous cell
carcinoma (2018), doi:10.1016/j.jaad.2017.10.007. Of low-risk ones not all are excised. To ask for
clear margins of every carcinoma is a choice of this software; a decision settles it.
"""

from datetime import date

from melanoma_core.records.case import LesionCase
from melanoma_core.records.diagnoses import interpret
from melanoma_core.records.entry import Entry
from melanoma_core.records.ground_truth import add_months
from melanoma_core.records.loop import Decision, Histology, Specimen
from melanoma_core.records.staging import PrimaryTumour
from melanoma_core.records.vocabulary import Management, Margins, RecallStatus

ROUTINE_REFERRAL_DAYS = 28
"""Days after which the answer to a referral is due; that to an urgent one is due at once. A choice
of this software."""

_FROM_STAGE_IIB = {PrimaryTumour.PT3, PrimaryTumour.PT3B, PrimaryTumour.PT4}
_FROM_STAGE_IIB |= {PrimaryTumour.PT4A, PrimaryTumour.PT4B}
_SETTLES_FOLLOW_UP = {Management.REASSURE, Management.REFER, Management.REFER_URGENTLY}
_REFERRALS = {Management.REFER, Management.REFER_URGENTLY}


def needs_clear_margins(histology: Histology, specimen: Specimen | None) -> bool:
    """Return whether tissue of a tumour may be left, so that a re-excision is to be decided.

    That is so of a malignant tumour whose margins are not stated to be clear, of a melanoma of
    which only a biopsy was taken, and of a tumour that may be malignant with involved margins.

    Args:
        histology: The report.
        specimen: What it reports on; None if that is not known.
    """
    meaning = interpret(histology.diagnosis)
    if "metastasis" in histology.diagnosis.casefold():
        return False
    if meaning.tier is None:
        return histology.margins is Margins.INVOLVED
    if not meaning.is_skin_cancer:
        return False
    is_biopsy = specimen is not None and specimen.method is not Management.EXCISION
    return histology.margins is not Margins.CLEAR or (bool(meaning.is_melanoma) and is_biopsy)


def awaits_clear_margins(case: LesionCase, report: Entry[Histology]) -> bool:
    """Return whether the margins of a report wait to be settled.

    They are settled by tissue that was taken on a later day, by a decision that was written after
    the report, or by a correction of the report.
    """
    specimen = find_specimen(case, report)
    if not needs_clear_margins(report.value, specimen.value if specimen else None):
        return False
    taken_on = specimen.value.taken_on if specimen else report.value.reported_on
    is_taken_later = any(each.value.taken_on > taken_on for each in case.specimens)
    return not is_taken_later and not _list_since(case, report)


def awaits_follow_up(case: LesionCase, report: Entry[Histology]) -> bool:
    """Return whether the follow-up of a report waits to be planned.

    It is planned by an open recall of the lesion or of the whole skin, by any recall that was
    written after the report, and by a decision after it to refer or that none is needed.
    """
    if not interpret(report.value.diagnosis).is_skin_cancer or report != _find_last(case):
        return False
    recalls = (*case.recalls, *case.skin_recalls)
    is_planned = any(
        each.value.status is RecallStatus.OPEN or each.at >= report.at for each in recalls
    )
    decided = {each.value.management for each in _list_since(case, report)}
    return not is_planned and not decided & _SETTLES_FOLLOW_UP


def propose_follow_up_months(histology: Histology) -> int:
    """Return in how many months a patient should be seen again: the shortest that is advised.

    >>> report = Histology(lesion_id="l", specimen_id="s", reported_on=date(2026, 3, 2),
    ...     diagnosis="Malignant:Malignant melanocytic proliferations (Melanoma)", pt="pT2a")
    >>> propose_follow_up_months(report)
    6
    """
    if histology.pt in _FROM_STAGE_IIB:
        return 3
    words = histology.diagnosis.casefold()
    is_in_situ = histology.in_situ or "in situ" in words or histology.pt == PrimaryTumour.PTIS
    if "metastasis" in words:
        return 3
    return 6 if interpret(histology.diagnosis).is_melanoma and not is_in_situ else 12


def propose_follow_up(histology: Histology, today: date) -> date:
    """Return the day on which a patient should be seen again; see `propose_follow_up_months`."""
    return add_months(today, propose_follow_up_months(histology))


def explain_margins(histology: Histology) -> str:
    """Return what guidelines ask of the margins, in words."""
    found = f"the report says {histology.margins}" if histology.margins else "they are not stated"
    if interpret(histology.diagnosis).is_melanoma:
        return (
            f"Margins: {found}. Guideline (AAD 2019): excision with histologically clear margins "
            "at any thickness; measured on the skin 0.5 to 1 cm in situ, 1 cm up to 1 mm Breslow, "
            "1 to 2 cm up to 2 mm, 2 cm above."
        )
    return (
        f"Margins: {found}. Whether tissue of the tumour is left is to be decided: excise again, "
        "treat otherwise, or watch."
    )


def explain_follow_up(histology: Histology) -> str:
    """Return which follow-up guidelines advise, in words."""
    if interpret(histology.diagnosis).is_melanoma:
        return (
            "Guideline (NCCN): yearly in situ, every 6 to 12 months in stages IA to IIA, every 3 "
            "to 6 months from stage IIB in the first two years."
        )
    return "Guideline (AAD 2018): the whole skin at least once a year after a carcinoma."


def find_open_referral(case: LesionCase) -> Entry[Decision] | None:
    """Return the last decision, if it refers and was not answered; None otherwise.

    It is answered by a later decision, and by tissue that was recorded after it.
    """
    last = case.decisions[-1] if case.decisions else None
    if last is None or last.value.management not in _REFERRALS:
        return None
    day = date_decision(case, last)
    is_answered = any(each.at > last.at and each.value.taken_on >= day for each in case.specimens)
    return None if is_answered else last


def date_decision(case: LesionCase, decision: Entry[Decision]) -> date:
    """Return the day of a decision: that of its visit, or its own if it followed a report."""
    if any(report.at < decision.at for report in case.histologies):
        return decision.at.date()
    days = {visit.id: visit.value.on for visit in case.visits}
    return days.get(decision.value.visit_id, decision.at.date())


def find_specimen(case: LesionCase, report: Entry[Histology]) -> Entry[Specimen] | None:
    """Return what a report is about; None if it is not known."""
    return next((each for each in case.specimens if each.id == report.value.specimen_id), None)


def _list_since(case: LesionCase, report: Entry[Histology]) -> list[Entry[Decision]]:
    """Return the decisions that were written after a report."""
    return [each for each in case.decisions if each.at > report.at]


def _find_last(case: LesionCase) -> Entry[Histology] | None:
    """Return the last malignant report."""
    malignant = [
        each for each in case.histologies if interpret(each.value.diagnosis).is_skin_cancer
    ]
    return malignant[-1] if malignant else None

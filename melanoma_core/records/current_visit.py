"""Which visit of a lesion is the current one, and which of its photographs are not read yet."""

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.vocabulary import ImageKind


def find_current_visit(case: LesionCase) -> Entry[Visit] | None:
    """Return the last visit at which the lesion was photographed, read or decided; None if none.

    Photographs of the site of a specimen, and visits for other lesions, do not count.
    """
    used = {each.value.visit_id for each in _list_of_lesion(case)}
    used |= {each.value.visit_id for each in case.first_reads}
    used |= {each.value.visit_id for each in case.ai_readings}
    used |= {each.value.visit_id for each in case.decisions}
    visits = [visit for visit in case.visits if visit.id in used]
    return visits[-1] if visits else None


def awaits_first_read(case: LesionCase) -> bool:
    """Return whether the photographs of the current visit were neither read nor decided.

    Where the doctor reads first, no AI reading is shown until then, nor what follows from one.
    """
    visit = find_current_visit(case)
    if visit is None:
        return False
    done = {each.value.visit_id for each in case.first_reads}
    done |= {each.value.visit_id for each in case.decisions}
    if visit.id in done:
        return False
    return any(each.value.visit_id == visit.id for each in _list_of_lesion(case))


def find_unread_photographs(case: LesionCase, visit: Entry[Visit]) -> tuple[Entry[Photograph], ...]:
    """Return the dermoscopic photographs of a visit that its AI readings did not see.

    Where the visit has no AI reading, there are none: whether it waits to be read does not depend
    on single photographs then.
    """
    readings = [each.value for each in case.ai_readings if each.value.visit_id == visit.id]
    if not readings:
        return ()
    seen = {photograph.photograph_id for each in readings for photograph in each.photographs}
    return tuple(
        photograph
        for photograph in _list_of_lesion(case)
        if photograph.value.visit_id == visit.id
        and photograph.value.kind is ImageKind.DERMOSCOPIC
        and photograph.id not in seen
    )


def _list_of_lesion(case: LesionCase) -> tuple[Entry[Photograph], ...]:
    """Return the photographs that show the lesion itself."""
    return tuple(each for each in case.photographs if not each.value.shows_specimen_site)

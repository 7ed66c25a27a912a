"""The photographs of a lesion whose diagnosis is confirmed."""

from collections.abc import Container, Iterator

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.ground_truth import AuditRules, GroundTruth, find_ground_truth
from melanoma_core.taxonomy import Confirmation

HISTOLOGY_ALONE = frozenset({Confirmation.HISTOPATHOLOGY})


def list_confirmed(
    case: LesionCase, ways: Container[Confirmation] = HISTOLOGY_ALONE
) -> Iterator[tuple[Entry[Photograph], GroundTruth]]:
    """Yield the photographs of a lesion whose diagnosis is confirmed, with what is known.

    Each was taken on the day of the specimen or up to a year before (`ground_truth.AuditRules`).
    Later ones show the scar. Those of the site of a specimen show a mark, and are left out.

    Args:
        case: The lesion.
        ways: How a diagnosis may be confirmed.
    """
    days = {entry.id: entry.value.on for entry in case.visits}
    for entry in case.photographs:
        on = entry.value.taken_on or days.get(entry.value.visit_id)
        if on is None or entry.value.shows_specimen_site:
            continue
        truth = find_ground_truth(case, on, AuditRules())
        if truth.label is not None and truth.confirmation in ways:
            yield entry, truth

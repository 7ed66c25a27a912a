"""All reporting guides, as tables of a model card.

Items are named by their number and a short subject in words of this project, since the wording is
that of the guides. docs/explanation/reporting-guides.md says with what the numbers were compared.
"""

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.checklists.claim import CLAIM
from melanoma_core.models.card_text.checklists.clear_derm import CLEAR_DERM
from melanoma_core.models.card_text.checklists.item import Guide, Known
from melanoma_core.models.card_text.checklists.stard_ai import STARD_AI
from melanoma_core.models.card_text.checklists.tripod_ai import TRIPOD_AI
from melanoma_core.models.card_text.section import Section, Table, Title
from melanoma_core.models.evidence import Evidence

GUIDES = (STARD_AI, TRIPOD_AI, CLAIM, CLEAR_DERM)


def build_checklists(card: ModelCard, evidence: Evidence | None) -> Section:
    """Return the section with one table per guide."""
    known = Known(card, evidence)
    references = tuple(f"{guide.name}: {guide.reference}." for guide in GUIDES)
    note = (
        "Each item has its number in the guide and a short subject in words of this project. Read "
        "the guide for what it asks. The numbers were compared with copies of the published "
        "tables: several of STARD-AI and TRIPOD+AI, one of CLAIM, none of CLEAR Derm, whose items "
        'have no number here. What neither card nor evidence knows is "not provided".'
    )
    return Section(
        Title.CHECKLISTS,
        (note, *references),
        tuple(_tabulate(guide, known) for guide in GUIDES),
    )


def _tabulate(guide: Guide, known: Known) -> Table:
    has_numbers = any(item.number for item in guide.items)
    rows = tuple(
        (*((item.number,) if has_numbers else ()), item.subject, item.resolve(known))
        for item in guide.items
    )
    head = ("Item", "Subject", "Answer") if has_numbers else ("Subject", "Answer")
    return Table(guide.name, head, rows)

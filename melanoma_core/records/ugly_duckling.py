"""How unlike the patient's other lesions each is, as a hint on the page of a patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from melanoma_core.lookalikes.duckling import FEWEST_LESIONS, NOTE, Duckling, order_ducklings
from melanoma_core.models.classifier import Classifier
from melanoma_core.records.lesion_summary import LesionSummary, order_labels
from melanoma_core.records.own_index import load_embeddings
from melanoma_core.records.store import Record


@dataclass(frozen=True)
class Hint:
    """The lesions of a patient in order, and what the order means.

    Attributes:
        ducklings: By lesion, those that were compared.
        order: Ids of all lesions: the compared ones first, the most unlike of them before others.
        note: What the order is, or why there is none.
        left_out: Which lesions were not compared, and why.
    """

    ducklings: Mapping[str, Duckling] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    note: str = ""
    left_out: tuple[str, ...] = ()

    def place(self, lesion_id: str) -> int:
        """Return the place of a lesion in the order."""
        return self.order.index(lesion_id) if lesion_id in self.order else len(self.order)

    def describe(self, lesion_id: str) -> str:
        """Return what is said of a lesion; "" if it was not compared."""
        duckling = self.ducklings.get(lesion_id)
        if duckling is None or duckling.rank is None:
            return ""
        return (
            f"Place {duckling.rank} of {len(self.ducklings)} by unlikeness; median distance to "
            f"the others {duckling.distance:.2f} (0 to 2)"
        )


def find_hint(record: Record, classifier: Classifier, summaries: Sequence[LesionSummary]) -> Hint:
    """Compare the lesions of a patient by what the network sees in their newest photographs.

    Lesions whose AI reading is not shown yet are left out, since the doctor reads them first.

    Args:
        record: The record.
        classifier: The model that reads now.
        summaries: All lesions of one patient.
    """
    shown = [each.lesion.id for each in summaries if not each.hides_ai]
    embeddings = load_embeddings(record, classifier, shown) if shown else {}
    labels = {each.lesion.id: each.lesion.value.label for each in summaries}
    ordered = order_ducklings(embeddings)
    rest = sorted(labels.keys() - embeddings.keys(), key=lambda each: order_labels(labels[each]))
    return Hint(
        ducklings={each.lesion: each for each in ordered},
        order=(*(each.lesion for each in ordered), *rest),
        note=_describe(len(embeddings)),
        left_out=_explain(summaries, set(embeddings)),
    )


def _describe(number: int) -> str:
    if number >= FEWEST_LESIONS:
        return NOTE
    return (
        f"At least {FEWEST_LESIONS} lesions with dermoscopic photographs are needed to say which "
        f"is unlike the others. Here {'is' if number == 1 else 'are'} {number}, so that there is "
        "no order."
    )


def _explain(summaries: Sequence[LesionSummary], compared: set[str]) -> tuple[str, ...]:
    hidden = [each for each in summaries if each.hides_ai]
    without = [each for each in summaries if not each.hides_ai and each.lesion.id not in compared]
    reasons = {
        "Not compared before their first read: lesion": hidden,
        "No dermoscopic photograph that can be read: lesion": without,
    }
    return tuple(
        f"{reason} {', '.join(each.lesion.value.label for each in some)}."
        for reason, some in reasons.items()
        if some
    )

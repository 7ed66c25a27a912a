"""The items of a reporting guide, declared as number, subject and answer."""

from collections.abc import Callable
from dataclasses import dataclass

from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.flow import ReadingFlow
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.wording import is_withheld
from melanoma_core.models.evidence import Evidence


@dataclass(frozen=True)
class Known:
    """What is known of a model. Results are missing where they are withheld because of leakage.

    Attributes:
        card: The card.
        evidence: The evidence pack; None if there is none.
    """

    card: ModelCard
    evidence: Evidence | None

    @property
    def has_metrics(self) -> bool:
        """Whether the card shows metrics of its test subset."""
        return TEST in self.card.metrics and not is_withheld(self.card)

    @property
    def evaluation(self) -> Evaluation | None:
        """The evaluation of the test subset."""
        if self.evidence is None or not self.has_metrics:
            return None
        return self.evidence.evaluations.get(TEST)

    @property
    def flow(self) -> ReadingFlow | None:
        """What a reading makes of the test photographs."""
        return self.evidence.flow if self.evidence and self.has_metrics else None


Answer = str | Callable[[Known], str]


@dataclass(frozen=True)
class Item:
    """An item of a guide.

    Attributes:
        number: As in the guide; empty where the guide's numbers were not verified.
        subject: What it asks for, in words of this project.
        answer: The answer, or a function that finds it in card and evidence.
    """

    number: str
    subject: str
    answer: Answer

    def resolve(self, known: Known) -> str:
        """Return the answer for a model; never empty."""
        return self.answer if isinstance(self.answer, str) else self.answer(known)


@dataclass(frozen=True)
class Guide:
    """A reporting guide.

    Attributes:
        name: With its year.
        reference: Authors and DOI.
        items: In the order of the guide.
    """

    name: str
    reference: str
    items: tuple[Item, ...]


def see(title: Title, is_there: bool = True) -> str:
    """Return a reference to a section of the card.

    >>> see(Title.DATA), see(Title.DATA, False)
    ('section "Data"', 'not provided')
    """
    return f'section "{title}"' if is_there else NOT_PROVIDED

"""How well a model draws the outline of a lesion, in a sentence and in a table."""

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.card import ModelCard, OutlineFacts
from melanoma_core.models.card_text.formats import (
    NOT_PROVIDED,
    format_percent,
    format_size,
    format_value,
)
from melanoma_core.models.card_text.section import Section, Table, Title
from melanoma_core.models.card_text.wording import describe_leakage, is_withheld, name_subset
from melanoma_core.models.evidence import Evidence

_FIGURES = {
    "dice": "Dice coefficient",
    "jaccard": "Jaccard index",
    "failed": "Share with a Jaccard index below 0.65",
}


def build_outline(card: ModelCard, evidence: Evidence | None) -> Section:
    """Return the section of a card about the outlines that the model draws."""
    if card.outline is None:
        return Section(Title.OUTLINE, ("This model draws no outline.",))
    figures = (evidence.outlines if evidence else None) or {
        subset: {"dice": figure} for subset, figure in card.outline.dice.items()
    }
    rows = tuple(
        (
            name_subset(subset),
            *(_format(name, each.get(name)) for name in _FIGURES),
            format_size(each.get("dice")),
        )
        for subset, each in figures.items()
    )
    head = ("Photographs with an outline", *_FIGURES.values(), "Photographs")
    table = Table("Agreement with manually drawn outlines (95% CI)", head, rows)
    sentences = (card.outline.description, _describe_outline(card))
    return Section(Title.OUTLINE, sentences, (table,) if rows else ())


def _describe_outline(card: ModelCard) -> str:
    """Return how well the outlines of a model agree with manually drawn ones."""
    facts = card.outline
    if facts is None:
        return "This model draws no outline."
    if is_withheld(card):
        return describe_leakage(card)
    figure = facts.dice.get(TEST)
    if figure is None:
        return "How well it agrees with manually drawn outlines was not measured."
    return (
        f"On {figure.total:,} test photographs of {figure.num_lesions:,} lesions, none of them in "
        f"training, the Dice coefficient with manually drawn outlines is {_format_dice(figure)} on "
        f"average (1 is perfect). {_describe_cut(facts)}"
    )


def _describe_cut(facts: OutlineFacts) -> str:
    return (
        f"A place is inside from a probability of {format_percent(facts.threshold)}, chosen on "
        f"the {facts.fitted_on} subset."
    )


def _format_dice(figure: Figure) -> str:
    return format_value(figure.value, figure.low, figure.high)


def _format(name: str, figure: Figure | None) -> str:
    if figure is None:
        return NOT_PROVIDED
    if name == "failed":
        return f"{format_percent(figure.value)} ({100 * figure.low:.1f}–{100 * figure.high:.1f})"
    return _format_dice(figure)

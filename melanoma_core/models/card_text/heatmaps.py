"""How far a model's heatmaps can be trusted: its card's tests in sentences and in a table."""

import math
from typing import Any

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import EVERY_CLASS, ExplanationFigures, ModelCard
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.taxonomy import parse_diagnosis

NOT_TESTED = "These maps were not tested."
_HARDLY = 0.1  # more of a map's strength inside the lesion than a blob's: too little to rest on
_ALIKE = 0.5  # rank correlation of two maps, above which a person sees one map
_TITLES = {
    "energy_inside": "Share of the map's strength inside the lesion",
    "lesion_share": "Share of the picture that the lesion takes",
    "energy_centred": "Share of a centred blob's strength inside the lesion",
    "energy_above_centred": "Map's share less the blob's",
    "pointing_game": "Strongest place inside the lesion (pointing game)",
    "pointing_centred": "Centre of the picture inside the lesion",
    "flat_maps": "Maps without any evidence",
    "deletion": "Mean probability of melanoma, what the map marks hidden first (deletion)",
    "deletion_random": "The same, hidden in random order",
    "deletion_gain": "Random less map (above 0: the map is better)",
    "insertion": "Mean probability of melanoma, what the map marks shown first (insertion)",
    "insertion_random": "The same, shown in random order",
    "insertion_gain": "Map less random (above 0: the map is better)",
    "similarity_head": "Rank correlation with the map of a random last layer",
    "similarity_half": "Rank correlation with the map of a random upper half",
    "similarity_network": "Rank correlation with the map of random weights",
}


def describe_maps(card: ModelCard, method: str) -> str:
    """Say in one line how far the maps of a method can be trusted, from what was measured.

    Args:
        card: Of the model.
        method: One of `reading.methods`.
    """
    figures = (card.explanation or {}).get(method, {}).get(EVERY_CLASS, {})
    inside = figures.get("energy_inside")
    if inside is None or math.isnan(inside.value):
        return NOT_TESTED
    parts = [
        _tell_energy(figures, inside),
        _tell_order(figures),
        _tell_weights(figures),
        _tell_best(card.explanation or {}),
    ]
    return f"{'; '.join(part for part in parts if part)}."


def tabulate_maps(card: ModelCard) -> list[dict[str, Any]]:
    """Return every figure of the tests of a card's heatmaps; a method's first, then by diagnosis.

    NaN where undefined; no row where they were not tested.
    """
    return [
        {
            "Method": method,
            "Photographs of": _name_group(group),
            "Figure": _TITLES.get(name, name),
            "Value": figure.value,
            "95% from": figure.low,
            "95% to": figure.high,
            "Photographs": figure.total,
            "Lesions": figure.num_lesions,
        }
        for method, groups in (card.explanation or {}).items()
        for group, figures in groups.items()
        for name, figure in figures.items()
    ]


def _tell_energy(figures: dict[str, Figure], inside: Figure) -> str:
    share, blob = figures["lesion_share"], figures["energy_centred"]
    above = figures["energy_above_centred"]
    told = (
        f"How far its maps can be trusted: on {inside.total:,} test photographs of "
        f"{inside.num_lesions:,} lesions with an outline, "
        f"{format_percent(inside.value)} of a map's strength lay inside the lesion, "
        f"which takes {format_percent(share.value)} of the picture"
    )
    reached = f"a blob at the centre of every picture reaches {format_percent(blob.value)}"
    if not above.low > 0:
        return f"{told}, but {reached}, so that the place says nothing of its own"
    if above.value < _HARDLY:
        return f"{told}, but {reached}, nearly as much"
    return f"{told} ({reached})"


def _tell_order(figures: dict[str, Figure]) -> str:
    """Say whether the answer follows the map, when what it marks is hidden or shown first."""
    deletion, insertion = figures.get("deletion_gain"), figures.get("insertion_gain")
    if deletion is None or insertion is None or math.isnan(deletion.value):
        return ""
    passed = (deletion.low > 0) + (insertion.low > 0)
    verdict = {
        2: "more than hiding or showing places at random",
        1: "more than places at random in one of the two tests only",
        0: "no more than places at random: do not take it for the reason",
    }[passed]
    return f"hiding or showing first what it marks changed the probability of melanoma {verdict}"


def _tell_weights(figures: dict[str, Figure]) -> str:
    similarity = figures.get("similarity_network")
    if similarity is None or math.isnan(similarity.value):
        return ""
    if similarity.value < _ALIKE and not similarity.high >= _ALIKE:
        return "and the map changes when the network's weights are random, as it should"
    return (
        "and the map hardly changes when the network's weights are random: it shows the photograph "
        "more than what was learned"
    )


def _tell_best(explanation: dict[str, ExplanationFigures]) -> str:
    """Say which method's maps lie best on the lesions, where several were tested."""
    shares = {
        method: groups.get(EVERY_CLASS, {}).get("energy_inside")
        for method, groups in explanation.items()
    }
    tested = {name: each.value for name, each in shares.items() if each and each.value >= 0}
    if len(tested) < 2:
        return ""
    best = max(tested, key=lambda method: tested[method])
    return (
        f"of the {len(tested)} methods tested, {best} had the largest share inside the lesion "
        f"({format_percent(tested[best])})"
    )


def _name_group(group: str) -> str:
    diagnosis = parse_diagnosis(group)
    return diagnosis.title if diagnosis else "every diagnosis"

"""Results of the faithfulness tests of a model's heatmaps, in sentences and as a table."""

import math
from typing import Any

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import EVERY_CLASS, ExplanationFigures, ModelCard
from melanoma_core.models.card_text.formats import NOT_PROVIDED, format_percent, format_value
from melanoma_core.models.card_text.section import Section, Table, Title
from melanoma_core.models.card_text.wording import name_class
from melanoma_core.models.methods import Method

_NOT_TESTED = "The heatmaps of this method were not tested."
_LOCATION = {"lesion_share", "energy_centred", "energy_above_centred"}  # beside "energy_inside"
_SMALL_GAIN = 0.1  # a smaller gain over a centred blob says little about the location
_SIMILAR = 0.5  # rank correlation from which two heatmaps look the same
_TITLES = {
    "energy_inside": "Heatmap strength inside the lesion",
    "lesion_share": "Area of the lesion, as a share of the photograph",
    "energy_centred": "Strength of a centred blob inside the lesion",
    "energy_above_centred": "Heatmap minus centred blob",
    "pointing_game": "Strongest point inside the lesion (pointing game)",
    "pointing_centred": "Centre of the photograph inside the lesion",
    "flat_maps": "Heatmaps without any evidence",
    "deletion": "Deletion: mean probability of melanoma, strongest regions hidden first",
    "deletion_random": "Deletion in random order",
    "deletion_gain": "Deletion: random order minus heatmap (above 0 is better)",
    "insertion": "Insertion: mean probability of melanoma, strongest regions shown first",
    "insertion_random": "Insertion in random order",
    "insertion_gain": "Insertion: heatmap minus random order (above 0 is better)",
    "similarity_head": "Rank correlation with a network whose last layer is random",
    "similarity_half": "Rank correlation with a network whose upper half is random",
    "similarity_network": "Rank correlation with a network of random weights",
}


def build_heatmaps(card: ModelCard) -> Section:
    """Return the section of a card about the faithfulness of its heatmaps."""
    rows = tuple(
        (
            row["Diagnosis"],
            f"{row['Test']} ({row['Method']})",
            format_value(row["Value"], row["95% CI from"], row["95% CI to"]),
            f"{row['Photographs']:,} of {row['Lesions']:,} lesions",
        )
        for row in tabulate_maps(card)
    )
    summary = describe_maps(card, Method.GRAD_CAM)  # the heatmaps that a reading shows by default
    if not rows:
        return Section(Title.HEATMAPS, (f"{NOT_PROVIDED.capitalize()}. {summary}",))
    head = ("Diagnosis", "Test (method)", "Value", "Photographs")
    return Section(Title.HEATMAPS, (summary,), (Table("Faithfulness tests", head, rows),))


def describe_maps(card: ModelCard, method: str) -> str:
    """Return in a few sentences how faithful the heatmaps of a method are.

    Args:
        card: Card of the model.
        method: One of `models.methods.Method`.
    """
    figures = _find_located(card, method)
    if not figures:
        return _NOT_TESTED
    parts = (
        _describe_location(figures, figures["energy_inside"]),
        _describe_order(figures),
        _describe_randomisation(figures),
        _describe_best_method(card.explanation or {}),
    )
    return " ".join(part for part in parts if part)


def summarise_maps(card: ModelCard, method: str) -> str:
    """Return in one line how much of a method's heatmaps is inside the lesion.

    Args:
        card: Card of the model.
        method: One of `models.methods.Method`.
    """
    figures = _find_located(card, method)
    if not figures:
        return _NOT_TESTED
    inside = format_percent(figures["energy_inside"].value)
    return (
        f"In tests, {inside} of a heatmap's strength is inside the lesion; "
        f"of a blob at the centre, {format_percent(figures['energy_centred'].value)}."
    )


def _find_located(card: ModelCard, method: str) -> dict[str, Figure]:
    """Return the tests of a method's heatmaps; none if their place was not tested."""
    figures = (card.explanation or {}).get(method, {}).get(EVERY_CLASS, {})
    inside = figures.get("energy_inside")
    if inside is None or math.isnan(inside.value) or not figures.keys() >= _LOCATION:
        return {}
    return figures


def tabulate_maps(card: ModelCard) -> list[dict[str, Any]]:
    """Return every metric of the faithfulness tests, by method, then by diagnosis.

    NaN where undefined. There is no row if the heatmaps were not tested.
    """
    return [
        {
            "Method": method,
            "Diagnosis": "all" if group == EVERY_CLASS else name_class(group),
            "Test": _TITLES.get(name, name),
            "Value": figure.value,
            "95% CI from": figure.low,
            "95% CI to": figure.high,
            "Photographs": figure.total,
            "Lesions": figure.num_lesions,
        }
        for method, groups in (card.explanation or {}).items()
        for group, figures in groups.items()
        for name, figure in figures.items()
    ]


def _describe_location(figures: dict[str, Figure], inside: Figure) -> str:
    share, blob = figures["lesion_share"], figures["energy_centred"]
    gain = figures["energy_above_centred"]
    if not gain.low > 0:
        verdict = ", so the location carries no information"
    else:
        verdict = ", nearly as much" if gain.value < _SMALL_GAIN else ""
    return (
        f"Tested on {inside.total:,} test photographs of {inside.num_lesions:,} lesions with an "
        f"outline: {format_percent(inside.value)} of the heatmap's strength is inside the lesion, "
        f"which covers {format_percent(share.value)} of the photograph. A blob at the centre "
        f"reaches {format_percent(blob.value)}{verdict}."
    )


def _describe_order(figures: dict[str, Figure]) -> str:
    """Return whether the probability depends on the regions that the heatmap marks."""
    deletion, insertion = figures.get("deletion_gain"), figures.get("insertion_gain")
    if deletion is None or insertion is None or math.isnan(deletion.value):
        return ""
    passed = (deletion.low > 0) + (insertion.low > 0)
    verdict = {
        2: "more than random regions",
        1: "more than random regions in only one of the two tests",
        0: "no more than random regions, so they do not explain the answer",
    }[passed]
    return (
        "Deletion and insertion: hiding or showing the marked regions changes the probability of "
        f"melanoma {verdict}."
    )


def _describe_randomisation(figures: dict[str, Figure]) -> str:
    similarity = figures.get("similarity_network")
    if similarity is None or math.isnan(similarity.value):
        return ""
    if similarity.value < _SIMILAR and not similarity.high >= _SIMILAR:
        return "Randomisation: the heatmap changes if the weights are random, as it should."
    return (
        "Randomisation: the heatmap hardly changes if the weights are random, so it shows the "
        "photograph more than what the network learned."
    )


def _describe_best_method(explanation: dict[str, ExplanationFigures]) -> str:
    """Return the method with the largest share inside the lesions, if several were tested."""
    shares = {
        method: groups.get(EVERY_CLASS, {}).get("energy_inside")
        for method, groups in explanation.items()
    }
    tested = {name: each.value for name, each in shares.items() if each and each.value >= 0}
    if len(tested) < 2:
        return ""
    best = max(tested, key=lambda method: tested[method])
    return (
        f"Of the {len(tested)} methods tested, {best} has the largest share inside the lesion "
        f"({format_percent(tested[best])})."
    )

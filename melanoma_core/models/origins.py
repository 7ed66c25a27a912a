"""Where the operating points of a model come from: their data and the sensitivity they aim at.

Every file that leaves says so beside its alerts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from melanoma_core.models.card import ModelCard, OperatingPoint
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.names import neutralise


@dataclass(frozen=True)
class PointOrigin:
    """Where an operating point comes from.

    Attributes:
        threshold: This calibrated probability or a larger one raises the alert.
        target_sensitivity: The sensitivity that it was chosen for.
        chosen_on: The subset that it was chosen on.
        num_images: Number of its images; None if the card does not say.
        num_lesions: Number of its lesions; None if the card does not say.
        sources: Its collections, by name; empty if the card does not say.
    """

    threshold: float
    target_sensitivity: float
    chosen_on: str
    num_images: int | None
    num_lesions: int | None
    sources: tuple[str, ...]

    @property
    def data(self) -> str:
        """How many photographs and lesions of which collections; "" if the card does not say."""
        facts = [
            "" if self.num_images is None else f"{self.num_images:,} photographs",
            "" if self.num_lesions is None else f"{self.num_lesions:,} lesions",
            ", ".join(self.sources),
        ]
        return " of ".join(filter(None, facts))

    def describe(self) -> str:
        """Return the data and the aim in words, without the threshold.

        Example:
            >>> PointOrigin(0.04, 0.95, "validation", 30, 20, ("a", "b")).describe()
            'chosen on validation (30 photographs of 20 lesions of a, b) for a sensitivity of 95.0%'
        """
        data = f"{self.chosen_on} ({self.data})" if self.data else self.chosen_on
        aim = format_percent(self.target_sensitivity)
        return " ".join(neutralise(f"chosen on {data} for a sensitivity of {aim}").split())


def read_origin(described: Mapping[str, Any]) -> PointOrigin:
    """Return the origin that `describe_origins` has described."""
    return PointOrigin(
        described["threshold"],
        described["target_sensitivity"],
        described["chosen_on"],
        described["images"],
        described["lesions"],
        tuple(described["sources"]),
    )


def find_origin(card: ModelCard, point: OperatingPoint) -> PointOrigin:
    """Return where an operating point of a card comes from.

    Example:
        >>> from melanoma_core.models.card import load_card
        >>> from melanoma_core.models.registry import BUNDLED
        >>> card = load_card(BUNDLED)
        >>> find_origin(card, card.operating_point).chosen_on
        'validation'
    """
    subset = point.chosen_on
    sources = card.data.get("images_by_source", {}).get(subset, {})
    return PointOrigin(
        point.threshold,
        point.target_sensitivity,
        subset,
        card.data.get("images", {}).get(subset),
        card.data.get("lesions", {}).get(subset),
        tuple(sorted(name for name, count in sources.items() if count)),
    )


def find_origins(card: ModelCard) -> dict[str, PointOrigin]:
    """Return the origins of both operating points: "melanoma", and "skin_cancer" if there is one.

    Example:
        >>> from melanoma_core.models.card import load_card
        >>> from melanoma_core.models.registry import BUNDLED
        >>> list(find_origins(load_card(BUNDLED)))
        ['melanoma', 'skin_cancer']
    """
    points = {"melanoma": card.operating_point, "skin_cancer": card.skin_cancer_operating_point}
    return {name: find_origin(card, point) for name, point in points.items() if point is not None}


def describe_origins(card: ModelCard) -> dict[str, Any]:
    """Return both origins as JSON has them, by "melanoma" and "skin_cancer"; None if there is none.

    Example:
        >>> from melanoma_core.models.card import load_card
        >>> from melanoma_core.models.registry import BUNDLED
        >>> describe_origins(load_card(BUNDLED))["melanoma"]["target_sensitivity"]
        0.95
    """
    found = find_origins(card)
    return {
        name: None
        if (origin := found.get(name)) is None
        else {
            "threshold": origin.threshold,
            "target_sensitivity": origin.target_sensitivity,
            "chosen_on": origin.chosen_on,
            "images": origin.num_images,
            "lesions": origin.num_lesions,
            "sources": list(origin.sources),
        }
        for name in ("melanoma", "skin_cancer")
    }

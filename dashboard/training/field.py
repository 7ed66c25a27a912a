"""One field of a recipe, and the groups that fields are in."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FieldValues = dict[str, Any]  # by the name of the recipe's field


class Group(StrEnum):
    """A group of fields in the Recipe tab."""

    NETWORK = "Network"
    OUTLINE = "Outline of the lesion"
    TRAINING = "Training"
    LOSS = "Loss"
    CLASSES = "Classes and sources"
    GEOMETRY = "Augmentation: position and size"
    COLOUR = "Augmentation: colour and light"
    CAMERA = "Augmentation: camera and artefacts"
    ALERT = "Operating point"


@dataclass(frozen=True)
class RecipeField:
    """How a person sets one field of a recipe.

    Attributes:
        group: Its group.
        label: Label of the widget, with the unit.
        help: Effect of the field, in one or two sentences.
        minimum: Smallest value of a number.
        maximum: Largest value of a number; None for no limit.
        step: Increment of a number.
        has_effect: Whether the field changes the training, given all other fields.
    """

    group: Group
    label: str
    help: str
    minimum: float = 0
    maximum: float | None = None
    step: float = 1
    has_effect: Callable[[FieldValues], bool] = lambda _: True

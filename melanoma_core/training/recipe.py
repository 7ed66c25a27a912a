"""Everything a training run needs besides its data, flat and frozen."""

import json
import math
from dataclasses import asdict, dataclass, fields, replace

from melanoma_core.errors import RecipeError


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; as JSON it is part of the model card.

    Attributes:
        name: Name of the preset that it started from.
        architecture: A key of `network.BACKBONES`.
        image_size: Side of the square that the network sees, in pixels.
        epochs: Number of epochs.
        images_per_epoch: Images drawn per epoch; 0 means as many as the train subset holds.
        batch_size: Images per step.
        learning_rate: Peak of the schedule: linear warm-up, then half a cosine to zero
            (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup_epochs: Length of the warm-up.
        weight_decay: Of AdamW, decoupled (Loshchilov and Hutter 2019, arXiv:1711.05101).
        dropout: Share of the embedding that is dropped in training, in [0, 1).
        label_smoothing: Probability that is spread over all classes, in [0, 1).
        class_balance: How far the draw of images evens out the classes: a class is drawn in
            proportion to its number of images to the power of one minus this. 0 is the natural
            frequency, 1 the same for every class.
        rotation: Largest rotation either way, in degrees.
        zoom: Largest change of scale, per axis, as a share.
        shift: Largest shift either way, as a share of the side.
        brightness: Largest change of brightness, as a share of the full range.
        contrast: Largest change of contrast, as a share.
        colour: Largest change of each colour channel's gain, as a share: cameras and lights
            differ.
        seed: Of the split, the draw of images and the augmentation.
    """

    name: str
    architecture: str = "MobileNetV2"
    image_size: int = 192
    epochs: int = 20
    images_per_epoch: int = 6400
    batch_size: int = 32
    learning_rate: float = 3e-4
    warmup_epochs: int = 1
    weight_decay: float = 1e-2
    dropout: float = 0.3
    label_smoothing: float = 0.05
    class_balance: float = 0.5
    rotation: float = 180.0
    zoom: float = 0.25
    shift: float = 0.08
    brightness: float = 0.1
    contrast: float = 0.25
    colour: float = 0.1
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            self._need(name, getattr(self, name) >= 1, "be at least 1")
        # MobileNetV2, the least demanding, halves the picture five times.
        self._need("image_size", self.image_size >= 32, "be at least 32")
        for name in ("images_per_epoch", "warmup_epochs", "seed"):
            self._need(name, getattr(self, name) >= 0, "be at least 0")
        for name in ("dropout", "label_smoothing", "shift", "brightness", "contrast", "colour"):
            self._need(name, 0 <= getattr(self, name) < 1, "lie in [0, 1)")
        self._need("class_balance", 0 <= self.class_balance <= 1, "lie in [0, 1]")
        self._need("learning_rate", 0 < self.learning_rate < math.inf, "be above 0")
        for name in ("weight_decay", "rotation", "zoom"):
            self._need(name, 0 <= getattr(self, name) < math.inf, "be at least 0")

    def _need(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise RecipeError(f"Found {name}={getattr(self, name)}. It must {what}.")

    def to_json(self) -> str:
        """Return the recipe as a JSON object."""
        return json.dumps(asdict(self), indent=2)


PRESETS = {
    "transfer": Recipe(name="transfer"),
    # For a first try of one's own data, and for tests: minutes on two cores.
    "quick": Recipe(name="quick", image_size=96, epochs=3, images_per_epoch=2000),
}


def make_recipe(preset: str, changes: list[str]) -> Recipe:
    """Return a preset with fields changed by `key=value` strings.

    Raises:
        RecipeError: The preset or a key does not exist, or a value does not parse.
    """
    if preset not in PRESETS:
        raise RecipeError(f'Found no recipe "{preset}". There are: {", ".join(PRESETS)}.')
    types = {field.name: type(getattr(PRESETS[preset], field.name)) for field in fields(Recipe)}
    parsed = {}
    for change in changes:
        key, _, value = change.partition("=")
        if key not in types:
            raise RecipeError(f'Found no recipe field "{key}". There are: {", ".join(types)}.')
        try:
            parsed[key] = types[key](value)
        except ValueError:
            raise RecipeError(
                f'Found {key}="{value}". It must be of the kind {types[key].__name__}.'
            ) from None
    return replace(PRESETS[preset], **parsed)

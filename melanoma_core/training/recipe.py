"""Everything a training run needs besides its data, flat and frozen."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from melanoma_core.changes import change_fields
from melanoma_core.errors import RecipeError


class Architecture(StrEnum):
    """Which network is trained: a small one from scratch, or a backbone that knows ImageNet."""

    SMALL_CNN = "SmallCNN"
    MOBILENET = "MobileNetV2"
    EFFICIENTNET_LITE = "EfficientNetLite0"
    EFFICIENTNET = "EfficientNetV2B0"
    RESNET = "ResNet50V2"
    CONVNEXT = "ConvNeXtTiny"

    @property
    def has_backbone(self) -> bool:
        """Whether it is a backbone with a head of ours."""
        return self is not Architecture.SMALL_CNN


class Loss(StrEnum):
    """What is made small."""

    CROSS_ENTROPY = "cross-entropy"
    FOCAL = "focal"


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    CONSTANT = "constant"
    COSINE = "cosine"
    EXPONENTIAL = "exponential"


class Rebalancing(StrEnum):
    """What is done about classes of different size, besides the draw (`Recipe.class_balance`)."""

    NONE = "none"
    CLASS_WEIGHTS = "class-weights"
    OVERSAMPLING = "oversampling"
    BEFORE_SPLIT = "oversampling-before-split"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; as JSON it is part of the run and of the model card.

    Attributes:
        name: Name of the preset that it started from.
        architecture: The network.
        weights: What the network starts from: "imagenet", "none" (at random), the path of a file
            of the backbone's weights without its head, or the path of a whole model (".keras") to
            go on from. Else a SmallCNN starts at random.
        image_size: Side of the square that the network sees, in pixels.
        head_epochs: Epochs of the head alone, on features of the frozen backbone that are
            computed once, without augmentation; before the other epochs.
        head_learning_rate: In these epochs.
        epochs: Number of epochs of the whole network.
        images_per_epoch: Images drawn per epoch; 0 means as many as the train subset holds.
        batch_size: Images per step.
        learning_rate: Highest learning rate of the whole network, reached by a linear warm-up.
        schedule: After the warm-up: constant; half a cosine to zero (Loshchilov and Hutter 2017,
            arXiv:1608.03983); or exponential decay to a hundredth.
        warmup_epochs: Length of the warm-up.
        early_stopping: Epochs of the whole network without a smaller validation loss after which
            training ends, with the weights of the best epoch; 0 means all epochs, and the last.
        weight_decay: Of AdamW, decoupled (Loshchilov and Hutter 2019, arXiv:1711.05101); 0 makes
            it Adam.
        dropout: Share of what the dense head sees that is dropped in training, in [0, 1).
        batch_normalization: Whether a SmallCNN has it (Ioffe and Szegedy 2015, arXiv:1502.03167);
            a backbone keeps its own, frozen.
        mixed_precision: Compute in 16 bits where a GPU is there for it; ignored elsewhere.
        loss: Cross-entropy or focal.
        focal_gamma: Of the focal loss, how little the easy images count (Lin et al. 2017,
            arXiv:1708.02002).
        label_smoothing: Probability that is spread over all classes, in [0, 1).
        mixup: Parameter of the Beta distribution that two images are blended by (Zhang et al.
            2018, arXiv:1710.09412); 0 blends none.
        rebalancing: What is done about classes of different size.
        images_per_class: Images that oversampling brings each class to; 0 means those of the
            largest class.
        class_balance: How far the draw of images evens out the classes: a class is drawn in
            proportion to its number of images to the power of one minus this. 0 is the natural
            frequency, 1 the same for every class.
        published_share: Share of the train subset held out image by image, whatever lesion it
            shows, as published projects validate: for the comparison alone. Nothing is decided by
            it. In [0, 1).
        mirror: Whether half the images are mirrored.
        rotation: Largest rotation either way, in degrees.
        zoom: Largest change of scale, per axis, as a share.
        shift: Largest shift either way, as a share of the side.
        brightness: Largest change of brightness, as a share of the full range.
        contrast: Largest change of contrast, as a share.
        colour: Largest change of each colour channel's gain, as a share: cameras and lights
            differ.
        target_sensitivity: Share of the melanomas of the validation subset that the alert shall
            find; its threshold is chosen for it after training. In (0, 1).
        saturation: Largest change of how far colours are from grey, as a share.
        gamma: Largest change of the exponent that brightness is raised to, as a share, by which
            cameras render midtones.
        resolution: Largest loss of resolution, as a share of the side: other cameras see less.
        colour_constancy: Whether the network takes the colour of the light out of a photograph
            before it looks: shades of grey (Finlayson and Trezzi 2004), as Barata et al. 2015
            (doi:10.1109/JBHI.2014.2336473) use it for dermoscopy of several sources.
        frozen_stride: Layers of a backbone whose output is less than this many times smaller than
            the photograph keep the weights that they start with: what they see, edges and blobs
            of colour, serves every task (Yosinski et al. 2014, arXiv:1411.1792), and they take
            most of the time. 0 or 1 trains all.
        start_share: Where it goes on from a whole model, how much of that one's weights is in those
            of the finished network; the rest is what was trained. Such a mean can read photographs
            from elsewhere better than either (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903). In
            [0, 1).
        num_views: How often the finished network looks at each photograph, turned and mirrored, to
            answer with the mean: 1, 2 or 4. It changes no training.
        seed: Of the split, the draw of images, the first weights and the augmentation.
    """

    name: str
    architecture: Architecture = Architecture.MOBILENET
    weights: str = "imagenet"
    image_size: int = 192
    head_epochs: int = 5
    head_learning_rate: float = 1e-3
    epochs: int = 20
    images_per_epoch: int = 0
    batch_size: int = 32
    learning_rate: float = 3e-4
    schedule: Schedule = Schedule.COSINE
    warmup_epochs: int = 1
    early_stopping: int = 0
    weight_decay: float = 1e-2
    dropout: float = 0.3
    batch_normalization: bool = False
    mixed_precision: bool = True
    loss: Loss = Loss.CROSS_ENTROPY
    focal_gamma: float = 2.0
    label_smoothing: float = 0.05
    mixup: float = 0.0
    rebalancing: Rebalancing = Rebalancing.NONE
    images_per_class: int = 0
    class_balance: float = 0.5
    published_share: float = 0.0
    mirror: bool = True
    rotation: float = 180.0
    zoom: float = 0.25
    shift: float = 0.08
    brightness: float = 0.1
    contrast: float = 0.25
    colour: float = 0.1
    saturation: float = 0.0
    gamma: float = 0.0
    resolution: float = 0.0
    colour_constancy: bool = False
    frozen_stride: int = 0
    start_share: float = 0.0
    num_views: int = 1
    target_sensitivity: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            self._need(name, getattr(self, name) >= 1, "be at least 1")
        # MobileNetV2, the least demanding, halves the picture five times.
        self._need("image_size", self.image_size >= 32, "be at least 32")
        for name in (
            *("head_epochs", "images_per_epoch", "images_per_class"),
            *("warmup_epochs", "early_stopping", "frozen_stride", "seed"),
        ):
            self._need(name, getattr(self, name) >= 0, "be at least 0")
        for name in (
            *("dropout", "label_smoothing", "published_share", "start_share"),
            *("shift", "brightness", "contrast", "colour", "saturation", "resolution"),
        ):
            self._need(name, 0 <= getattr(self, name) < 1, "lie in [0, 1)")
        self._need("target_sensitivity", 0 < self.target_sensitivity < 1, "lie in (0, 1)")
        self._need("num_views", self.num_views in {1, 2, 4}, "be 1, 2 or 4")
        self._need("class_balance", 0 <= self.class_balance <= 1, "lie in [0, 1]")
        for name in ("learning_rate", "head_learning_rate"):
            self._need(name, 0 < getattr(self, name) < math.inf, "be above 0")
        for name in ("weight_decay", "rotation", "zoom", "gamma", "focal_gamma", "mixup"):
            self._need(name, 0 <= getattr(self, name) < math.inf, "be at least 0")
        if not self.architecture.has_backbone:
            self._need("head_epochs", self.head_epochs == 0, "be 0: a SmallCNN has no backbone")
        if self.leaks:
            self._need("published_share", self.published_share > 0, "be above 0 to leak into")

    def _need(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise RecipeError(f"Found {name}={getattr(self, name)}. It must {what}.")

    @property
    def leaks(self) -> bool:
        """Whether it oversamples before it splits; its network is never kept as a model."""
        return self.rebalancing is Rebalancing.BEFORE_SPLIT

    @property
    def total_epochs(self) -> int:
        """Epochs of the head alone and of the whole network together."""
        return self.head_epochs + self.epochs

    def to_json(self) -> str:
        """Return the recipe as a JSON object."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Return the recipe of a JSON object that `to_json` wrote.

        Raises:
            RecipeError: A field is not known, or its value does not fit.
        """
        found: dict[str, Any] = json.loads(text)
        return change_fields(
            cls(name=""), [f"{key}={value}" for key, value in found.items()], "recipe field"
        )


_BASELINE = Recipe(
    name="baseline",
    architecture=Architecture.SMALL_CNN,
    weights="none",
    image_size=180,
    head_epochs=0,
    learning_rate=1e-3,
    schedule=Schedule.CONSTANT,
    warmup_epochs=0,
    weight_decay=0.0,
    dropout=0.0,
    label_smoothing=0.0,
    class_balance=0.0,
    mirror=False,
    rotation=0.0,
    zoom=0.0,
    shift=0.0,
    brightness=0.0,
    contrast=0.0,
    colour=0.0,
)
_AUGMENTED = replace(
    _BASELINE, name="augmented", dropout=0.2, mirror=True, rotation=36.0, zoom=0.1, shift=0.05
)
_TRANSFER = Recipe(name="transfer")

PRESETS = {
    recipe.name: recipe
    for recipe in (
        _BASELINE,
        _AUGMENTED,
        replace(_AUGMENTED, name="class-weighted", rebalancing=Rebalancing.CLASS_WEIGHTS),
        replace(_BASELINE, name="rebalanced", rebalancing=Rebalancing.OVERSAMPLING),
        _TRANSFER,
        replace(_TRANSFER, name="transfer-lite", architecture=Architecture.EFFICIENTNET_LITE),
        replace(_TRANSFER, name="transfer-efficientnet", architecture=Architecture.EFFICIENTNET),
        replace(_TRANSFER, name="transfer-resnet", architecture=Architecture.RESNET),
        replace(_TRANSFER, name="transfer-convnext", architecture=Architecture.CONVNEXT),
        # For a first try of one's own data, and for tests: minutes on two cores.
        replace(_TRANSFER, name="quick", image_size=96, head_epochs=2, epochs=3),
        # As `rebalanced`, but in the order of the published projects.
        replace(
            _BASELINE,
            name="leaky",
            rebalancing=Rebalancing.BEFORE_SPLIT,
            images_per_class=500,
            published_share=0.2,
        ),
    )
}


def make_recipe(preset: str, changes: Sequence[str]) -> Recipe:
    """Return a preset with fields changed by `key=value` strings.

    Raises:
        RecipeError: The preset or a key does not exist, or a value does not parse.
    """
    if preset not in PRESETS:
        raise RecipeError(f'Found no recipe "{preset}". There are: {", ".join(PRESETS)}.')
    return change_fields(PRESETS[preset], changes, "recipe field")

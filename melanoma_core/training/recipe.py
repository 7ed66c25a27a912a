"""Recipes: the training configurations and their presets."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from melanoma_core.changes import change_fields
from melanoma_core.errors import RecipeError
from melanoma_core.jsonable import dump_json

NAMED_WEIGHTS = ("imagenet", "none")  # of `Recipe.weights`, which otherwise names a file


class Architecture(StrEnum):
    """Architecture of the network: a small one, or a backbone with ImageNet weights."""

    SMALL_CNN = "SmallCNN"
    MOBILENET = "MobileNetV2"
    EFFICIENTNET_LITE = "EfficientNetLite0"
    EFFICIENTNET = "EfficientNetV2B0"
    RESNET = "ResNet50V2"
    CONVNEXT = "ConvNeXtTiny"

    @property
    def has_backbone(self) -> bool:
        """Whether the network is a pretrained backbone with a new head."""
        return self is not Architecture.SMALL_CNN


class Loss(StrEnum):
    """Loss function."""

    CROSS_ENTROPY = "cross-entropy"
    FOCAL = "focal"


class Schedule(StrEnum):
    """Learning rate after the warm-up."""

    CONSTANT = "constant"
    COSINE = "cosine"
    EXPONENTIAL = "exponential"


class Rebalancing(StrEnum):
    """Treatment of class imbalance, besides the draw (`Recipe.class_balance`)."""

    NONE = "none"
    CLASS_WEIGHTS = "class-weights"
    OVERSAMPLING = "oversampling"
    BEFORE_SPLIT = "oversampling-before-split"


@dataclass(frozen=True)
class Recipe:
    """A training configuration. As JSON it is part of the run and of the model card.

    Attributes:
        name: Name of the preset that it is based on.
        architecture: Architecture of the network.
        weights: Initial weights: "imagenet", "none" (random), the path of a weights file of the
            backbone without its head, or the path of a complete model (".keras") to fine-tune. A
            SmallCNN starts with random weights unless a complete model is given.
        image_size: Side of the square input of the network, in pixels.
        head_epochs: Epochs that train only the head, before the other epochs. They use features
            of the frozen backbone, which are computed once, without augmentation.
        head_learning_rate: Learning rate of the head epochs.
        epochs: Epochs that train the whole network.
        images_per_epoch: Images drawn per epoch; 0 means the size of the train subset.
        batch_size: Images per step.
        learning_rate: Maximum learning rate of the whole network, reached by a linear warm-up.
        schedule: Learning rate after the warm-up: constant; half a cosine to zero (Loshchilov and
            Hutter 2017, arXiv:1608.03983); or exponential decay to 1%.
        warmup_epochs: Length of the warm-up.
        early_stopping: Patience: epochs of the whole network without a smaller validation loss
            after which training ends with the weights of the best epoch. With 0, all epochs run
            and the last weights are kept.
        weight_decay: Decoupled weight decay of AdamW (Loshchilov and Hutter 2019,
            arXiv:1711.05101); 0 selects Adam.
        dropout: Dropout rate before the last dense layers, in [0, 1).
        batch_normalization: Whether a SmallCNN has batch normalisation (Ioffe and Szegedy 2015,
            arXiv:1502.03167); a backbone keeps its own, frozen.
        mixed_precision: Whether to compute in 16 bits on a GPU; ignored without one.
        loss: Cross-entropy or focal loss.
        focal_gamma: Focusing parameter of the focal loss, which reduces the weight of easy images
            (Lin et al. 2017, arXiv:1708.02002).
        label_smoothing: Probability that is spread over all classes, in [0, 1).
        mixup: Parameter of the Beta distribution by which pairs of images are blended (Zhang et
            al. 2018, arXiv:1710.09412); 0 disables mixup.
        rebalancing: Treatment of class imbalance, besides the draw (`class_balance`).
        images_per_class: Images per class after oversampling; 0 means the size of the largest
            class.
        class_balance: How strongly the draw of images equalises the classes. A class is drawn in
            proportion to its number of images to the power of one minus this value: 0 keeps the
            class frequencies, 1 draws all classes equally often.
        source_balance: How strongly the draw of images makes the class mix of all sources alike,
            so that a network cannot learn the source instead of the disease: 0 keeps each source's
            own mix, 1 draws source and class independently, as far as a source has the class. The
            frequency of each class stays (`draw.compute_draw_probabilities`).
        published_share: Share of the train subset that is held out image by image, regardless of
            lesions, as published projects validate. It serves comparisons only; no decision uses
            it. In [0, 1).
        mirror: Whether half of the images are mirrored.
        rotation: Maximum rotation in either direction, in degrees.
        zoom: Maximum change of scale per axis, as a share.
        shift: Maximum shift in either direction, as a share of the side.
        brightness: Maximum change of brightness, as a share of the full range.
        contrast: Maximum change of contrast, as a share.
        colour: Maximum change of the gain of each colour channel, as a share. It imitates
            different cameras and lights.
        saturation: Maximum change of saturation, as a share.
        gamma: Maximum change of the gamma exponent, as a share. It imitates how cameras render
            midtones.
        resolution: Maximum loss of resolution, as a share of the side. It imitates cameras with
            fewer pixels.
        blur: Maximum standard deviation of a Gaussian blur, as a share of the side. It imitates a
            lens out of focus.
        vignette: Share of images that become dark outside a circle, as a dermoscope's view is.
        artefacts: Share of images onto which hair, ink, a ruler or gel bubbles are drawn
            (`training.artefacts`).
        jpeg: Share of images that are compressed as JPEG of a quality between 30 and 95.
        colour_constancy: Whether the network removes the colour of the light from each photograph:
            shades of grey (Finlayson and Trezzi 2004), used for dermoscopy from several sources by
            Barata et al. 2015 (doi:10.1109/JBHI.2014.2336473).
        frozen_stride: Backbone layers whose output is less than this many times smaller than the
            input stay frozen. Their features, such as edges and colour blobs, are generic (Yosinski
            et al. 2014, arXiv:1411.1792), and they take most of the time. 0 or 1 trains all layers.
        start_share: When a complete model is fine-tuned, the share of its weights in the finished
            network; the rest is the trained weights. Such an average can generalise better than
            either (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903). In [0, 1).
        num_views: Number of test-time augmentation (TTA) views of each photograph, rotated and
            mirrored, whose predictions are averaged: 1, 2 or 4. It does not affect training.
        outline_weight: Weight of the outline's loss, Dice plus cross-entropy, beside that of the
            diagnosis. Above 0, the network has a second head, which draws the outline of the lesion
            and learns it from photographs with an outline (`data.outlines`).
        outline_learning_rate: Maximum learning rate of the outline head, which may start at random
            beside a backbone that does not. It follows the schedule of `learning_rate`.
        outline_gradient: Share of the outline's gradient that reaches the backbone: 1 trains both
            together, 0 leaves the features to the diagnosis. In [0, 1].
        outline_pooling: Share of the outline in the pooling: the features of a place count for the
            diagnosis as much as the place is inside the lesion. 0 is the plain average. In [0, 1].
        target_sensitivity: Melanoma sensitivity on the validation subset for which the alert
            threshold is chosen after training. In (0, 1).
        skin_cancer_target_sensitivity: The same for the alert on any skin cancer (MEL, BCC, SCC).
        seed: Seed of the split, the draw of images, the initial weights and the augmentation.
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
    source_balance: float = 0.0
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
    blur: float = 0.0
    vignette: float = 0.0
    artefacts: float = 0.0
    jpeg: float = 0.0
    colour_constancy: bool = False
    frozen_stride: int = 0
    start_share: float = 0.0
    num_views: int = 1
    outline_weight: float = 0.0
    outline_learning_rate: float = 1e-2
    outline_gradient: float = 1.0
    outline_pooling: float = 0.0
    target_sensitivity: float = 0.95
    skin_cancer_target_sensitivity: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            self._need(name, getattr(self, name) >= 1, "be at least 1")
        # MobileNetV2, the least demanding backbone, halves the resolution five times.
        self._need("image_size", self.image_size >= 32, "be at least 32")
        for name in (
            *("head_epochs", "images_per_epoch", "images_per_class"),
            *("warmup_epochs", "early_stopping", "frozen_stride", "seed"),
        ):
            self._need(name, getattr(self, name) >= 0, "be at least 0")
        for name in (
            *("dropout", "label_smoothing", "published_share", "start_share"),
            *("shift", "brightness", "contrast", "colour", "saturation", "resolution", "blur"),
        ):
            self._need(name, 0 <= getattr(self, name) < 1, "lie in [0, 1)")
        for name in ("target_sensitivity", "skin_cancer_target_sensitivity"):
            self._need(name, 0 < getattr(self, name) < 1, "lie in (0, 1)")
        self._need("num_views", self.num_views in {1, 2, 4}, "be 1, 2 or 4")
        for name in (
            *("class_balance", "source_balance", "vignette", "artefacts", "jpeg"),
            *("outline_gradient", "outline_pooling"),
        ):
            self._need(name, 0 <= getattr(self, name) <= 1, "lie in [0, 1]")
        for name in ("learning_rate", "head_learning_rate", "outline_learning_rate"):
            self._need(name, 0 < getattr(self, name) < math.inf, "be above 0")
        for name in (
            *("weight_decay", "rotation", "zoom", "gamma", "focal_gamma", "mixup"),
            *("outline_weight",),
        ):
            self._need(name, 0 <= getattr(self, name) < math.inf, "be at least 0")
        if not self.architecture.has_backbone:
            self._need("head_epochs", self.head_epochs == 0, "be 0: a SmallCNN has no backbone")
        if not self.outline_weight:
            self._need("outline_pooling", self.outline_pooling == 0, "be 0 without outline_weight")
        elif not self.architecture.has_backbone:
            self._need("outline_weight", False, "be 0: a SmallCNN draws no outline")
        else:
            self._need("mixup", self.mixup == 0, "be 0: blended photographs have no outline")
            self._need("image_size", self.image_size % 32 == 0, "be a multiple of 32 for outlines")
        if self.leaks:
            self._need("published_share", self.published_share > 0, "be above 0 to leak into")

    def _need(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise RecipeError(f"Found {name}={getattr(self, name)}. It must {what}.")

    @property
    def leaks(self) -> bool:
        """Whether it oversamples before it splits; its network is never released as a model."""
        return self.rebalancing is Rebalancing.BEFORE_SPLIT

    @property
    def total_epochs(self) -> int:
        """Head epochs plus epochs of the whole network."""
        return self.head_epochs + self.epochs

    def to_json(self) -> str:
        """Return the recipe as a JSON object."""
        return dump_json(self, indent=2, ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Return the recipe of a JSON object that `to_json` returned.

        Raises:
            RecipeError: A field is unknown, or its value is invalid.
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
_SOURCES = replace(
    _TRANSFER,
    name="sources",
    image_size=160,
    head_epochs=0,
    epochs=24,
    images_per_epoch=16000,
    batch_size=64,
    learning_rate=5e-4,
    frozen_stride=8,
    source_balance=1.0,
    zoom=0.4,
    shift=0.1,
    brightness=0.1,
    contrast=0.25,
    colour=0.12,
    saturation=0.25,
    gamma=0.25,
    resolution=0.45,
    blur=0.006,
    vignette=0.15,
    artefacts=0.2,
    jpeg=0.5,
)

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
        # For photographs from elsewhere: every source in the same class mix, by any camera.
        _SOURCES,
        # Adds the outline to a model that has learned its diagnoses: see `outline_weight`.
        replace(
            _SOURCES,
            name="outline",
            epochs=8,
            learning_rate=2e-4,
            outline_weight=1.0,
            outline_gradient=0.5,
            outline_pooling=1.0,
        ),
        # For a first try on new data, and for tests: minutes on two cores.
        replace(_TRANSFER, name="quick", image_size=96, head_epochs=2, epochs=3),
        # Like `rebalanced`, but oversampling before the split, as in published projects.
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
    """Return a preset with some fields changed.

    Args:
        preset: A key of `PRESETS`.
        changes: Strings of the form `field=value`. The last change of a field wins.

    Raises:
        RecipeError: The preset or a field does not exist, or a value is invalid.

    Example:
        >>> make_recipe("quick", ["epochs=5"]).epochs
        5
    """
    if preset not in PRESETS:
        raise RecipeError(f'Found no recipe "{preset}". There are: {", ".join(PRESETS)}.')
    return change_fields(PRESETS[preset], changes, "recipe field")

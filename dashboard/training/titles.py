"""What presets, choices and values of a recipe are called."""

from enum import StrEnum
from typing import Any

from melanoma_core.training.recipe import Architecture, Loss, Rebalancing

PRESET_TITLES = {
    "baseline": "The small classical network, from nothing, on the photographs as they are.",
    "augmented": "The baseline with dropout, its photographs turned, shifted and mirrored anew "
    "at every step.",
    "class-weighted": "As augmented, and an error on a rare class counts more.",
    "rebalanced": "The baseline; new images bring every class of the train subset to the size of "
    "the largest.",
    "transfer": "MobileNetV2 as ImageNet taught it: first a new head, then all of it.",
    "transfer-lite": "As transfer, with EfficientNet-Lite0: a little slower. Its ImageNet weights "
    "must be given as a file.",
    "transfer-efficientnet": "As transfer, with EfficientNetV2-B0: slower.",
    "transfer-resnet": "As transfer, with ResNet50V2: large and slow.",
    "transfer-convnext": "As transfer, with ConvNeXt-Tiny: the slowest.",
    "quick": "As transfer, small and short: a first try in minutes.",
    "leaky": "Warning: a mistake, shown on purpose. New images are made before the split, so that "
    "it is validated on copies of what it learned. Its network is never kept as a model.",
}
IMAGENET, RANDOM = "imagenet", "none"  # of `Recipe.weights`
STARTS = {IMAGENET: "ImageNet", RANDOM: "at random"}
CHOICE_TITLES = {
    Architecture.SMALL_CNN: "Small network (16-32-64)",
    Architecture.MOBILENET: "MobileNetV2",
    Architecture.EFFICIENTNET_LITE: "EfficientNet-Lite0",
    Architecture.EFFICIENTNET: "EfficientNetV2-B0",
    Architecture.RESNET: "ResNet50V2",
    Architecture.CONVNEXT: "ConvNeXt-Tiny",
    Loss.CROSS_ENTROPY: "cross-entropy",
    Loss.FOCAL: "focal loss",
    Rebalancing.NONE: "nothing",
    Rebalancing.CLASS_WEIGHTS: "class weights in the loss",
    Rebalancing.OVERSAMPLING: "new images of rare classes, after the split",
    Rebalancing.BEFORE_SPLIT: "new images before the split (a mistake)",
}


def name_choice(choice: StrEnum) -> str:
    """Return what a person calls a choice."""
    return CHOICE_TITLES.get(choice, str(choice))


def name_value(value: Any) -> str:
    """Return the value of a field in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, StrEnum):
        return name_choice(value)
    return f"{value:g}" if isinstance(value, float) else STARTS.get(value, str(value))

"""The recipe fields: labels, help texts, limits, and when each has an effect."""

import math
from enum import StrEnum
from typing import Any

from dashboard.training.augmentation import AUGMENTATION_FIELDS
from dashboard.training.field import FieldValues, Group, RecipeField
from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import (
    Architecture,
    Loss,
    Rebalancing,
    Recipe,
    make_recipe,
)

IMAGENET, RANDOM = "imagenet", "none"  # values of `Recipe.weights`
WEIGHT_SOURCES = {IMAGENET: "ImageNet", RANDOM: "random initialisation"}
PRESET_DESCRIPTIONS = {
    "baseline": "A small CNN from random weights, without augmentation.",
    "augmented": "The baseline with dropout, and random rotations, zooms, shifts and mirroring.",
    "class-weighted": "As augmented, with class weights in the loss.",
    "rebalanced": "The baseline, with every class oversampled to the size of the largest.",
    "transfer": "MobileNetV2 with ImageNet weights: first the head alone, then the whole network.",
    "transfer-lite": "As transfer, with EfficientNet-Lite0; a little slower. Needs a file of "
    "ImageNet weights.",
    "transfer-efficientnet": "As transfer, with EfficientNetV2-B0; slower.",
    "transfer-resnet": "As transfer, with ResNet50V2; large and slow.",
    "transfer-convnext": "As transfer, with ConvNeXt-Tiny; the slowest.",
    "sources": "As transfer, for photographs from elsewhere: every source in the same class mix, "
    "and altered as other cameras, files and artefacts would.",
    "outline": "As sources, and the network also draws the outline of the lesion and reads inside "
    "it. Start it from a model that has learned its diagnoses.",
    "quick": "As transfer, on small images and for few epochs: a first result in minutes.",
    "leaky": "Warning: a deliberate mistake. It oversamples before the split, so its validation "
    "images include altered copies of training images. Its network is never kept as a model.",
}
_CHOICE_TITLES = {
    Architecture.SMALL_CNN: "Small CNN (16-32-64)",
    Architecture.MOBILENET: "MobileNetV2",
    Architecture.EFFICIENTNET_LITE: "EfficientNet-Lite0",
    Architecture.EFFICIENTNET: "EfficientNetV2-B0",
    Architecture.RESNET: "ResNet50V2",
    Architecture.CONVNEXT: "ConvNeXt-Tiny",
    Loss.CROSS_ENTROPY: "cross-entropy",
    Loss.FOCAL: "focal loss",
    Rebalancing.NONE: "none",
    Rebalancing.CLASS_WEIGHTS: "class weights",
    Rebalancing.OVERSAMPLING: "oversampling after the split",
    Rebalancing.BEFORE_SPLIT: "oversampling before the split (leaks)",
}


def _has_backbone(values: FieldValues) -> bool:
    return Architecture(values["architecture"]).has_backbone


def _trains_head(values: FieldValues) -> bool:
    return _has_backbone(values) and values["head_epochs"] > 0


def _oversamples(values: FieldValues) -> bool:
    return values["rebalancing"] in {Rebalancing.OVERSAMPLING, Rebalancing.BEFORE_SPLIT}


RECIPE_FIELDS = {
    "architecture": RecipeField(
        Group.NETWORK,
        "Architecture",
        "A small CNN trained from scratch, or a backbone pretrained on ImageNet.",
    ),
    "weights": RecipeField(
        Group.NETWORK,
        "Initial weights",
        "Weights before training. The small CNN always starts from random weights.",
        has_effect=_has_backbone,
    ),
    "image_size": RecipeField(
        Group.NETWORK,
        "Input size, px",
        "Side of the square input image. Twice the side takes four times as long.",
        minimum=32,
        maximum=1024,
        step=16,
    ),
    "colour_constancy": RecipeField(
        Group.NETWORK,
        "Colour constancy (shades of grey)",
        "Removes the colour of the illumination, in training and in reading.",
    ),
    "num_views": RecipeField(
        Group.NETWORK,
        "Test-time augmentation views",
        "Averages the predictions on 1, 2 or 4 rotated and mirrored views of each image. More "
        "views are steadier and slower. Training does not change.",
        minimum=1,
        maximum=4,
    ),
    "frozen_stride": RecipeField(
        Group.NETWORK,
        "Freeze layers below stride",
        "Backbone layers with a smaller stride keep their initial weights. A stride of 8 saves a "
        "third of the time or more. 0 trains every layer.",
        maximum=32,
        has_effect=_has_backbone,
    ),
    "start_share": RecipeField(
        Group.NETWORK,
        "Share of the initial model's weights (WiSE-FT)",
        "Averages the initial and the trained weights: 0 keeps the trained weights alone. An even "
        "average can generalise better to photographs from other sources.",
        maximum=0.95,
        step=0.05,
        has_effect=lambda values: str(values["weights"]).endswith(".keras"),
    ),
    "outline_weight": RecipeField(
        Group.OUTLINE,
        "Weight of the outline's loss",
        "Above 0, the network also draws the outline of the lesion. It learns it from photographs "
        "with a manually drawn outline. 0 draws none.",
        maximum=10.0,
        step=0.1,
        has_effect=_has_backbone,
    ),
    "outline_learning_rate": RecipeField(
        Group.OUTLINE,
        "Learning rate of the outline",
        "Maximum learning rate of the outline head. It can be larger: the head starts at random.",
        minimum=1e-6,
        maximum=1.0,
        step=1e-3,
        has_effect=lambda values: bool(values["outline_weight"]),
    ),
    "outline_gradient": RecipeField(
        Group.OUTLINE,
        "Share of the outline's gradient in the backbone",
        "1 trains the features for outline and diagnosis alike, 0 for the diagnosis alone.",
        maximum=1.0,
        step=0.1,
        has_effect=lambda values: bool(values["outline_weight"]),
    ),
    "outline_pooling": RecipeField(
        Group.OUTLINE,
        "Share of the outline in the pooling",
        "1 lets only features inside the outline count for the diagnosis; 0 averages all.",
        maximum=1.0,
        step=0.1,
        has_effect=lambda values: bool(values["outline_weight"]),
    ),
    "batch_normalization": RecipeField(
        Group.NETWORK,
        "Batch normalisation",
        "Stabilises the training of the small CNN. Backbones keep their own, frozen.",
        has_effect=lambda values: not _has_backbone(values),
    ),
    "dropout": RecipeField(
        Group.NETWORK,
        "Dropout rate",
        "Share of the last layer's inputs that is dropped at each step, against overfitting.",
        maximum=0.95,
        step=0.05,
    ),
    "head_epochs": RecipeField(
        Group.TRAINING,
        "Head-only epochs",
        "Epochs of the new head on the frozen backbone, before the other epochs. They are fast: "
        "the backbone's features are computed once.",
        maximum=1000,
        has_effect=_has_backbone,
    ),
    "head_learning_rate": RecipeField(
        Group.TRAINING,
        "Head learning rate",
        "Learning rate of the head-only epochs.",
        minimum=1e-6,
        maximum=1.0,
        step=1e-4,
        has_effect=_trains_head,
    ),
    "epochs": RecipeField(
        Group.TRAINING,
        "Epochs",
        "Epochs of the whole network.",
        minimum=1,
        maximum=10_000,
    ),
    "images_per_epoch": RecipeField(
        Group.TRAINING,
        "Images per epoch",
        "Images drawn per epoch. 0: as many as the train subset holds.",
        step=100,
    ),
    "batch_size": RecipeField(
        Group.TRAINING,
        "Batch size",
        "Images per step. Larger batches give smoother gradients and need more memory.",
        minimum=1,
        maximum=4096,
    ),
    "learning_rate": RecipeField(
        Group.TRAINING,
        "Learning rate",
        "Peak learning rate of the whole network. Too high a rate destroys the pretrained "
        "weights; too low a rate learns too slowly.",
        minimum=1e-6,
        maximum=1.0,
        step=1e-4,
    ),
    "schedule": RecipeField(
        Group.TRAINING,
        "Learning rate schedule",
        "After the warm-up: constant, cosine decay to zero, or exponential decay to 1%.",
    ),
    "warmup_epochs": RecipeField(
        Group.TRAINING,
        "Warm-up epochs",
        "Epochs in which the learning rate rises linearly from zero to its peak.",
        maximum=1000,
    ),
    "early_stopping": RecipeField(
        Group.TRAINING,
        "Early stopping patience, epochs",
        "Stops after this many epochs without a lower validation loss and keeps the best epoch. "
        "0: trains all epochs and keeps the last.",
        maximum=1000,
    ),
    "weight_decay": RecipeField(
        Group.TRAINING,
        "Weight decay (AdamW)",
        "Shrinks the weights at each step, against overfitting. 0 uses Adam.",
        maximum=1.0,
        step=0.001,
    ),
    "mixed_precision": RecipeField(
        Group.TRAINING,
        "Mixed precision on a GPU",
        "Computes in 16 bits: faster, with half the memory. No effect without a GPU.",
    ),
    "seed": RecipeField(
        Group.TRAINING,
        "Random seed of the training",
        "Determines the order of images, the initial weights and the augmentation. The same data, "
        "recipe and seed give the same network.",
        maximum=2**31 - 1,
    ),
    "loss": RecipeField(
        Group.LOSS,
        "Loss",
        "Cross-entropy, or focal loss, which emphasises images that are still misclassified.",
    ),
    "focal_gamma": RecipeField(
        Group.LOSS,
        "Focal loss gamma",
        "Higher values reduce the weight of well-classified images. 0 is cross-entropy.",
        maximum=10.0,
        step=0.5,
        has_effect=lambda values: values["loss"] == Loss.FOCAL,
    ),
    "label_smoothing": RecipeField(
        Group.LOSS,
        "Label smoothing",
        "Share of the target probability that is spread over all classes, against overconfidence.",
        maximum=0.95,
        step=0.01,
    ),
    "mixup": RecipeField(
        Group.LOSS,
        "Mixup alpha",
        "Blends pairs of images and their labels. 0: none; 0.2: slightly; 1: evenly.",
        maximum=10.0,
        step=0.1,
    ),
    "rebalancing": RecipeField(
        Group.CLASSES,
        "Rebalancing",
        "Class weights raise the loss of rare classes. Oversampling adds altered copies of their "
        "training images.",
    ),
    "images_per_class": RecipeField(
        Group.CLASSES,
        "Images per class after oversampling",
        "0: as many as the largest class has.",
        step=50,
        has_effect=_oversamples,
    ),
    "class_balance": RecipeField(
        Group.CLASSES,
        "Class-balanced sampling, 0 to 1",
        "0 draws images at their natural frequency; 1 draws every class equally often.",
        maximum=1.0,
        step=0.1,
    ),
    "source_balance": RecipeField(
        Group.CLASSES,
        "Source-balanced sampling, 0 to 1",
        "0 keeps the class mix of each source; 1 draws the same mix from every source, so that the "
        "network cannot learn the source instead of the disease.",
        maximum=1.0,
        step=0.1,
    ),
    "published_share": RecipeField(
        Group.CLASSES,
        "Share held out image by image",
        "A second validation set, drawn without regard to lesions, as published projects do. It is "
        "reported next to the leakage-free validation, and no decision is based on it.",
        maximum=0.9,
        step=0.05,
    ),
    "target_sensitivity": RecipeField(
        Group.ALERT,
        "Target sensitivity",
        "The threshold of the melanoma alert is chosen after training to reach this sensitivity on "
        "the validation subset. A higher target means more false alerts.",
        minimum=0.01,
        maximum=0.99,
        step=0.01,
    ),
    "skin_cancer_target_sensitivity": RecipeField(
        Group.ALERT,
        "Target sensitivity, skin cancer",
        "The same for the alert on any skin cancer: melanoma, basal and squamous cell carcinoma.",
        minimum=0.01,
        maximum=0.99,
        step=0.01,
    ),
    **AUGMENTATION_FIELDS,
}


def get_values(recipe: Recipe) -> FieldValues:
    """Return the fields of a recipe that a person can set, by name."""
    return {name: getattr(recipe, name) for name in RECIPE_FIELDS}


def describe_changes(values: FieldValues, preset: Recipe) -> str:
    """Return the fields that differ from the preset, as text; empty if none does.

    >>> from melanoma_core.training.recipe import PRESETS
    >>> preset = PRESETS["baseline"]
    >>> describe_changes(get_values(preset) | {"epochs": 7}, preset)
    'Epochs: 7 instead of 20'
    """
    changed = [
        f"{field.label}: {name_value(values[name])} instead of {name_value(getattr(preset, name))}"
        for name, field in RECIPE_FIELDS.items()
        if values[name] != getattr(preset, name)
    ]
    return "; ".join(changed)


def list_changes(values: FieldValues, preset: Recipe) -> list[str]:
    """Return the fields that differ from the preset, as `key=value`.

    >>> from melanoma_core.training.recipe import PRESETS
    >>> preset = PRESETS["baseline"]
    >>> list_changes(get_values(preset) | {"epochs": 7, "mirror": True}, preset)
    ['epochs=7', 'mirror=True']
    """
    return [f"{name}={value}" for name, value in values.items() if value != getattr(preset, name)]


def restore_values(preset: Recipe, changes: list[str]) -> FieldValues:
    """Return the fields of a preset with changes as `list_changes` returned them.

    Raises:
        RecipeError: A field does not exist, or the page cannot set its value.
    """
    values = get_values(make_recipe(preset.name, changes))
    for name, value in values.items():
        field = RECIPE_FIELDS[name]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if is_number and not field.minimum <= value <= (field.maximum or math.inf):
            raise RecipeError(
                f"Found {name}={value} in the address. It must lie between {field.minimum:g} and "
                f"{field.maximum or math.inf:g}. Change it in the tab Recipe."
            )
    return values


def name_choice(choice: StrEnum) -> str:
    """Return the title of an architecture, a loss, a schedule or a rebalancing."""
    return _CHOICE_TITLES.get(choice, str(choice))


def name_value(value: Any) -> str:
    """Return the value of a field as text.

    >>> name_value(True), name_value(0.001), name_value("imagenet")
    ('on', '0.001', 'ImageNet')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, StrEnum):
        return name_choice(value)
    return f"{value:g}" if isinstance(value, float) else WEIGHT_SOURCES.get(value, str(value))

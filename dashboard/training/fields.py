"""What every field of a recipe is called, what it means, its limits, and when it counts at all."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.training.titles import name_value
from melanoma_core.training.recipe import Architecture, Loss, Rebalancing, Recipe

Chosen = dict[str, Any]  # every field of a recipe by its name


class Group(StrEnum):
    """Where a field stands in the sidebar."""

    NETWORK = "Network"
    TRAINING = "Training"
    LOSS = "Loss"
    CLASSES = "Classes of different size"
    AUGMENTATION = "Augmentation"
    ALERT = "Alert"


@dataclass(frozen=True)
class RecipeField:
    """How a person sets one field of a recipe.

    Attributes:
        group: Where it stands.
        label: What it is called, with its unit.
        told: What it does, in plain words.
        least: Smallest value of a number.
        most: Largest value of a number, or None.
        step: Of the buttons beside a number.
        counts: Whether it changes anything, where the other fields are as they are.
    """

    group: Group
    label: str
    told: str
    least: float = 0
    most: float | None = None
    step: float = 1
    counts: Callable[[Chosen], bool] = lambda _: True


def _has_backbone(chosen: Chosen) -> bool:
    return Architecture(chosen["architecture"]).has_backbone


def _trains_head(chosen: Chosen) -> bool:
    return _has_backbone(chosen) and chosen["head_epochs"] > 0


def _makes_images(chosen: Chosen) -> bool:
    return chosen["rebalancing"] in {Rebalancing.OVERSAMPLING, Rebalancing.BEFORE_SPLIT}


RECIPE_FIELDS = {
    "architecture": RecipeField(
        Group.NETWORK,
        "Kind of network",
        "A small one that starts from nothing, or a large one that learned from millions of "
        "everyday photographs.",
    ),
    "weights": RecipeField(
        Group.NETWORK,
        "It starts from",
        "What the network knows at the start. The small network always starts at random.",
        counts=_has_backbone,
    ),
    "image_size": RecipeField(
        Group.NETWORK,
        "Side of the picture it sees, px",
        "Larger shows finer structures; twice the side takes four times as long.",
        least=32,
        most=1024,
        step=16,
    ),
    "colour_constancy": RecipeField(
        Group.NETWORK,
        "Colour constancy",
        "Takes the colour of the light out of every photograph before the network looks, in "
        "training and in reading.",
    ),
    "num_views": RecipeField(
        Group.NETWORK,
        "Looks at each photograph",
        "1, 2 or 4 times, turned and mirrored, to answer with the mean: steadier, and each look "
        "takes its time. Changes nothing while it trains.",
        least=1,
        most=4,
    ),
    "frozen_stride": RecipeField(
        Group.NETWORK,
        "First layers keep their weights",
        "Layers that see the picture less than this many times smaller stay as they were: 8 saves "
        "a third of the time and more; 0 trains every layer.",
        most=32,
        counts=_has_backbone,
    ),
    "start_share": RecipeField(
        Group.NETWORK,
        "Share of the model that it goes on from",
        "How much of the old weights is in the finished network. Half and half can read "
        "photographs from elsewhere better than either.",
        most=0.95,
        step=0.05,
        counts=lambda chosen: str(chosen["weights"]).endswith(".keras"),
    ),
    "batch_normalization": RecipeField(
        Group.NETWORK,
        "Batch normalisation",
        "Steadies the training of the small network. The large ones keep their own, frozen.",
        counts=lambda chosen: not _has_backbone(chosen),
    ),
    "dropout": RecipeField(
        Group.NETWORK,
        "Dropout, share",
        "Share of what the network sees that is hidden from its last layer in each step, against "
        "learning by heart.",
        most=0.95,
        step=0.05,
    ),
    "head_epochs": RecipeField(
        Group.TRAINING,
        "Epochs of the head alone",
        "How often the new last layer is trained over all photographs while the rest stays as it "
        "is. Fast, since the rest is computed once.",
        most=1000,
        counts=_has_backbone,
    ),
    "head_learning_rate": RecipeField(
        Group.TRAINING,
        "Learning rate of the head",
        "Length of the steps in these epochs.",
        least=1e-6,
        most=1.0,
        step=1e-4,
        counts=_trains_head,
    ),
    "epochs": RecipeField(
        Group.TRAINING,
        "Epochs of the whole network",
        "How often all of it is trained over all photographs.",
        least=1,
        most=10_000,
    ),
    "images_per_epoch": RecipeField(
        Group.TRAINING,
        "Photographs per epoch",
        "How many are drawn for one epoch. 0: as many as the train subset holds.",
        step=100,
    ),
    "batch_size": RecipeField(
        Group.TRAINING,
        "Photographs per step",
        "More make steadier steps and take more memory.",
        least=1,
        most=4096,
    ),
    "learning_rate": RecipeField(
        Group.TRAINING,
        "Learning rate",
        "Length of the steps, at its highest. Too long a step forgets, too short a one learns "
        "nothing.",
        least=1e-6,
        most=1.0,
        step=1e-4,
    ),
    "schedule": RecipeField(
        Group.TRAINING,
        "Learning rate over time",
        "After the warm-up: constant, down to zero as half a cosine, or exponentially down to a "
        "hundredth.",
    ),
    "warmup_epochs": RecipeField(
        Group.TRAINING,
        "Epochs of warm-up",
        "In which the learning rate rises from zero, so that the first steps spoil nothing.",
        most=1000,
    ),
    "early_stopping": RecipeField(
        Group.TRAINING,
        "Stop early after epochs",
        "Ends the training after so many epochs of the whole network without a smaller loss on "
        "validation, and keeps the best. 0: all epochs, and the last.",
        most=1000,
    ),
    "weight_decay": RecipeField(
        Group.TRAINING,
        "Weight decay",
        "Pulls the weights of the network towards zero, against learning by heart. 0 switches it "
        "off.",
        most=1.0,
        step=0.001,
    ),
    "mixed_precision": RecipeField(
        Group.TRAINING,
        "16 bits where a GPU is there for it",
        "Faster, and half the memory. Changes nothing on other computers.",
    ),
    "seed": RecipeField(
        Group.TRAINING,
        "Seed of the training",
        "Of the draw of photographs, the first weights and the augmentation: the same data, "
        "recipe and seed give the same network.",
        most=2**31 - 1,
    ),
    "loss": RecipeField(
        Group.LOSS,
        "Loss",
        "What training makes small. The focal loss turns to the photographs that are still read "
        "wrong.",
    ),
    "focal_gamma": RecipeField(
        Group.LOSS,
        "Focal loss, gamma",
        "How little a photograph counts that is read right already. 0 is cross-entropy.",
        most=10.0,
        step=0.5,
        counts=lambda chosen: chosen["loss"] == Loss.FOCAL,
    ),
    "label_smoothing": RecipeField(
        Group.LOSS,
        "Label smoothing, share",
        "Probability that is spread over all classes, so that the network is never wholly sure.",
        most=0.95,
        step=0.01,
    ),
    "mixup": RecipeField(
        Group.LOSS,
        "Mixup",
        "Blends two photographs and their labels; 0 blends none, 0.2 a little, 1 evenly.",
        most=10.0,
        step=0.1,
    ),
    "rebalancing": RecipeField(
        Group.CLASSES,
        "What is done about rare classes",
        "Class weights make an error on a rare class count more. New images are changed copies of "
        "photographs of the train subset.",
    ),
    "images_per_class": RecipeField(
        Group.CLASSES,
        "Images per class",
        "To which new images bring each class. 0: as many as the largest class has.",
        step=50,
        counts=_makes_images,
    ),
    "class_balance": RecipeField(
        Group.CLASSES,
        "Evenness of the draw, 0 to 1",
        "0: photographs are drawn as they occur. 1: every class is drawn equally often.",
        most=1.0,
        step=0.1,
    ),
    "published_share": RecipeField(
        Group.CLASSES,
        "Held out as published projects do, share",
        "Drawn photograph by photograph from the train subset, whatever lesion it shows, to be "
        "seen beside the honest validation. Nothing is decided by it.",
        most=0.9,
        step=0.05,
    ),
    "target_sensitivity": RecipeField(
        Group.ALERT,
        "Melanomas that the alert shall find, share",
        "After training the alert's threshold is set so that it finds this share of the melanomas "
        "in the validation subset. More melanomas found means more alerts on other lesions.",
        least=0.01,
        most=0.99,
        step=0.01,
    ),
    "mirror": RecipeField(
        Group.AUGMENTATION, "Mirror", "Half of the photographs, anew in each step."
    ),
    "rotation": RecipeField(
        Group.AUGMENTATION,
        "Rotate, up to °",
        "Either way. 0 switches it off.",
        most=180.0,
        step=5.0,
    ),
    "zoom": RecipeField(
        Group.AUGMENTATION,
        "Zoom, up to",
        "Change of scale along each axis, as a share. 0 switches it off.",
        most=2.0,
        step=0.05,
    ),
    "shift": RecipeField(
        Group.AUGMENTATION,
        "Shift, up to",
        "As a share of the side. 0 switches it off.",
        most=0.9,
        step=0.01,
    ),
    "brightness": RecipeField(
        Group.AUGMENTATION,
        "Brightness, up to",
        "Change either way, as a share of the full range. 0 switches it off.",
        most=0.9,
        step=0.05,
    ),
    "contrast": RecipeField(
        Group.AUGMENTATION,
        "Contrast, up to",
        "Change either way, as a share. 0 switches it off.",
        most=0.9,
        step=0.05,
    ),
    "colour": RecipeField(
        Group.AUGMENTATION,
        "Colour, up to",
        "Change of red, green and blue, each for itself, as a share: cameras and lights differ. 0 "
        "switches it off.",
        most=0.9,
        step=0.05,
    ),
    "saturation": RecipeField(
        Group.AUGMENTATION,
        "Saturation, up to",
        "How far colours come nearer to grey or go further from it, as a share. 0 switches it off.",
        most=0.9,
        step=0.05,
    ),
    "gamma": RecipeField(
        Group.AUGMENTATION,
        "Gamma, up to",
        "Change of how a camera renders the tones between dark and light, as a share. 0 switches "
        "it off.",
        most=2.0,
        step=0.05,
    ),
    "resolution": RecipeField(
        Group.AUGMENTATION,
        "Loss of resolution, up to",
        "How much fine structure is taken away, as a share of the side: other cameras see less. 0 "
        "switches it off.",
        most=0.9,
        step=0.05,
    ),
}


def read_chosen(recipe: Recipe) -> Chosen:
    """Return the fields of a recipe that a person can set, by their names."""
    return {name: getattr(recipe, name) for name in RECIPE_FIELDS}


def describe_changes(chosen: Chosen, preset: Recipe) -> str:
    """Say which fields are no longer the preset's; empty where all are."""
    changed = [
        f"{field.label}: {name_value(chosen[name])} instead of {name_value(getattr(preset, name))}"
        for name, field in RECIPE_FIELDS.items()
        if chosen[name] != getattr(preset, name)
    ]
    return "; ".join(changed)

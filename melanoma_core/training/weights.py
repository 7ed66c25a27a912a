"""Where the ImageNet weights of a backbone are, if they are on this machine."""

from dataclasses import replace
from pathlib import Path

from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import Architecture, Recipe

KERAS_SUFFIX = ".keras"  # of a whole model to go on from, its head included
# As Keras names the files, and as `Model.save_weights` lets one name them.
_PATTERNS = {
    Architecture.MOBILENET: "mobilenet_v2_*1.0_*no*top*.h5",
    Architecture.EFFICIENTNET_LITE: "efficientnet*lite0*no*top*.h5",
    Architecture.EFFICIENTNET: "efficientnetv2-b0*no*top*.h5",
    Architecture.RESNET: "resnet50v2*no*top*.h5",
    Architecture.CONVNEXT: "convnext_tiny*no*top*.h5",
}


def find_weights(recipe: Recipe, weights_dir: Path | None) -> Path | str | None:
    """Return what a recipe's network starts from, as `network.build_network` takes it.

    Args:
        recipe: Its `architecture` and `weights` count.
        weights_dir: Folder in which ImageNet weights are looked for (`Settings.weights_dir`).

    Returns:
        A file; or "imagenet", which Keras downloads; or None for a start at random.

    Raises:
        RecipeError: The recipe names a file that is not there.
    """
    goes_on = recipe.weights.endswith(KERAS_SUFFIX)
    if recipe.weights == "none" or not (recipe.architecture.has_backbone or goes_on):
        return None
    if recipe.weights != "imagenet":
        if not Path(recipe.weights).is_file():
            raise RecipeError(
                f"Found no file of weights {recipe.weights}. Name one that is there, or "
                '"imagenet" or "none".'
            )
        return Path(recipe.weights)
    found = weights_dir.glob(_PATTERNS[recipe.architecture]) if weights_dir else ()
    # Those of the largest pictures: "…_224_no_top", not "…_96_no_top".
    return max(found, key=lambda path: (len(path.name), path.name), default="imagenet")


def find_novelty_weights(recipe: Recipe, weights_dir: Path | None) -> Path | str | None:
    """Return the ImageNet weights of MobileNetV2, in which novelty is measured.

    Args:
        recipe: Where it began with them, they are there.
        weights_dir: Folder in which they are looked for else, whatever the recipe trains.

    Returns:
        A file; "imagenet", which Keras has downloaded for the recipe; or None where there are none
        on this machine: nothing is downloaded for this alone.
    """
    begun = recipe.architecture is Architecture.MOBILENET and recipe.weights != "none"
    # A whole model to go on from is tuned already.
    begun = begun and not recipe.weights.endswith(KERAS_SUFFIX)
    # A file that has gone since must not cost a network that was trained meanwhile.
    if begun and (recipe.weights == "imagenet" or Path(recipe.weights).is_file()):
        return find_weights(recipe, weights_dir)
    imagenet = replace(recipe, architecture=Architecture.MOBILENET, weights="imagenet")
    found = find_weights(imagenet, weights_dir)
    return None if found == "imagenet" else found

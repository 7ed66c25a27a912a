"""Find the initial weights of a network: a local file, a released model or a Keras download."""

from dataclasses import replace
from pathlib import Path

from melanoma_core.errors import RecipeError
from melanoma_core.models.card import load_card
from melanoma_core.models.integrity import read_network
from melanoma_core.training.recipe import Architecture, Recipe

KERAS_SUFFIX = ".keras"  # of a complete model to fine-tune, including its head
# File names used by Keras downloads and by `Model.save_weights`.
_PATTERNS = {
    Architecture.MOBILENET: "mobilenet_v2_*1.0_*no*top*.h5",
    Architecture.EFFICIENTNET_LITE: "efficientnet*lite0*no*top*.h5",
    Architecture.EFFICIENTNET: "efficientnetv2-b0*no*top*.h5",
    Architecture.RESNET: "resnet50v2*no*top*.h5",
    Architecture.CONVNEXT: "convnext_tiny*no*top*.h5",
}


def find_weights(recipe: Recipe, weights_dir: Path | None) -> Path | str | None:
    """Return the initial weights of a recipe, as `network.build_network` takes them.

    Args:
        recipe: Its `architecture` and `weights` are used.
        weights_dir: Folder that is searched for ImageNet weights (`Settings.weights_dir`).

    Returns:
        A file; "imagenet", which Keras downloads; or None for random weights.

    Raises:
        RecipeError: The recipe names a file that does not exist.
        ModelError: The recipe names a complete model whose file is not in a model's folder, or is
            not the file that the model's card describes.
    """
    is_model = recipe.weights.endswith(KERAS_SUFFIX)
    if recipe.weights == "none" or not (recipe.architecture.has_backbone or is_model):
        return None
    if recipe.weights != "imagenet":
        if not Path(recipe.weights).is_file():
            raise RecipeError(
                f"Found no file of weights {recipe.weights}. Training needs an existing file. Name "
                'one, or set weights to "imagenet" or "none".'
            )
        path = Path(recipe.weights)
        if is_model:
            read_network(path, load_card(path.parent))
        return path
    found = weights_dir.glob(_PATTERNS[recipe.architecture]) if weights_dir else ()
    # Prefer the largest image size: "…_224_no_top", not "…_96_no_top".
    return max(found, key=lambda path: (len(path.name), path.name), default="imagenet")


def find_novelty_weights(recipe: Recipe, weights_dir: Path | None) -> Path | str | None:
    """Return the ImageNet weights of MobileNetV2 for the out-of-distribution (OOD) check.

    Args:
        recipe: If it started from these weights, they are reused.
        weights_dir: Folder that is searched otherwise, whatever the architecture of the recipe.

    Returns:
        A file; "imagenet", which Keras downloaded for the recipe; or None if this machine does
        not have them. This function never causes a download.
    """
    # A complete model is fine-tuned already, so its weights do not serve.
    started_from_imagenet = (
        recipe.architecture is Architecture.MOBILENET
        and recipe.weights != "none"
        and not recipe.weights.endswith(KERAS_SUFFIX)
    )
    # If the file was removed during the training, the trained network must not be lost for it.
    if started_from_imagenet and (recipe.weights == "imagenet" or Path(recipe.weights).is_file()):
        return find_weights(recipe, weights_dir)
    imagenet = replace(recipe, architecture=Architecture.MOBILENET, weights="imagenet")
    found = find_weights(imagenet, weights_dir)
    return None if found == "imagenet" else found

"""Fine-tuning from a released model: what it was trained on stays out of validation and test."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from melanoma_core.errors import RecipeError
from melanoma_core.evaluation.leak_check import find_leaks
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.models.card import load_card
from melanoma_core.models.identifiers import IdKey, explain_unchecked
from melanoma_core.models.lineage import read_split, was_trained_on
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.weights import KERAS_SUFFIX


def read_ancestor_split(recipe: Recipe) -> pd.DataFrame | None:
    """Return the split of the model that a recipe starts from (`lineage.read_split`).

    Returns:
        None if the recipe does not start from a released model.

    Raises:
        ModelError: The weights file is not in a model folder, or the folder is damaged.
        RecipeError: The model has no record of its training images.
    """
    if not recipe.weights.endswith(KERAS_SUFFIX):
        return None
    return read_model_split(Path(recipe.weights).parent)


def read_model_split(folder: Path) -> pd.DataFrame:
    """Return the split of a model (`lineage.read_split`).

    Raises:
        ModelError: The folder is damaged.
        RecipeError: The model has no record of its training images.
    """
    card = load_card(folder)
    split = read_split(folder)
    if split is None:
        raise RecipeError(
            f"The model {card.model_id} has no record of the images that it was trained on. "
            "Without it, leakage into the test set cannot be ruled out. Choose another model, or "
            "start from ImageNet weights."
        )
    return split


def mark_trained(split: pd.DataFrame) -> pd.DataFrame:
    """Return the split of a model, with all images that its weights were trained on in train."""
    return split.assign(subset=split["subset"].mask(was_trained_on(split), "train"))


def search_leaks(table: pd.DataFrame, ancestor: pd.DataFrame | None, key: IdKey) -> Leakage:
    """Search for leakage in a split and from the model that the training started from.

    Args:
        table: Every row of the split (`leak_check.find_leaks`).
        ancestor: Split of the model that the training started from, or None.
        key: Key of this installation. Ids are compared by their hashes, since the ancestor may have
            no others. `Leakage.unchecked` says which have hashes of another key.
    """
    hashed = key.hash_ids(table)
    if ancestor is None:
        return find_leaks(hashed)
    trained = key.hash_ids(ancestor[was_trained_on(ancestor)])
    return replace(find_leaks(hashed, trained), unchecked=explain_unchecked(hashed, trained))

"""A training that goes on from a model: what that one learned stays out of every measurement."""

from pathlib import Path

import pandas as pd

from melanoma_core.data.splitting import Split, continue_split
from melanoma_core.errors import RecipeError
from melanoma_core.models.card import load_card
from melanoma_core.models.lineage import read_split, was_learned
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.weights import KERAS_SUFFIX


def read_ancestor(recipe: Recipe) -> pd.DataFrame | None:
    """Return the split of the model that a recipe goes on from (`lineage.read_split`).

    Returns:
        None where it goes on from no model.

    Raises:
        ModelError: The file of weights lies in no model's folder, or the folder is damaged.
        RecipeError: The model does not tell what it learned from.
    """
    if not recipe.weights.endswith(KERAS_SUFFIX):
        return None
    folder = Path(recipe.weights).parent
    card = load_card(folder)
    split = read_split(folder)
    if split is None:
        raise RecipeError(
            f"The model {card.model_id} does not tell which photographs it learned from, so that "
            "no figure of a network that goes on from it could be believed. Go on from another "
            "model, or start from ImageNet."
        )
    return split


def respect_ancestor(recipe: Recipe, split: Split) -> Split:
    """Leave every photograph in the subset in which the recipe's ancestor met it, if it has one.

    Raises:
        ModelError, RecipeError: As `read_ancestor`.
    """
    ancestor = read_ancestor(recipe)
    if ancestor is None:
        return split
    known = ancestor.assign(subset=ancestor["subset"].mask(was_learned(ancestor), "train"))
    return continue_split(split, known)

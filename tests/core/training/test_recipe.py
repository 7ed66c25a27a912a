import json

import pytest

from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import PRESETS, Recipe, make_recipe


def test_an_unknown_preset_is_answered_with_the_known_ones():
    with pytest.raises(RecipeError, match=r'no recipe "best"\. There are: transfer, quick\.'):
        make_recipe("best", [])


def test_an_unknown_field_is_answered_with_the_known_ones():
    with pytest.raises(RecipeError, match=r'no recipe field "epoch"\. There are: .*epochs'):
        make_recipe("quick", ["epoch=3"])


@pytest.mark.parametrize("change", ["epochs=many", "epochs=1.5", "epochs=", "epochs", "zoom=big"])
def test_a_value_of_the_wrong_kind_is_refused(change: str):
    with pytest.raises(RecipeError, match=r"It must be of the kind (int|float)"):
        make_recipe("quick", [change])


@pytest.mark.parametrize(
    "change",
    [
        "epochs=0",
        "batch_size=0",
        "image_size=31",
        "images_per_epoch=-1",
        "warmup_epochs=-1",
        "seed=-1",
        "dropout=1",
        "label_smoothing=-0.1",
        "shift=1",
        "brightness=nan",
        "contrast=1.5",
        "colour=-0.1",
        "class_balance=1.1",
        "learning_rate=0",
        "learning_rate=nan",
        "learning_rate=inf",
        "weight_decay=-1",
        "rotation=inf",
        "zoom=-0.1",
    ],
)
def test_a_value_that_asks_for_the_impossible_is_refused(change: str):
    name = change.partition("=")[0]

    with pytest.raises(RecipeError, match=rf"Found {name}=.*\. It must"):
        make_recipe("quick", [change])


def test_changes_are_parsed_by_the_kind_of_their_field_and_the_last_one_counts():
    recipe = make_recipe("quick", ["epochs=5", "learning_rate=1e-3", "seed=7", "epochs=6"])

    assert (recipe.epochs, recipe.learning_rate, recipe.seed) == (6, 0.001, 7)
    assert recipe.name == "quick"
    assert PRESETS["quick"].epochs == 3


def test_a_recipe_is_its_own_json():
    recipe = make_recipe("transfer", ["image_size=224"])

    assert Recipe(**json.loads(recipe.to_json())) == recipe

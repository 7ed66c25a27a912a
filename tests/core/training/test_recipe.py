from dataclasses import asdict

import pytest

from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import PRESETS, Architecture, Rebalancing, Recipe, make_recipe


def test_the_error_for_an_unknown_preset_lists_the_presets():
    with pytest.raises(
        RecipeError, match=r'no recipe "best"\. There are: baseline, augmented, .*leaky\.'
    ):
        make_recipe("best", [])


def test_the_error_for_an_unknown_field_lists_the_fields():
    with pytest.raises(RecipeError, match=r'no recipe field "epoch"\. There are: .*epochs'):
        make_recipe("quick", ["epoch=3"])


@pytest.mark.parametrize("change", ["epochs=many", "epochs=1.5", "epochs=", "epochs", "zoom=big"])
def test_a_value_of_the_wrong_kind_is_refused(change: str):
    with pytest.raises(RecipeError, match=r"It must be a (whole )?number, such as"):
        make_recipe("quick", [change])


@pytest.mark.parametrize(
    "change",
    [
        "epochs=0",
        "batch_size=0",
        "image_size=31",
        "images_per_epoch=-1",
        "warmup_epochs=-1",
        "frozen_stride=-1",
        "start_share=1",
        "seed=-1",
        "dropout=1",
        "label_smoothing=-0.1",
        "shift=1",
        "brightness=nan",
        "contrast=1.5",
        "colour=-0.1",
        "class_balance=1.1",
        "source_balance=-0.1",
        "blur=1",
        "vignette=1.1",
        "artefacts=-0.1",
        "jpeg=nan",
        "learning_rate=0",
        "learning_rate=nan",
        "learning_rate=inf",
        "weight_decay=-1",
        "rotation=inf",
        "zoom=-0.1",
        "head_epochs=-1",
        "head_learning_rate=0",
        "early_stopping=-1",
        "images_per_class=-1",
        "published_share=1",
        "target_sensitivity=0",
        "target_sensitivity=1",
        "skin_cancer_target_sensitivity=0",
        "skin_cancer_target_sensitivity=1",
        "mixup=-0.1",
        "focal_gamma=nan",
    ],
)
def test_a_value_out_of_range_is_refused(change: str):
    name = change.partition("=")[0]

    with pytest.raises(RecipeError, match=rf"Found {name}=.*\. It must"):
        make_recipe("quick", [change])


def test_changes_are_parsed_by_the_type_of_their_field_and_the_last_one_wins():
    recipe = make_recipe("quick", ["epochs=5", "learning_rate=1e-3", "seed=7", "epochs=6"])

    assert (recipe.epochs, recipe.learning_rate, recipe.seed) == (6, 0.001, 7)
    assert recipe.name == "quick"
    assert PRESETS["quick"].epochs == 3


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_is_restored_from_its_json(name: str):
    found = Recipe.from_json(PRESETS[name].to_json())

    assert found == PRESETS[name]
    assert [type(value) for value in asdict(found).values()] == [
        type(value) for value in asdict(PRESETS[name]).values()
    ]


def test_the_error_for_json_of_another_version_lists_the_fields():
    with pytest.raises(RecipeError, match=r'no recipe field "optimizer"\. There are: name, arch'):
        Recipe.from_json('{"name": "old", "optimizer": "sgd"}')


def test_every_preset_is_named_by_its_key():
    assert [recipe.name for recipe in PRESETS.values()] == list(PRESETS)


def test_the_presets_are_the_classical_path():
    assert list(PRESETS) == [
        "baseline",
        "augmented",
        "class-weighted",
        "rebalanced",
        "transfer",
        "transfer-lite",
        "transfer-efficientnet",
        "transfer-resnet",
        "transfer-convnext",
        "sources",
        "outline",
        "quick",
        "leaky",
    ]
    baseline = PRESETS["baseline"]
    assert baseline.architecture is Architecture.SMALL_CNN
    assert (baseline.image_size, baseline.batch_size, baseline.epochs) == (180, 32, 20)
    assert PRESETS["class-weighted"].rebalancing is Rebalancing.CLASS_WEIGHTS
    assert PRESETS["rebalanced"].rebalancing is Rebalancing.OVERSAMPLING
    assert {PRESETS[name].architecture for name in PRESETS if name.startswith("transfer")} == {
        architecture for architecture in Architecture if architecture.has_backbone
    }


def test_only_the_leaky_preset_leaks():
    assert [name for name, recipe in PRESETS.items() if recipe.leaks] == ["leaky"]


def test_a_recipe_that_leaks_needs_a_published_share():
    with pytest.raises(
        RecipeError, match=r"published_share=0\.0\. It must be above 0 to leak into"
    ):
        make_recipe("leaky", ["published_share=0"])


def test_a_network_without_a_backbone_has_no_head_epochs():
    with pytest.raises(RecipeError, match=r"head_epochs=5\. It must be 0: a SmallCNN has no"):
        make_recipe("transfer", ["architecture=SmallCNN"])


def test_the_total_includes_head_epochs():
    assert PRESETS["transfer"].total_epochs == 25
    assert PRESETS["baseline"].total_epochs == 20

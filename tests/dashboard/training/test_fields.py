import math
from dataclasses import fields, replace

from dashboard.training.field import Group
from dashboard.training.fields import (
    PRESET_DESCRIPTIONS,
    RECIPE_FIELDS,
    describe_changes,
    get_values,
)
from melanoma_core.training.recipe import PRESETS, Recipe


def test_every_field_of_a_recipe_can_be_set_and_is_explained():
    assert set(RECIPE_FIELDS) == {field.name for field in fields(Recipe)} - {"name"}
    assert {field.group for field in RECIPE_FIELDS.values()} == set(Group)
    assert all(field.label and field.help.endswith(".") for field in RECIPE_FIELDS.values())


def test_every_preset_is_described_and_lies_within_the_limits():
    assert list(PRESET_DESCRIPTIONS) == list(PRESETS)
    for recipe in PRESETS.values():
        for name, value in get_values(recipe).items():
            field = RECIPE_FIELDS[name]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                assert field.minimum <= value <= (field.maximum or math.inf), name


def test_only_the_preset_that_leaks_is_described_as_a_warning():
    warnings = [name for name, text in PRESET_DESCRIPTIONS.items() if text.startswith("Warning")]
    assert warnings == ["leaky"]


def test_changes_from_the_preset_are_described():
    preset = PRESETS["baseline"]
    assert describe_changes(get_values(preset), preset) == ""
    changed = replace(preset, epochs=7, mirror=True, weights="imagenet")
    assert describe_changes(get_values(changed), preset) == (
        "Initial weights: ImageNet instead of random initialisation; Epochs: 7 instead of 20; "
        "Mirroring: on instead of off"
    )

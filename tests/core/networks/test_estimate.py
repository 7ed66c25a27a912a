from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.networks import estimate
from melanoma_core.networks.estimate import estimate_cost
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.recipe import PRESETS, Recipe

TINY = {"image_size": 32, "batch_size": 8}


@pytest.fixture(autouse=True)
def measure_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_MEASURED_SECONDS", 0.1)


def test_the_estimate_of_an_oversampled_recipe_includes_its_synthetic_images(drawn_split: Split):
    recipe = replace(PRESETS["rebalanced"], **TINY)

    found = estimate_cost(recipe, drawn_split, tuple(Diagnosis))

    assert np.isnan(found.seconds_per_head_epoch)
    assert found.images_per_second > 0
    # 20 melanomas and 40 nevi become 80 images.
    assert found.seconds_per_epoch > 80 / found.images_per_second * 0.99
    assert found.total_seconds > 20 * found.seconds_per_epoch
    assert found.memory_bytes > 100e6  # the interpreter with its libraries


@pytest.mark.usefixtures("tiny_backbone")
def test_the_estimate_of_a_recipe_with_a_backbone_includes_its_head_epochs(drawn_split: Split):
    recipe = Recipe(name="tiny", head_epochs=3, epochs=2, **TINY)

    found = estimate_cost(recipe, drawn_split, tuple(Diagnosis))

    assert found.seconds_per_head_epoch > 0
    assert found.total_seconds > 3 * found.seconds_per_head_epoch + 2 * found.seconds_per_epoch

from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.training.recipe import Recipe, Schedule
from melanoma_core.training.schedule import (
    compute_learning_rate,
    find_best_epoch,
    should_stop_early,
)

RECIPE = Recipe(name="x", epochs=4, learning_rate=0.1, warmup_epochs=1)
STEPS = 10  # per epoch


def rates(recipe: Recipe) -> list[float]:
    return [compute_learning_rate(recipe, step, STEPS) for step in range(recipe.epochs * STEPS)]


@pytest.mark.parametrize("schedule", Schedule)
def test_the_warm_up_is_linear_from_one_percent(schedule: Schedule):
    found = rates(replace(RECIPE, schedule=schedule))

    np.testing.assert_allclose(found[:STEPS], 0.001 + 0.099 * np.arange(10) / 10)
    assert found[STEPS] == 0.1


def test_a_constant_learning_rate_does_not_change():
    assert set(rates(replace(RECIPE, schedule=Schedule.CONSTANT))[STEPS:]) == {0.1}


def test_the_cosine_schedule_falls_to_zero():
    found = rates(RECIPE)

    assert found[25] == pytest.approx(0.05)
    assert 0 < found[-1] < 0.0003
    assert sorted(found[STEPS:], reverse=True) == found[STEPS:]


def test_exponential_decay_falls_to_one_percent():
    found = rates(replace(RECIPE, schedule=Schedule.EXPONENTIAL))

    assert found[25] == pytest.approx(0.01)
    assert found[-1] == pytest.approx(0.1 * 0.01 ** (29 / 30))


def test_without_warm_up_the_first_step_has_the_maximum_rate():
    assert rates(replace(RECIPE, warmup_epochs=0))[0] == 0.1


def test_a_warm_up_longer_than_the_training_reaches_the_maximum_at_its_end():
    found = rates(replace(RECIPE, warmup_epochs=9))

    np.testing.assert_allclose(found, 0.001 + 0.099 * np.arange(40) / 40)


@pytest.mark.parametrize(
    ("losses", "best"),
    [([], None), ([np.nan], None), ([2.0], 0), ([2.0, 1.0, 1.0], 1), ([np.nan, 3.0, 4.0], 1)],
)
def test_the_best_epoch_is_the_first_of_the_smallest_loss(losses: list[float], best: int | None):
    assert find_best_epoch(losses) == best


@pytest.mark.parametrize(
    ("losses", "patience", "enough"),
    [
        ([], 1, False),
        ([1.0, 2.0, 3.0], 0, False),
        ([1.0, 2.0], 1, True),
        ([1.0, 2.0], 2, False),
        ([1.0, 2.0, 3.0], 2, True),
        ([1.0, 2.0, 0.5], 2, False),
        ([1.0, 1.0, 1.0], 2, True),  # an equal loss is no improvement
        ([np.nan, np.nan, np.nan], 1, False),
    ],
)
def test_early_stopping_waits_for_a_smaller_loss(losses: list[float], patience: int, enough: bool):
    assert should_stop_early(losses, patience) is enough

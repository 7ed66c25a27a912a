"""Learning rate schedules and early stopping."""

import math
from collections.abc import Sequence

from melanoma_core.training.recipe import Recipe, Schedule

# Shares of the maximum learning rate.
_WARMUP_START = 0.01
_DECAY_END = 0.01


def compute_learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step of the whole network.

    The rate rises linearly during the warm-up and then follows `Recipe.schedule`.

    Args:
        recipe: The recipe.
        step: Step of the whole network, counted from 0.
        steps_per_epoch: Batches per epoch.

    Example:
        >>> recipe = Recipe(name="example", epochs=10, learning_rate=0.1, warmup_epochs=0)
        >>> round(compute_learning_rate(recipe, step=50, steps_per_epoch=10), 3)
        0.05
    """
    num_steps = recipe.epochs * steps_per_epoch
    num_warmup = min(recipe.warmup_epochs * steps_per_epoch, num_steps)
    if step < num_warmup:
        return recipe.learning_rate * (_WARMUP_START + (1 - _WARMUP_START) * step / num_warmup)
    done = (step - num_warmup) / (num_steps - num_warmup)
    match recipe.schedule:
        case Schedule.CONSTANT:
            return recipe.learning_rate
        case Schedule.COSINE:
            return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
        case Schedule.EXPONENTIAL:
            return recipe.learning_rate * math.pow(_DECAY_END, done)


def find_best_epoch(losses: Sequence[float]) -> int | None:
    """Return the position of the smallest validation loss, the first of equal ones.

    Returns:
        None if every loss is NaN.

    Example:
        >>> find_best_epoch([0.9, 0.5, 0.5, 0.7])
        1
    """
    defined = [position for position, loss in enumerate(losses) if not math.isnan(loss)]
    return min(defined, key=lambda position: losses[position], default=None)


def should_stop_early(losses: Sequence[float], patience: int) -> bool:
    """Return whether early stopping ends a training (Prechelt 1998, doi:10.1007/3-540-49430-8_3).

    Args:
        losses: Validation loss of each epoch of the whole network so far.
        patience: `Recipe.early_stopping`; 0 disables early stopping.

    Example:
        >>> should_stop_early([0.9, 0.5, 0.6, 0.7], patience=2)
        True
    """
    best = find_best_epoch(losses)
    return patience > 0 and best is not None and len(losses) - 1 - best >= patience

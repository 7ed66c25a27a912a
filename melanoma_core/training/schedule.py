"""How fast a network learns at each step, and after which epoch it has learned enough."""

import math
from collections.abc import Sequence

from melanoma_core.training.recipe import Recipe, Schedule

_FIRST = 0.01  # of the highest learning rate: where the warm-up begins
_LAST = 0.01  # likewise: where exponential decay ends


def learning_rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step of the whole network, counted from 0.

    A straight line up during the warm-up; then what `Recipe.schedule` says.
    """
    num_steps = recipe.epochs * steps_per_epoch
    num_warmup = min(recipe.warmup_epochs * steps_per_epoch, num_steps)
    if step < num_warmup:
        return recipe.learning_rate * (_FIRST + (1 - _FIRST) * step / num_warmup)
    done = (step - num_warmup) / (num_steps - num_warmup)
    match recipe.schedule:
        case Schedule.CONSTANT:
            return recipe.learning_rate
        case Schedule.COSINE:
            return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2
        case Schedule.EXPONENTIAL:
            return recipe.learning_rate * math.pow(_LAST, done)


def find_best(losses: Sequence[float]) -> int | None:
    """Return the position of the smallest validation loss, the first of equal ones.

    Returns:
        None where no loss is a number.
    """
    defined = [position for position, loss in enumerate(losses) if not math.isnan(loss)]
    return min(defined, key=lambda position: losses[position], default=None)


def is_enough(losses: Sequence[float], patience: int) -> bool:
    """Return whether early stopping ends a training (Prechelt 1998, doi:10.1007/3-540-49430-8_3).

    Args:
        losses: Validation loss of each epoch of the whole network so far.
        patience: `Recipe.early_stopping`; with 0 no training is ended.
    """
    best = find_best(losses)
    return patience > 0 and best is not None and len(losses) - 1 - best >= patience

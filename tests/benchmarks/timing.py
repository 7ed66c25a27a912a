"""Medians of things measured in turn."""

import statistics
import time
from collections.abc import Callable

# what, here, compared with, that, ratio
Row = tuple[str, str, str, str, str]


def time_in_turn(
    actions: dict[str, Callable[[], object]], num_rounds: int, num_warmups: int = 2
) -> dict[str, float]:
    """Return the median seconds of each action, all of them run once in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(num_warmups + num_rounds):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            if round_number >= num_warmups:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def milliseconds(seconds: float) -> str:
    """Return seconds as text in milliseconds."""
    return f"{1000 * seconds:.1f} ms"

"""How many photographs this process has read and refused, for metrics: kinds and numbers alone."""

import threading
from collections import Counter

READ = "read"

_LOCK = threading.Lock()
_COUNTS: Counter[str] = Counter()


def count_result(refusal: str | None) -> None:
    """Count a photograph that a person has had read.

    Args:
        refusal: The kind of refusal; None if it was read.
    """
    with _LOCK:
        _COUNTS[READ if refusal is None else refusal] += 1


def list_counts() -> dict[str, int]:
    """Return the number of photographs by the kind of their refusal; `READ` for those read."""
    with _LOCK:
        return {READ: 0, **_COUNTS}

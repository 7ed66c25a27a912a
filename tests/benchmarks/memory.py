"""Resident memory of a process that goes on reading."""

from collections.abc import Iterable
from multiprocessing import get_context

import psutil

from tests.benchmarks.timing import Row


def measure() -> Iterable[Row]:
    """After 5,000 readings with their heatmaps, beside after 100, in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        early, late = pool.apply(_read_and_watch)
    yield (
        "resident memory after 5,000 readings in one process",
        f"{late / 2**20:.0f} MiB",
        "after 100",
        f"{early / 2**20:.0f} MiB",
        f"{late / early:.3f} times as much",
    )


def _read_and_watch() -> tuple[int, int]:
    from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
    from melanoma_core.data.images import decode_image
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import BUNDLED
    from melanoma_core.reading.reading import read_photograph

    photographs = [lesion.path.read_bytes() for lesion in DEMONSTRATION_LESIONS]
    classifier = load_classifier(BUNDLED)
    early = 0
    for number in range(1, 5001):
        data = photographs[number % len(photographs)]
        read_photograph(classifier, decode_image(data)).heatmaps()
        if number == 100:
            early = psutil.Process().memory_info().rss
    return early, psutil.Process().memory_info().rss

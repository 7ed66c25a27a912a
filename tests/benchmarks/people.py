"""Forty people who upload at once: memory, and the time until each has an answer."""

import threading
import time
from collections.abc import Iterable
from contextlib import nullcontext
from io import BytesIO
from multiprocessing import get_context

import psutil
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.benchmarks.timing import Row

_NUM_PEOPLE, _EACH = 40, 3
_SIZE, _LARGE_SIZE = (4000, 3000), (8000, 8000)  # px; every tenth photograph is the large one
_POLL_SECONDS = 0.02


def measure() -> Iterable[Row]:
    """Photographs in turns, as the pages read them, beside all at once."""
    results = {}
    for way in (True, False):
        with get_context("spawn").Pool(1) as pool:
            results[way] = pool.apply(_read_together, (way,))
    (peak, first, half, last), (all_peak, all_first, all_half, all_last) = (
        results[True],
        results[False],
    )
    what = f"{_NUM_PEOPLE} people upload {_EACH} photographs of 12 megapixels each, some of 64"
    yield (
        f"{what}: peak memory",
        f"{peak / 2**30:.1f} GiB",
        "all at once",
        f"{all_peak / 2**30:.1f} GiB",
        f"{all_peak / peak:.1f} times as much",
    )
    yield (
        "first answer, half of the people, everybody",
        f"{first:.1f} s, {half:.1f} s, {last:.1f} s",
        "all at once",
        f"{all_first:.1f} s, {all_half:.1f} s, {all_last:.1f} s",
        f"{all_first / first:.0f} times as long until the first",
    )


def _read_together(in_turns: bool) -> tuple[int, float, float, float]:
    """Return the peak memory, and the seconds until the first, the median and the last person."""
    from dashboard.shared.reading_model import _NUM_TURNS
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import BUNDLED
    from melanoma_core.reading.turns import Turns
    from melanoma_core.reading.worklist import Worklist

    classifier, turns = load_classifier(BUNDLED), Turns(_NUM_TURNS)
    usual, large = _draw(_SIZE, "JPEG"), _draw(_LARGE_SIZE, "PNG")
    worklists = [Worklist() for _ in range(_NUM_PEOPLE)]
    for person, worklist in enumerate(worklists):
        contents = [large if (person * _EACH + n) % 10 == 0 else usual for n in range(_EACH)]
        worklist.add((f"{n}.jpg", content) for n, content in enumerate(contents))
    answered: list[float] = []
    started = time.perf_counter()

    def read(worklist: Worklist) -> None:
        for number in range(_EACH):
            with turns.take() if in_turns else nullcontext():
                worklist.read_next(classifier)
            if number == 0:
                answered.append(time.perf_counter() - started)

    threads = [threading.Thread(target=read, args=(each,)) for each in worklists]
    for thread in threads:
        thread.start()
    peak = 0
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, _measure_memory())
        time.sleep(_POLL_SECONDS)
    answered.sort()
    return peak, answered[0], answered[len(answered) // 2], answered[-1]


def _draw(size: tuple[int, int], image_format: str) -> bytes:
    file = BytesIO()
    Image.open(DEMONSTRATION_LESIONS[0].path).resize(size).save(file, image_format)
    return file.getvalue()


def _measure_memory() -> int:
    """Return the resident memory of this process and of those that decode for it."""
    process, total = psutil.Process(), 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total

"""Measuring every photograph of HAM10000: its hashes, size, brightness, contrast and sharpness."""

import hashlib
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import imagehash
import loky
from PIL import Image

from melanoma_core.data.cache import FactCache
from melanoma_core.data.scanning import scan_files
from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.timing import Row

HAM10000 = PROJECT_ROOT.parent / "shared" / "data" / "ham10000" / "images"
_NUM_COMPARED = 1000  # of the usual way, which takes too long for all


def measure() -> Iterable[Row]:
    """A first scan and a second, beside two hashes of each file, one file after another."""
    paths = sorted(HAM10000.glob("*.jpg"))
    what = f"scan of {len(paths):,} photographs (HAM10000, 200×150), nothing known of them"
    if not paths:
        yield "scan of HAM10000", "missing: ../shared/data/ham10000", "–", "–", "–"
        return
    for path in paths:
        path.read_bytes()  # so that no way waits for the disk alone
    with tempfile.TemporaryDirectory() as folder:
        cache = FactCache(Path(folder))
        first = _time(lambda: scan_files(paths, cache))
        second = min(_time(lambda: scan_files(paths, cache)) for _ in range(3))
    some = paths[:: len(paths) // _NUM_COMPARED]
    usual = _time(lambda: _hash_one_by_one(some)) * len(paths) / len(some)
    yield (
        f"{what}, {loky.cpu_count()} processes",
        f"{len(paths) / first:,.0f} /s",
        "`hashlib.sha256` and `imagehash.dhash` alone, one file after another",
        f"{len(paths) / usual:,.0f} /s",
        f"{usual / first:.2f} times as fast",
    )
    yield (
        f"second scan of the {len(paths):,}, nothing changed",
        f"{second:.2f} s",
        "the first scan",
        f"{first:.2f} s",
        f"{first / second:.0f} times faster",
    )


def _hash_one_by_one(paths: Sequence[Path]) -> None:
    for path in paths:
        hashlib.sha256(path.read_bytes()).hexdigest()
        with Image.open(path) as image:
            imagehash.dhash(image)


def _time(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started

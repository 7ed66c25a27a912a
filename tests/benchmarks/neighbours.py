"""Every pair of hashes that differ in few bits, among as many as ISIC 2024 has photographs."""

import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from melanoma_core.data.neighbours import find_near_pairs, parse_hashes
from melanoma_core.data.scanning import scan_files
from tests.benchmarks.scan import HAM10000
from tests.benchmarks.timing import Row

_NUMBERS = (50_000, 100_000, 200_000, 400_000)
_NUM_COMPARED = 20_000  # hashes; pairwise comparison of more takes minutes
_NUM_PHOTOGRAPHS = 2000  # whose hashes the others are made of
_NUM_DRAWN = 200
_FLIPPED = 0.15  # share of a real hash's bits that are turned over to make another one
_NUM_BITS, _MAX_DISTANCE = 256, 16  # as in `copies.find_clusters`


def measure() -> Iterable[Row]:
    """Seconds and peak memory of each number in a process of its own."""
    origin = "HAM10000's" if HAM10000.is_dir() else "drawn lesions' (../shared is missing)"
    real = _hash_photographs()
    seconds = {}
    for number in _NUMBERS:
        with get_context("spawn").Pool(1) as pool:
            seconds[number], peak_bytes, num_pairs = pool.apply(_search, (real, number))
        yield (
            f"near pairs among {number:,} hashes made from {origin}: {num_pairs:,} found",
            f"{seconds[number]:.1f} s, {peak_bytes / 2**20:,.0f} MiB more at the peak",
            f"{_NUMBERS[0]:,} hashes",
            f"{seconds[_NUMBERS[0]]:.1f} s",
            f"{number / _NUMBERS[0]:.0f} times the hashes, "
            f"{seconds[number] / seconds[_NUMBERS[0]]:.1f} times the time",
        )
    hashes = make_hashes(real, _NUM_COMPARED)
    here, usual = (_time(find, hashes) for find in (_find_near, _compare_pairwise))
    yield (
        f"near pairs among {_NUM_COMPARED:,} hashes",
        f"{here:.2f} s",
        "comparing each with each in NumPy",
        f"{usual:.2f} s",
        f"{usual / here:.0f} times faster",
    )


def make_hashes(real: NDArray[np.uint64], number: int) -> NDArray[np.uint64]:
    """Make hashes as uneven as those of real photographs, of which one in fifty has a copy.

    Lesions lie in the middle of skin, so that most hashes share many bits: random ones would be
    far apart, and easy.
    """
    rng = np.random.default_rng(0)
    hashes = real[rng.integers(len(real), size=number)]
    hashes ^= _pack(rng.random((number, _NUM_BITS), dtype=np.float32) < _FLIPPED)
    copies = rng.choice(number, number // 50, replace=False)
    hashes[copies] = hashes[(copies + 1) % number]
    flips = rng.random((len(copies), _NUM_BITS), dtype=np.float32) < 1 / _NUM_BITS
    hashes[copies] ^= _pack(flips)
    return hashes


def _hash_photographs() -> NDArray[np.uint64]:
    paths = sorted(HAM10000.glob("*.jpg"))[::5][:_NUM_PHOTOGRAPHS]
    if paths:
        return _hash_files(paths)
    from melanoma_core.data.drawn.lesions import draw_lesion
    from melanoma_core.data.images import encode_jpeg
    from melanoma_core.taxonomy import Diagnosis

    kinds = list(Diagnosis)
    with tempfile.TemporaryDirectory() as folder:
        drawn = [Path(folder) / f"{seed}.jpg" for seed in range(_NUM_DRAWN)]
        for seed, path in enumerate(drawn):
            path.write_bytes(encode_jpeg(draw_lesion(kinds[seed % len(kinds)], seed, 96, 72)))
        return _hash_files(drawn)


def _hash_files(paths: Sequence[Path]) -> NDArray[np.uint64]:
    return parse_hashes(fact.dhash for fact in scan_files(paths) if fact.dhash)


def _pack(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return np.packbits(bits, axis=1).view(np.uint64)


def _search(real: NDArray[np.uint64], number: int) -> tuple[float, int, int]:
    hashes = make_hashes(real, number)
    process = psutil.Process()
    before, peak = process.memory_info().rss, [0]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    pairs = _find_near(hashes)
    seconds = time.perf_counter() - started
    stop.set()
    watcher.join()
    return seconds, max(peak[0] - before, 0), len(pairs)


def _find_near(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    return find_near_pairs(hashes, _MAX_DISTANCE)[0]


def _compare_pairwise(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    found = []
    for row in range(len(hashes) - 1):
        differing = np.bitwise_count(hashes[row + 1 :] ^ hashes[row]).sum(axis=1)
        near = np.flatnonzero(differing <= _MAX_DISTANCE)
        found.append(np.stack([np.full_like(near, row), near + row + 1], axis=1))
    return np.concatenate(found)


def _time(find, hashes: NDArray[np.uint64]) -> float:
    started = time.perf_counter()
    find(hashes)
    return time.perf_counter() - started

"""What a file says of itself: its hashes, its size, how bright and how sharp it is."""

import hashlib
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.facts import FileFacts
from melanoma_core.data.images import decode_image, read_bytes
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.progress import Progress

if TYPE_CHECKING:
    from melanoma_core.data.cache import FactCache


STANDARD_SIDE = 128  # px, at which the sharpness of pictures of all sizes is compared
_LUMA_LEVELS = np.linspace(0, 1, 256)
_ALONE_SECONDS = 0.5  # about what it takes to start other processes
_MAX_PROCESSES = 8  # one may need 600 MB for one large photograph
_BATCH_FILES = 16  # per message to a process: 10 ms of small pictures, seconds of large ones
_KEEP_SECONDS = 1.0  # what a killed scan may lose


def scan_files(
    paths: Sequence[Path], cache: "FactCache | None" = None, progress: Progress | None = None
) -> list[FileFacts]:
    """Measure the files, on all cores where it takes more than half a second.

    Args:
        paths: The files.
        cache: Knows what was measured before, also by a scan that was cancelled.
        progress: Called with the number done and the number in all: once for the files that the
            cache knows, then for each. What it raises cancels the scan and propagates.

    Returns:
        One entry per path, in order.

    Raises:
        DatasetError: A process that measures was killed.
    """
    known, versions = cache.recall(paths) if cache else ({}, {})
    new = [path for path in dict.fromkeys(paths) if path not in known]
    num_known = len(known)
    if progress and known:
        progress(num_known, num_known + len(new))
    fresh: dict[Path, FileFacts] = {}
    kept_at = time.monotonic()
    with closing(_measure_files(new)) as measured:
        try:
            for num_new, (path, facts) in enumerate(zip(new, measured, strict=True), start=1):
                known[path] = fresh[path] = facts
                if cache and time.monotonic() - kept_at > _KEEP_SECONDS:
                    cache.keep(fresh, versions)
                    fresh, kept_at = {}, time.monotonic()
                if progress:
                    progress(num_known + num_new, num_known + len(new))
        finally:
            if cache:
                cache.keep(fresh, versions)
    return [known[path] for path in paths]


def measure_file(path: Path) -> FileFacts:
    """Read, decode and measure one file."""
    try:
        data = read_bytes(path)
        photograph = decode_image(data)
    except ImageError as error:
        return FileFacts(error=str(error))
    pixels = photograph.pixels
    luma = Image.fromarray(pixels).convert("L")
    standard = standardise(luma)
    brightness, contrast = measure_light(luma)
    return FileFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        pixel_sha256=_hash_pixels(pixels),
        dhash=_hash_differences(standard),
        width=photograph.original_width,
        height=photograph.original_height,
        brightness=brightness,
        contrast=contrast,
        sharpness=measure_sharpness(standard),
    )


def difference_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the difference hash of a picture: is each pixel of 17×16 brighter than the one left?

    The idea is Neal Krawetz' (2013), the hash that of the imagehash library at `hash_size` 16:
    with its default of 8, different lesions, each dark in the middle of bright skin, are equal
    a hundred times as often. It finds candidates, which are confirmed on the pixels.

    Args:
        pixels: uint8 [height, width, 3].

    Returns:
        256 bits as 64 hexadecimal digits.
    """
    return _hash_differences(standardise(Image.fromarray(pixels).convert("L")))


def standardise(luma: Image.Image) -> Image.Image:
    """Return the luma at the size at which pictures of all sizes are compared."""
    return luma.resize((STANDARD_SIDE, STANDARD_SIDE), Image.Resampling.BILINEAR)


def _hash_differences(standard: Image.Image) -> str:
    small = np.asarray(standard.resize((17, 16), Image.Resampling.LANCZOS))
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def _hash_pixels(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def measure_light(luma: Image.Image) -> tuple[float, float]:
    """Return `FileFacts.brightness` and `contrast` of a luma.

    From the histogram: exact, and a fifth of the time.
    """
    share = np.array(luma.histogram()) / (luma.width * luma.height)
    mean = float(share @ _LUMA_LEVELS)
    return mean, float(np.sqrt(share @ (_LUMA_LEVELS - mean) ** 2))


def measure_sharpness(standard: Image.Image) -> float:
    """Return `FileFacts.sharpness` of a luma that `standardise` has made."""
    grey = np.asarray(standard, np.int16)
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    laplacian = (neighbours - 4 * grey[1:-1, 1:-1]).astype(np.float32)
    return float(laplacian.var()) / 255**2


def _measure_files(paths: Sequence[Path]) -> Generator[FileFacts, None, None]:
    """Measure in order: alone at first, so that a small folder does not wait for processes."""
    started = time.monotonic()
    for position, path in enumerate(paths):
        if time.monotonic() - started > _ALONE_SECONDS and len(paths) - position > _BATCH_FILES:
            yield from _measure_together(paths[position:])
            return
        yield measure_file(path)


def _measure_together(paths: Sequence[Path]) -> Generator[FileFacts, None, None]:
    """Measure in processes: threads would wait for each other between the calls into Pillow."""
    # Started as new interpreters, and unlike those of the standard library without running the
    # caller's main module again, which in a Streamlit server is the page.
    import loky

    batches = [paths[i : i + _BATCH_FILES] for i in range(0, len(paths), _BATCH_FILES)]
    executor = loky.ProcessPoolExecutor(min(loky.cpu_count(), _MAX_PROCESSES))
    try:
        for batch in executor.map(_measure_batch, batches):
            yield from batch
    except loky.BrokenProcessPool as error:
        raise DatasetError(
            "Found that a process that measures the photographs was killed, usually for want of "
            "memory. Free some and open the folder again; it goes on where it stopped."
        ) from error
    finally:
        executor.shutdown(kill_workers=True)


def _measure_batch(paths: Sequence[Path]) -> list[FileFacts]:
    return [measure_file(path) for path in paths]

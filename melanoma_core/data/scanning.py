"""Measure image files: their hashes, size, brightness, contrast, sharpness and tone of skin."""

import hashlib
import os
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.facts import FileFacts
from melanoma_core.data.formats.dicom_facts import read_facts, write_said
from melanoma_core.data.formats.dicom_frames import count_photographs
from melanoma_core.data.images import decode_image, read_bytes
from melanoma_core.data.orientations import list_canonical
from melanoma_core.data.skin_tone import estimate_ita
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.progress import Progress

if TYPE_CHECKING:
    from melanoma_core.data.cache import FactCache


_STANDARD_SIDE = 128  # px; makes the sharpness of images of all sizes comparable
_LUMA_LEVELS = np.linspace(0, 1, 256)
_SINGLE_PROCESS_SECONDS = 0.5  # about the time that starting worker processes takes
_MAX_PROCESSES = 8  # each can need 600 MB for one large photograph
_BLACK, _WHITE = 8, 247  # of 255; JPEG blurs the edge of an outline
_MIN_OUTLINE_SHARE = 0.98  # of the pixels that are black or white
_OUTLINE = (
    "The picture is black and white, like the outline of a lesion. A photograph is needed. Leave "
    'it out, or put outlines into a folder called "masks".'
)
_BATCH_FILES = 16  # per message to a process: takes 10 ms for small images, seconds for large ones
_STORE_SECONDS = 1.0  # at most this much work is lost if the scan is killed


def scan_files(
    paths: Sequence[Path], cache: "FactCache | None" = None, progress: Progress | None = None
) -> list[FileFacts]:
    """Measure image files, on all cores if it takes more than half a second.

    Args:
        paths: The files.
        cache: Cache of earlier measurements, including those of a cancelled scan.
        progress: Progress callback, called once for the files in the cache and then after each
            file. An exception that it raises cancels the scan and propagates.

    Returns:
        The measurements of each path, in the same order.

    Raises:
        DatasetError: A worker process was killed.
    """
    facts, versions = cache.load(paths) if cache else ({}, {})
    num_cached = len(facts)
    to_measure = [path for path in dict.fromkeys(paths) if path not in facts]
    total = num_cached + len(to_measure)
    if progress and num_cached:
        progress(num_cached, total)
    unsaved: dict[Path, FileFacts] = {}
    stored_at = time.monotonic()
    with closing(_measure_files(to_measure)) as measured:
        try:
            for path, new in zip(to_measure, measured, strict=True):
                facts[path] = unsaved[path] = new
                if cache and time.monotonic() - stored_at > _STORE_SECONDS:
                    cache.store(unsaved, versions)
                    unsaved, stored_at = {}, time.monotonic()
                if progress:
                    progress(len(facts), total)
        finally:
            if cache:
                cache.store(unsaved, versions)
    return [facts[path] for path in paths]


def resize_to_standard(luma: Image.Image) -> Image.Image:
    """Resize a luma image to 128×128 pixels, at which images of all sizes are compared."""
    return luma.resize((_STANDARD_SIDE, _STANDARD_SIDE), Image.Resampling.BILINEAR)


def measure_light(luma: Image.Image) -> tuple[float, float]:
    """Compute `FileFacts.brightness` and `FileFacts.contrast`.

    The result is exact. The histogram takes a fifth of the time that all pixels take.

    Args:
        luma: An image of mode L.

    Returns:
        Mean of the luma in [0, 1] and its standard deviation in [0, 0.5].

    Example:
        >>> measure_light(Image.new("L", (80, 80), 255))
        (1.0, 0.0)
    """
    share = np.array(luma.histogram()) / (luma.width * luma.height)
    mean = float(share @ _LUMA_LEVELS)
    return mean, float(np.sqrt(share @ (_LUMA_LEVELS - mean) ** 2))


def measure_sharpness(standard: Image.Image) -> float:
    """Compute `FileFacts.sharpness`.

    Args:
        standard: A luma image of standard size (`resize_to_standard`).

    Returns:
        Variance of the Laplacian, at least 0.
    """
    grey = np.asarray(standard, np.int16)
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    laplacian = (neighbours - 4 * grey[1:-1, 1:-1]).astype(np.float32)
    return float(laplacian.var()) / 255**2


def _measure_file(path: Path) -> FileFacts:
    data = b""
    try:
        data = read_bytes(path)
        photograph = decode_image(data)
    except ImageError as error:
        return FileFacts(error=str(error), num_photographs=count_photographs(data))
    luma = Image.fromarray(photograph.pixels).convert("L")
    if _is_outline(luma):
        return FileFacts(error=_OUTLINE)
    standard = resize_to_standard(luma)
    brightness, contrast = measure_light(luma)
    said = read_facts(data)
    return FileFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        pixel_sha256=_hash_pixels(photograph.pixels),
        dhash=_hash_differences(standard),
        width=photograph.original_width,
        height=photograph.original_height,
        brightness=brightness,
        contrast=contrast,
        sharpness=measure_sharpness(standard),
        canonical_dhash=_hash_canonical(standard),
        ita=estimate_ita(photograph.pixels),
        said=write_said(said) if said else None,
    )


def _is_outline(luma: Image.Image) -> bool:
    """Return whether a picture is black and white, or only one of them, like a mask."""
    counts = np.array(luma.histogram())
    extreme = counts[: _BLACK + 1].sum() + counts[_WHITE:].sum()
    is_two_valued = np.count_nonzero(counts) == 2
    return bool(is_two_valued or extreme >= _MIN_OUTLINE_SHARE * counts.sum())


def hash_look(pixels: NDArray[np.uint8]) -> str:
    """Return a hash that is nearly the same for near copies: `FileFacts.dhash`, of any pixels.

    Args:
        pixels: uint8 [height, width, 3], such as those that a network sees.

    Returns:
        256 bits as 64 hexadecimal digits. Copies differ in at most 16 of them (`copies`).
    """
    return _hash_differences(resize_to_standard(Image.fromarray(pixels).convert("L")))


def _hash_differences(standard: Image.Image) -> str:
    small = np.asarray(standard.resize((17, 16), Image.Resampling.LANCZOS))
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def _hash_canonical(standard: Image.Image) -> str:
    images = map(Image.fromarray, list_canonical(np.asarray(standard)))
    return "".join(dict.fromkeys(map(_hash_differences, images)))


def _hash_pixels(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def _measure_files(paths: Sequence[Path]) -> Generator[FileFacts, None, None]:
    """Measure files in order, in this process at first: a small folder needs no others."""
    started = time.monotonic()
    for position, path in enumerate(paths):
        elapsed = time.monotonic() - started
        if elapsed > _SINGLE_PROCESS_SECONDS and len(paths) - position > _BATCH_FILES:
            yield from _measure_in_processes(paths[position:])
            return
        yield _measure_file(path)


def _measure_in_processes(paths: Sequence[Path]) -> Generator[FileFacts, None, None]:
    """Measure files in worker processes: the interpreter lock would serialise threads."""
    # Unlike multiprocessing, loky does not run the main module again in each worker process. In a
    # Streamlit server, the main module is the page.
    import loky

    batches = [paths[i : i + _BATCH_FILES] for i in range(0, len(paths), _BATCH_FILES)]
    executor = loky.ProcessPoolExecutor(
        min(loky.cpu_count(), _MAX_PROCESSES), initializer=_end_with, initargs=(os.getpid(),)
    )
    try:
        for batch in executor.map(_measure_batch, batches):
            yield from batch
    except loky.BrokenProcessPool as error:
        raise DatasetError(
            "A worker process of the scan was killed, usually because memory ran out. Free some "
            "memory and open the folder again. The scan continues where it stopped."
        ) from error
    finally:
        executor.shutdown(kill_workers=True)


def _end_with(pid: int) -> None:
    """End this worker process when the process of the scan ends, however it ends."""

    def wait() -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait()
        os._exit(1)  # whatever the worker does, nothing takes its results any more

    threading.Thread(target=wait, daemon=True).start()


def _measure_batch(paths: Sequence[Path]) -> list[FileFacts]:
    return [_measure_file(path) for path in paths]

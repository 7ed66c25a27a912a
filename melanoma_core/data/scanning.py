"""What a file says of itself: its hashes and its size."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.images import read_image
from melanoma_core.errors import ImageError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FileFacts:
    """What was measured on one file.

    Attributes:
        sha256: Of the bytes, hexadecimal; equal for byte-identical copies.
        dhash: Difference hash of the picture, 64 hexadecimal digits; few of its bits differ
            for the same picture saved again at another size or quality.
        width: Upright width in pixels.
        height: Upright height in pixels.
    """

    sha256: str
    dhash: str
    width: int
    height: int


def scan_files(paths: Sequence[Path], progress: Progress | None = None) -> list[FileFacts | None]:
    """Measure the files, on all cores.

    Args:
        paths: The files.
        progress: Called with the number done and the number in all.

    Returns:
        One entry per path, in order; None where the file cannot be read as a photograph.
    """
    results: list[FileFacts | None] = []
    with ThreadPoolExecutor() as pool:  # Pillow lets go of the interpreter while it decodes
        for facts in pool.map(_scan_file, paths):
            results.append(facts)
            if progress:
                progress(len(results), len(paths))
    return results


def difference_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the difference hash of a picture: is each pixel of 17×16 brighter than the one left?

    The idea is Neal Krawetz' (2013), the hash that of the imagehash library at `hash_size` 16:
    with its default of 8, different lesions, each dark in the middle of bright skin, are equal.

    Args:
        pixels: uint8 [height, width, 3].

    Returns:
        256 bits as 64 hexadecimal digits.
    """
    grey = Image.fromarray(pixels).convert("L").resize((17, 16), Image.Resampling.LANCZOS)
    values = np.asarray(grey)
    return np.packbits(values[:, 1:] > values[:, :-1]).tobytes().hex()


def _scan_file(path: Path) -> FileFacts | None:
    try:
        photograph = read_image(path, max_side=256)  # enough for a hash of 17×16
    except ImageError:
        return None
    return FileFacts(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        dhash=difference_hash(photograph.pixels),
        width=photograph.original_width,
        height=photograph.original_height,
    )

"""Decode the photographs of a table once, at the input size of the network."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.files import explain_write_errors
from melanoma_core.progress import Progress
from melanoma_core.training.checkpoints import RESUME_ADVICE

# Decoded photographs take at most this share of the free memory; more of them go to a file.
_MEMORY_SHARE = 0.5
_FILE_NAME = "photographs.tmp"


def load_pixels(
    table: pd.DataFrame, image_size: int, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """Decode the photographs of a table into memory.

    Args:
        table: With `path`.
        image_size: Side of the square, in pixels.
        progress: Progress callback. An exception that it raises stops the work.

    Returns:
        uint8 [N, size, size, 3], in the order of the table.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """
    pixels = np.empty((len(table), image_size, image_size, 3), dtype=np.uint8)
    done = 0
    for _, chunk in decode_table(table, image_size, progress=progress):
        pixels[done : done + len(chunk)] = chunk
        done += len(chunk)
    return pixels


@contextmanager
def open_pixels(
    table: pd.DataFrame, image_size: int, folder: Path, progress: Progress | None = None
) -> Generator[NDArray[np.uint8], None, None]:
    """Decode the photographs of a table, into memory if they fit, otherwise into a file.

    Args:
        table: With `path`.
        image_size: Side of the square, in pixels.
        folder: Folder of the file, which is removed at the end.
        progress: Progress callback. An exception that it raises stops the work.

    Yields:
        uint8 [N, size, size, 3], in the order of the table.

    Raises:
        ImageError: A file was removed or changed since the table was made.
        FolderError: The folder cannot be written to, for example because the disk is full.
    """
    if fits_memory(len(table), image_size):
        yield load_pixels(table, image_size, progress)
        return
    path = folder / _FILE_NAME
    try:
        with explain_write_errors(path, RESUME_ADVICE):
            path.write_bytes(b"")
        for _, chunk in decode_table(table, image_size, progress=progress):
            # On a full disk, a write raises an error; a write to a memory map kills the process.
            with explain_write_errors(path, RESUME_ADVICE), path.open("ab") as file:
                file.write(chunk.data)
        shape = (len(table), image_size, image_size, 3)
        yield np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
    finally:
        # Windows cannot remove a mapped file. The next training overwrites it.
        with suppress(PermissionError):
            path.unlink(missing_ok=True)


def fits_memory(num_images: int, image_size: int) -> bool:
    """Return whether decoded photographs take at most half of the free memory.

    Args:
        num_images: Number of photographs.
        image_size: Side of the square, in pixels.
    """
    num_bytes = num_images * image_size**2 * 3
    return bool(num_bytes <= _MEMORY_SHARE * psutil.virtual_memory().available)

"""Photographs decoded once, at the size that the network sees."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.files import tell_full_disk
from melanoma_core.progress import Progress

# What photographs may take of the memory that is free; more of them are kept in a file.
MEMORY_SHARE = 0.5
_FILE_NAME = "photographs.tmp"


def load_pixels(
    table: pd.DataFrame, image_size: int, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """Decode the photographs of a table into memory.

    Returns:
        uint8 [N, size, size, 3], in the order of the table.

    Raises:
        ImageError: A file has gone or changed since the table was made.
    """
    pixels = np.empty((len(table), image_size, image_size, 3), dtype=np.uint8)
    done = 0
    for rows, batch in decode_table(table, image_size, progress=progress):
        pixels[done : done + len(rows)] = batch
        done += len(rows)
    return pixels


@contextmanager
def open_pixels(
    table: pd.DataFrame, image_size: int, folder: Path, progress: Progress | None = None
) -> Generator[NDArray[np.uint8], None, None]:
    """Decode the photographs of a table, into memory if they fit well, else into a file.

    Args:
        table: With `path`.
        image_size: Side of the square, in pixels.
        folder: Where the file is made, and removed at the end.
        progress: Called with the number of photographs done and their number in all; what it
            raises ends the work.

    Yields:
        uint8 [N, size, size, 3], in the order of the table.

    Raises:
        ImageError: A file has gone or changed since the table was made.
        FolderError: The folder cannot be written to, as on a full disk.
    """
    if fits_memory(len(table), image_size):
        yield load_pixels(table, image_size, progress)
        return
    path = folder / _FILE_NAME
    try:
        with tell_full_disk(path):
            path.write_bytes(b"")
        for _, batch in decode_table(table, image_size, progress=progress):
            # Written rather than mapped: on a full disk writing fails, but a mapping would kill
            # the process.
            with tell_full_disk(path), path.open("ab") as file:
                file.write(batch.data)
        shape = (len(table), image_size, image_size, 3)
        yield np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
    finally:
        # Windows keeps a file that is still mapped; the next training overwrites it.
        with suppress(PermissionError):
            path.unlink(missing_ok=True)


def fits_memory(num_images: int, image_size: int) -> bool:
    """Return whether that many decoded photographs take at most `MEMORY_SHARE` of free memory."""
    num_bytes = num_images * image_size**2 * 3
    return bool(num_bytes <= MEMORY_SHARE * psutil.virtual_memory().available)

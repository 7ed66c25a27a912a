"""Decode the photographs of a table in batches, with several threads.

Everything that runs a network over many photographs reads them through this module. It imports
pandas only for its types, because a reading must not import pandas.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

BATCH_SIZE = 64
_QUEUED_PER_WORKER = 4  # items in memory per thread, running or waiting to be consumed

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], num_workers: int
) -> Iterator[Result]:
    """Apply a function to items in several threads, holding only a few items in memory.

    When the consumer stops early, or an item raises an exception, the waiting items are cancelled.

    Args:
        function: Applied to each item.
        items: Consumed lazily.
        num_workers: Number of threads, at least 1.

    Yields:
        One result per item, in the order of the items.

    Example:
        >>> list(map_in_threads(abs, [-1, 2, -3], num_workers=2))
        [1, 2, 3]
    """
    remaining = iter(items)
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(num_workers)
    try:
        for item in islice(remaining, _QUEUED_PER_WORKER * num_workers):
            pending.append(pool.submit(function, item))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(remaining, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def decode_table(
    table: "pd.DataFrame",
    side: int,
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> Iterator[tuple["pd.DataFrame", NDArray[np.uint8]]]:
    """Decode the photographs of a table in batches, resized to squares as in a reading.

    Args:
        table: With `path`.
        side: Side of the squares, in pixels.
        batch_size: Photographs per batch; the last batch may be smaller.
        progress: Progress callback, called after each batch was consumed. An exception that it
            raises stops the work.

    Yields:
        The rows of a batch and its pixels, uint8 [B, side, side, 3], in the order of the table.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """

    def decode(path: Path) -> NDArray[np.uint8]:
        return resize_to_square(read_image(path).pixels, side)

    squares = map_in_threads(decode, map(Path, table["path"]), os.cpu_count() or 1)
    for start in range(0, len(table), batch_size):
        rows = table.iloc[start : start + batch_size]
        yield rows, np.stack(list(islice(squares, len(rows))))
        if progress is not None:
            progress(start + len(rows), len(table))

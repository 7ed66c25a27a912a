import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.decoding import decode_table, map_in_threads
from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.errors import ImageError


@pytest.fixture(scope="module")
def table(draw, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("decoded")
    paths = [draw(folder / f"{number}.png", number) for number in range(5)]
    return pd.DataFrame({"path": paths}, index=[9, 8, 7, 6, 5])


def test_results_come_in_the_order_of_the_items():
    first_may_end = threading.Event()

    def wait_for_second(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(5)
        first_may_end.set()
        return item

    assert list(map_in_threads(wait_for_second, range(20), 2)) == list(range(20))
    assert list(map_in_threads(wait_for_second, [], 2)) == []


def test_only_a_few_items_are_taken_ahead_of_the_consumer():
    taken: list[int] = []

    results = map_in_threads(abs, (taken.append(item) or item for item in range(100)), 2)
    next(results)

    assert len(taken) == 8
    results.close()


def test_an_error_ends_the_work():
    def fail(item: int) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        list(map_in_threads(fail, range(1000), 2))


def test_batches_hold_the_rows_and_the_pixels_of_a_reading(table: pd.DataFrame):
    calls: list[tuple[int, int]] = []

    batches = list(
        decode_table(table, 32, batch_size=2, progress=lambda *counts: calls.append(counts))
    )

    assert [rows.index.tolist() for rows, _ in batches] == [[9, 8], [7, 6], [5]]
    assert [pixels.shape for _, pixels in batches] == [
        (2, 32, 32, 3),
        (2, 32, 32, 3),
        (1, 32, 32, 3),
    ]
    expected = resize_to_square(read_image(table.loc[6, "path"]).pixels, 32)
    np.testing.assert_array_equal(batches[1][1][1], expected)
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_an_empty_table_has_no_batches(table: pd.DataFrame):
    assert list(decode_table(table.head(0), 32)) == []


def test_a_missing_file_is_named(table: pd.DataFrame, tmp_path: Path):
    with pytest.raises(ImageError, match=r"gone\.png"):
        list(decode_table(table.assign(path=tmp_path / "gone.png"), 32))

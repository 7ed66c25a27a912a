from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.errors import FolderError, ImageError
from melanoma_core.training import photographs
from melanoma_core.training.photographs import (
    fits_memory,
    load_pixels,
    open_pixels,
)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "_MEMORY_SHARE", 0.0)


def test_a_removed_photograph_is_named(drawn_split: Split, tmp_path: Path):
    table = drawn_split.table.head(2).assign(path=tmp_path / "gone.jpg")

    with pytest.raises(ImageError, match=r"no file .*gone\.jpg"):
        load_pixels(table, 64)


def test_an_empty_table_has_no_pixels(drawn_split: Split):
    assert load_pixels(drawn_split.table.head(0), 32).shape == (0, 32, 32, 3)


def test_progress_ends_at_the_number_of_photographs(drawn_split: Split):
    reported: list[tuple[int, int]] = []

    load_pixels(drawn_split.table.head(70), 32, lambda done, total: reported.append((done, total)))

    assert reported == [(64, 70), (70, 70)]


@pytest.mark.usefixtures("no_memory")
def test_photographs_that_do_not_fit_into_memory_are_in_a_file_with_the_same_pixels(
    drawn_split: Split, tmp_path: Path
):
    table = drawn_split.table.head(70)

    with open_pixels(table, 32, tmp_path) as pixels:
        assert isinstance(pixels, np.memmap)
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [70 * 32 * 32 * 3]
        np.testing.assert_array_equal(pixels, load_pixels(table, 32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_memory")
def test_the_file_is_removed_when_a_photograph_is_missing(drawn_split: Split, tmp_path: Path):
    table = drawn_split.table.head(70).copy()
    table.loc[69, "path"] = tmp_path / "gone.jpg"

    with pytest.raises(ImageError, match="gone"), open_pixels(table, 32, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_photographs_that_fit_into_memory_need_no_file(drawn_split: Split, tmp_path: Path):
    with open_pixels(drawn_split.table.head(2), 32, tmp_path) as pixels:
        assert not isinstance(pixels, np.memmap)
        assert list(tmp_path.iterdir()) == []


def test_a_trillion_photographs_do_not_fit_into_memory():
    assert fits_memory(1, 32)
    assert not fits_memory(10**12, 224)


@pytest.mark.usefixtures("no_memory")
def test_a_full_disk_is_an_error_and_does_not_kill_the_process(
    drawn_split: Split, tmp_path: Path, full_disk
):
    table = drawn_split.table.head(70)

    with (
        full_disk(100_000),
        pytest.raises(FolderError) as error,
        open_pixels(table, 64, tmp_path),
    ):
        pass

    message = str(error.value)
    assert message.startswith(f"Cannot write {tmp_path / 'photographs.tmp'} (File too large)")
    assert "Free some space on its disk, then resume the run" in message
    assert not (tmp_path / "photographs.tmp").exists()

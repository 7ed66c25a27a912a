import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.errors import ImageError
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.training import photographs
from melanoma_core.training.photographs import (
    fits_memory,
    load_pixels,
    open_pixels,
)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "_MEMORY_SHARE", 0.0)


def test_a_photograph_that_has_gone_since_is_named(drawn_split: Split, tmp_path: Path):
    table = drawn_split.table.head(2).assign(path=tmp_path / "gone.jpg")

    with pytest.raises(ImageError, match=r"no file .*gone\.jpg"):
        load_pixels(table, 64)


def test_no_photograph_is_no_pixels(drawn_split: Split):
    assert load_pixels(drawn_split.table.head(0), 32).shape == (0, 32, 32, 3)


def test_progress_ends_at_the_number_of_photographs(drawn_split: Split):
    told: list[tuple[int, int]] = []

    load_pixels(drawn_split.table.head(70), 32, lambda done, total: told.append((done, total)))

    assert told == [(64, 70), (70, 70)]


@pytest.mark.usefixtures("no_memory")
def test_what_does_not_fit_into_memory_lies_in_a_file_with_the_same_pixels(
    drawn_split: Split, tmp_path: Path
):
    table = drawn_split.table.head(70)

    with open_pixels(table, 32, tmp_path) as pixels:
        assert isinstance(pixels, np.memmap)
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [70 * 32 * 32 * 3]
        np.testing.assert_array_equal(pixels, load_pixels(table, 32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_memory")
def test_the_file_goes_too_when_a_photograph_has_gone(drawn_split: Split, tmp_path: Path):
    table = drawn_split.table.head(70).copy()
    table.loc[69, "path"] = tmp_path / "gone.jpg"

    with pytest.raises(ImageError, match="gone"), open_pixels(table, 32, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_fits_into_memory_needs_no_file(drawn_split: Split, tmp_path: Path):
    with open_pixels(drawn_split.table.head(2), 32, tmp_path) as pixels:
        assert not isinstance(pixels, np.memmap)
        assert list(tmp_path.iterdir()) == []


def test_a_trillion_photographs_do_not_fit_into_memory():
    assert fits_memory(1, 32)
    assert not fits_memory(10**12, 224)


def test_a_full_disk_is_told_in_a_sentence_and_kills_nothing(drawn_split: Split, tmp_path: Path):
    drawn_split.table.head(70).to_pickle(tmp_path / "table.pickle")
    code = (
        "import resource, sys, pandas as pd\n"
        "from pathlib import Path\n"
        "from melanoma_core.errors import FolderError\n"
        "from melanoma_core.training import photographs\n"
        "folder = Path(sys.argv[1])\n"
        "photographs._MEMORY_SHARE = 0.0\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    with photographs.open_pixels(pd.read_pickle(folder / 'table.pickle'), 64, folder):\n"
        "        print('opened')\n"
        "except FolderError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith(f"Cannot write {tmp_path / 'photographs.tmp'} (File too large)")
    assert "Free some space on its disk, then resume the run" in done.stdout
    assert not (tmp_path / "photographs.tmp").exists()

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.mean_images import compute_mean_images


def save_flat(path: Path, grey: int) -> Path:
    Image.new("RGB", (80, 64), (grey, grey, grey)).save(path)
    return path


def make_records(*rows: tuple[Path, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["path", "label", "sha256"])


def test_without_files_there_is_no_mean():
    assert compute_mean_images(make_records()) == {}


def test_the_mean_of_a_class_covers_its_readable_images(tmp_path: Path):
    records = make_records(
        (save_flat(tmp_path / "a.png", 100), "MEL", "1"),
        (save_flat(tmp_path / "b.png", 50), "MEL", "2"),
        (tmp_path / "gone.png", "MEL", "3"),
        (save_flat(tmp_path / "c.png", 200), "NV", "4"),
        (save_flat(tmp_path / "d.png", 9), "NV", None),
        (tmp_path / "also-gone.png", "DF", "5"),
        (save_flat(tmp_path / "e.png", 9), None, "6"),
    )
    calls: list[tuple[int, int]] = []

    means = compute_mean_images(records, lambda done, total: calls.append((done, total)))

    assert list(means) == ["MEL", "NV"]
    assert means["MEL"].shape == (128, 128, 3)
    assert np.unique(means["MEL"]).tolist() == [75]
    assert np.unique(means["NV"]).tolist() == [200]
    assert calls == [(done, 5) for done in range(1, 6)]


def test_an_exception_from_progress_cancels_the_work(tmp_path: Path):
    records = make_records((save_flat(tmp_path / "a.png", 1), "MEL", "1"))

    def cancel(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_mean_images(records, cancel)

"""Drawn outlines are cut on validation and compared with manually drawn ones on test."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.assessment.outlines import choose_outline_threshold, measure_outlines


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Four photographs; the left half of the first three is the lesion."""
    inside = np.zeros((80, 120), dtype=np.uint8)
    inside[:, :60] = 255
    (tmp_path / "masks").mkdir()
    names = ["a", "b", "c", "d"]
    for name in names[:3]:
        Image.fromarray(inside).save(tmp_path / "masks" / f"{name}_segmentation.png")
    return pd.DataFrame(
        {
            "path": [str(tmp_path / "images" / f"{name}.jpg") for name in names],
            "group": [0, 0, 1, 2],
            "source": ["one", "one", "two", "two"],
        },
        index=[3, 5, 6, 9],
    )


def draw(*shares: float) -> np.ndarray:
    """Return outlines of 40×40 cells, of which a share is drawn from the left."""
    columns = np.arange(40) + 0.5
    return np.stack([np.tile(columns < 40 * share, (40, 1)) for share in shares]).astype(np.float32)


def test_outlines_are_compared_at_the_size_of_the_manually_drawn_ones(table: pd.DataFrame):
    found = measure_outlines(draw(0.5, 0.25, 1.0, 0.0), table, 0.5)

    # Dice: 1, then 2 · 0.25 / 0.75, then 2 · 0.5 / 1.5; the fourth has no outline.
    assert set(found) == {"test", "test/one", "test/two"}
    assert found["test/one"]["dice"].value == pytest.approx((1 + 2 / 3) / 2)
    assert found["test/two"]["dice"].value == pytest.approx(2 / 3)
    assert found["test"]["dice"].value == pytest.approx((1 + 4 / 3) / 3)
    assert found["test"]["jaccard"].value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found["test"]["failed"].value == pytest.approx(2 / 3)
    assert (found["test"]["dice"].total, found["test"]["dice"].num_lesions) == (3, 2)
    assert found["test"]["dice"].low <= found["test"]["dice"].value <= found["test"]["dice"].high


def test_the_threshold_with_the_largest_mean_dice_is_chosen(table: pd.DataFrame):
    # The lesion was drawn with 0.45, the skin with 0.42.
    faint = np.where(draw(0.5, 0.5, 0.5, 0.5) > 0, np.float32(0.45), np.float32(0.42))

    assert choose_outline_threshold(faint, table) == 0.45


def test_without_outlines_nothing_is_measured(table: pd.DataFrame):
    rows = table.tail(1)

    assert measure_outlines(draw(0.5), rows, 0.5) == {}
    assert choose_outline_threshold(draw(0.5), rows) == 0.5

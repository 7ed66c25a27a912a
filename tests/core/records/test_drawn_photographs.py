import io

import numpy as np
import pytest
from PIL import Image

from melanoma_core.records.drawn_photographs import (
    HEIGHT,
    WIDTH,
    draw_dermoscopic,
    draw_site,
    encode,
    grow,
    outline_drawing,
)
from melanoma_core.records.outlines import measure_polygon
from melanoma_core.taxonomy import Diagnosis


def measure(pixels: np.ndarray) -> float:
    return measure_polygon(outline_drawing(pixels), HEIGHT, WIDTH)


def test_a_lesion_that_has_not_grown_is_drawn_as_it_was():
    pixels = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    assert grow(pixels, 1) is pixels


@pytest.mark.parametrize("factor", [1.15, 1.3])
def test_a_lesion_that_grows_covers_more_and_moves_no_skin_at_the_border(factor: float):
    before = draw_dermoscopic(Diagnosis.NV, 4, 0)
    after = draw_dermoscopic(Diagnosis.NV, 4, 0, factor)
    assert 1 + (factor - 1) / 3 < (measure(after) / measure(before)) ** 0.5 < factor
    border = np.s_[:, :60]
    assert np.abs(after[border].astype(int) - before[border]).max() <= 1


def test_an_outline_of_a_flat_picture_is_empty_or_all_of_it():
    flat = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    assert outline_drawing(flat) == ()


def test_a_ring_of_ink_marks_the_site_of_a_specimen():
    site = draw_site(draw_dermoscopic(Diagnosis.MEL, 0, 0))
    assert site.shape == (HEIGHT, WIDTH, 3)
    assert tuple(site[HEIGHT // 2, round(0.3 * WIDTH) + 2]) == (70, 40, 120)


def test_a_file_says_that_it_is_drawn():
    with Image.open(io.BytesIO(encode(draw_dermoscopic(Diagnosis.NV, 0, 0)))) as image:
        assert image.info["comment"] == b"Drawn by a program, not a photograph of anyone."

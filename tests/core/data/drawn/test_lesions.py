"""The drawn lesions: reproducible, and recognisable by the signs of their diagnosis."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from melanoma_core.data.drawn.lesions import (
    BLACK,
    BLUE_GREY,
    BROWN,
    DARK_BROWN,
    RED,
    TAN,
    draw_lesion,
    write_demonstration,
)
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.taxonomy import Diagnosis

SEEDS = range(6)


def draw_small(diagnosis, seed, view=0):
    return draw_lesion(diagnosis, seed, width=200, height=150, view=view).astype(np.float32)


def find_lesion(pixels):
    """Return the mask of pixels that differ from the skin by 50 in RGB, without hairs."""
    edge = np.concatenate([pixels[:8].reshape(-1, 3), pixels[-8:].reshape(-1, 3)])
    difference = np.linalg.norm(pixels - np.median(edge, axis=0), axis=2)
    mask = ndimage.binary_opening(ndimage.gaussian_filter(difference, 1.5) > 50, iterations=3)
    areas, num_areas = ndimage.label(mask)
    return areas == 1 + np.argmax(ndimage.sum(mask, areas, range(1, num_areas + 1)))


def measure_asymmetry(mask):
    """Return the share of the lesion that a rotation by 180 degrees does not map to itself."""
    rows, columns = np.nonzero(mask)
    turned = np.zeros_like(mask)
    turned_rows = np.clip(np.rint(2 * rows.mean() - rows).astype(int), 0, mask.shape[0] - 1)
    turned_columns = np.clip(
        np.rint(2 * columns.mean() - columns).astype(int), 0, mask.shape[1] - 1
    )
    turned[turned_rows, turned_columns] = True
    return (mask & ~turned).sum() / mask.sum()


def measure_colours(pixels):
    """Return the share of the lesion that is nearest to each dermoscopic colour."""
    palette = np.array([TAN, BROWN, DARK_BROWN, BLACK, BLUE_GREY, RED], np.float32)
    lesion = pixels[find_lesion(pixels)]
    nearest = np.linalg.norm(lesion[:, None] - palette, axis=2).argmin(axis=1)
    return np.bincount(nearest, minlength=len(palette)) / len(lesion)


def measure_ring(pixels, inner, outer):
    """Return the mean colour between two distances from the image centre, in pixels."""
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    distance = np.hypot(y - pixels.shape[0] / 2, x - pixels.shape[1] / 2)
    return pixels[(distance >= inner) & (distance < outer)].mean(axis=0)


@pytest.mark.parametrize("diagnosis", Diagnosis)
def test_equal_seeds_draw_equal_images_and_different_seeds_differ(diagnosis):
    drawing = draw_small(diagnosis, 0)
    assert np.array_equal(drawing, draw_small(diagnosis, 0))
    assert np.abs(drawing - draw_small(diagnosis, 1)).mean() > 5


def test_images_of_any_size_can_be_drawn():
    drawing = draw_lesion(Diagnosis.MEL, 0)
    assert (drawing.shape, drawing.dtype) == ((450, 600, 3), np.uint8)
    assert draw_lesion(Diagnosis.MEL, 0, width=8, height=6).shape == (6, 8, 3)
    assert draw_lesion(Diagnosis.MEL, 0, width=30, height=90).shape == (90, 30, 3)


def test_views_of_a_lesion_differ_but_have_its_colours():
    first = [draw_small(Diagnosis.MEL, seed) for seed in range(3)]
    second = [draw_small(Diagnosis.MEL, seed, view=1) for seed in range(3)]
    for i, a in enumerate(first):
        assert np.abs(a - second[i]).mean() > 5
        differences = [np.abs(measure_colours(a) - measure_colours(b)).sum() for b in second]
        assert [difference < 0.2 for difference in differences] == [i == j for j in range(3)]


def test_every_melanoma_is_less_symmetric_than_every_nevus():
    melanomas, nevi = (
        [measure_asymmetry(find_lesion(draw_small(diagnosis, seed))) for seed in SEEDS]
        for diagnosis in (Diagnosis.MEL, Diagnosis.NV)
    )
    assert min(melanomas) > 0.14 > max(nevi)
    assert np.mean(melanomas) == pytest.approx(0.30, abs=0.05)
    assert np.mean(nevi) == pytest.approx(0.08, abs=0.03)


def test_a_melanoma_has_at_least_four_colours_and_a_nevus_two():
    melanomas, nevi = (
        [(measure_colours(draw_small(diagnosis, seed)) > 0.03).sum() for seed in SEEDS]
        for diagnosis in (Diagnosis.MEL, Diagnosis.NV)
    )
    assert min(melanomas) >= 4
    assert nevi == [2] * len(SEEDS)


def test_a_dermatofibroma_is_brighter_in_its_centre_and_a_nevus_darker():
    def brighten(diagnosis, seed):
        pixels = draw_small(diagnosis, seed)
        return measure_ring(pixels, 0, 15).mean() - measure_ring(pixels, 30, 38).mean()

    assert min(brighten(Diagnosis.DF, seed) for seed in SEEDS) > 10
    assert max(brighten(Diagnosis.NV, seed) for seed in SEEDS) < -40


def test_a_vascular_lesion_is_redder_than_any_pigmented_one():
    def redness(diagnosis, seed):
        red, green, _ = measure_ring(draw_small(diagnosis, seed), 0, 25)
        return red - green

    assert min(redness(Diagnosis.VASC, seed) for seed in SEEDS) > 65
    for diagnosis in (Diagnosis.MEL, Diagnosis.NV, Diagnosis.BKL):
        assert max(redness(diagnosis, seed) for seed in SEEDS) < 65


def test_the_committed_files_are_what_the_generator_draws(tmp_path):
    for drawn, lesion in zip(write_demonstration(tmp_path), DEMONSTRATION_LESIONS, strict=True):
        with Image.open(drawn) as new, Image.open(lesion.path) as committed:
            assert committed.size == (600, 450)
            # Other processors and JPEG libraries round differently, by less than this.
            difference = np.abs(np.asarray(new, int) - np.asarray(committed, int))
        assert difference.mean() < 2, f"draw {lesion.file_name} again with write_demonstration"

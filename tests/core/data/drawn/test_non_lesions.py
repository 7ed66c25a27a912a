"""The drawn non-lesion images."""

import numpy as np
import pytest

from melanoma_core.data.drawn.non_lesions import NonLesionKind, draw_non_lesion


@pytest.mark.parametrize("kind", NonLesionKind)
def test_equal_seeds_draw_equal_images_and_different_seeds_differ(kind: NonLesionKind):
    first, again, other = (draw_non_lesion(kind, seed) for seed in (1, 1, 2))

    assert (first.shape, first.dtype) == ((450, 600, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_flat_colour_is_uniform_and_text_is_mostly_paper():
    flat = draw_non_lesion(NonLesionKind.FLAT_COLOUR, 0)
    page = draw_non_lesion(NonLesionKind.TEXT, 0)

    assert flat.std(axis=(0, 1)).max() < 5
    assert np.median(page) > 200
    assert page.min() < 120

"""Pictures that must be refused."""

import numpy as np
import pytest

from melanoma_core.data.drawn.impostors import ImpostorKind, draw_impostor


@pytest.mark.parametrize("kind", ImpostorKind)
def test_the_same_seed_draws_the_same_picture_and_another_another(kind: ImpostorKind):
    first, again, other = (draw_impostor(kind, seed) for seed in (1, 1, 2))

    assert (first.shape, first.dtype) == ((450, 600, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_flat_colour_is_one_and_text_is_mostly_paper():
    flat = draw_impostor(ImpostorKind.FLAT_COLOUR, 0)
    page = draw_impostor(ImpostorKind.TEXT, 0)

    assert flat.std(axis=(0, 1)).max() < 5
    assert np.median(page) > 200
    assert page.min() < 120

import numpy as np
import pytest

from melanoma_core.data.orientations import list_canonical, list_orientations


def test_an_image_has_eight_different_orientations() -> None:
    image = np.arange(16).reshape(4, 4)
    seen = {each.tobytes() for each in list_orientations(image)}
    assert len(seen) == 8
    for each in list_orientations(image):
        assert {other.tobytes() for other in list_orientations(each)} == seen


@pytest.mark.parametrize("seed", range(20))
def test_all_orientations_of_an_image_have_the_same_canonical_ones(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)
    canonical = {each.tobytes() for each in list_canonical(image)}
    assert canonical
    for each in list_orientations(image):
        assert {other.tobytes() for other in list_canonical(each)} == canonical


def test_the_right_half_is_brighter_then_the_lower_half() -> None:
    image = np.zeros((4, 4), np.uint8)
    image[:, :2] += 100
    image[:2] += 50
    (canonical,) = list_canonical(image)
    assert canonical.tolist() == [[0, 0, 100, 100]] * 2 + [[50, 50, 150, 150]] * 2


def test_a_uniform_image_is_canonical_in_every_orientation() -> None:
    assert len(list_canonical(np.full((4, 4), 7, np.uint8))) == 8

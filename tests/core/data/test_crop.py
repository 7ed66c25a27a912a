import numpy as np
import pytest

from melanoma_core.data.crop import (
    Crop,
    crop_photograph,
    draw_crop,
    find_field_of_view,
    parse_sides,
)
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import Photograph, decode_image, encode_jpeg
from melanoma_core.errors import ImageError

ROWS, COLUMNS = np.mgrid[:600, :800]


def draw_disc(radius: float) -> np.ndarray:
    """Return skin that a dermoscope shows as a disc on black, uint8 [600, 800, 3]."""
    pixels = np.full((600, 800, 3), (205, 160, 140), np.uint8)
    pixels[radius**2 < (ROWS - 300) ** 2 + (COLUMNS - 400) ** 2] = 5
    return pixels


def test_a_black_photograph_has_no_field_of_view():
    assert find_field_of_view(np.zeros((90, 120, 3), np.uint8)) is None


@pytest.mark.parametrize("lesion", DEMONSTRATION_LESIONS, ids=lambda lesion: lesion.file_name)
def test_a_photograph_without_a_ring_is_not_cropped(lesion):
    assert find_field_of_view(decode_image(lesion.path.read_bytes()).pixels) is None


def test_a_dark_lesion_in_the_middle_is_no_ring():
    pixels = np.full((600, 800, 3), 180, np.uint8)
    pixels[(ROWS - 300) ** 2 + (COLUMNS - 400) ** 2 < 250**2] = 5
    assert find_field_of_view(pixels) is None


def test_a_ring_is_cropped_to_a_rectangle_inside_the_disc():
    crop = find_field_of_view(draw_disc(280))
    assert crop == Crop(0.2421875, 0.18229166666666666, 0.76171875, 0.8229166666666666)
    part = crop_photograph(Photograph(draw_disc(280), 800, 600, "JPEG"), crop)
    assert part.pixels.shape == (385, 415, 3)
    assert (part.pixels.max(axis=2) < 40).mean() < 0.005


def test_black_corners_are_cropped_and_most_is_kept():
    crop = find_field_of_view(draw_disc(420))
    assert crop is not None
    assert crop == Crop(0.11328125, 0.015625, 0.88671875, 0.984375)
    assert crop.share == pytest.approx(0.749, abs=0.001)


@pytest.mark.parametrize(
    "sides",
    [(0.5, 0, 0.5, 1), (0.6, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.01), (np.nan, 0, 1, 1)],
)
def test_an_impossible_crop_is_refused(sides):
    with pytest.raises(ImageError, match="Choose a rectangle inside it"):
        Crop(*sides)


def test_a_crop_of_few_pixels_is_refused():
    photograph = Photograph(np.zeros((100, 100, 3), np.uint8), 100, 100, "JPEG")
    with pytest.raises(ImageError, match=r"The crop is 50 × 100 pixels\. At least 64 × 64"):
        crop_photograph(photograph, Crop(0.25, 0, 0.75, 1))


def test_a_crop_holds_the_pixels_of_its_place():
    pixels = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)
    part = crop_photograph(Photograph(pixels, 400, 200, "PNG"), Crop(0.25, 0.2, 0.75, 0.9))
    assert (part.pixels == pixels[20:90, 50:150]).all()
    assert (part.original_width, part.original_height) == (200, 140)


def test_a_drawn_crop_is_dark_outside():
    drawn = decode_image(
        draw_crop(encode_jpeg(np.full((300, 400, 3), 200, np.uint8)), Crop(0.5, 0, 1, 1))
    )
    assert drawn.pixels[:, :190].max() < 60
    assert drawn.pixels[:, 210:].min() > 190


def test_whole_percent_go_there_and_back():
    assert Crop.of_percent((10, 85), (0, 100)).percent == ((10, 85), (0, 100))
    assert Crop.whole().percent == ((0, 100), (0, 100))


@pytest.mark.parametrize(
    "sent",
    [None, "drawn", [], [[1, 2]], [[2, 1], [0, 100]], [[0, 101], [0, 5]], [[0.5, 2], [0, 5]]],
)
def test_what_is_no_rectangle_from_a_browser_is_ignored(sent):
    assert parse_sides(sent) is None

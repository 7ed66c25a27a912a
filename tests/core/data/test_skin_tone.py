"""The typology angle of drawn skin of known colours, with what lies on and around it."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.outlines import read_outline, select_outlined
from melanoma_core.data.skin_tone import estimate_ita, name_ita_class, name_skin_tone

# Skin in sRGB with its L*, b* and angle, as scikit-image 0.26 converts them (`rgb2lab`, D65).
SKINS = [
    ((241, 215, 196), 87.63, 12.67, 71.39),
    ((224, 172, 140), 74.35, 23.81, 45.64),
    ((198, 134, 66), 61.18, 45.59, 13.78),
    ((110, 72, 56), 34.47, 16.21, -43.77),
]


def draw_skin(colour: tuple[int, int, int], side: int = 96) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


def test_without_skin_there_is_no_angle():
    assert estimate_ita(draw_skin((0, 0, 0))) is None
    assert estimate_ita(draw_skin((255, 255, 255))) is None
    assert estimate_ita(draw_skin((128, 128, 128))) is None
    assert estimate_ita(draw_skin((60, 40, 160))) is None  # ink
    assert estimate_ita(draw_skin((200, 150, 190))) is None  # bluish: another white balance


def test_a_picture_of_one_pixel_has_the_angle_of_its_colour():
    assert estimate_ita(draw_skin((224, 172, 140), side=1)) == pytest.approx(45.64, abs=0.02)


@pytest.mark.parametrize(("colour", "lightness", "yellow", "angle"), SKINS)
def test_the_angle_is_that_of_the_colour(
    colour: tuple[int, int, int], lightness: float, yellow: float, angle: float
):
    assert math.degrees(math.atan((lightness - 50) / yellow)) == pytest.approx(angle, abs=0.02)
    assert estimate_ita(draw_skin(colour)) == pytest.approx(angle, abs=0.02)


@pytest.mark.parametrize(("colour", "_lightness", "_yellow", "angle"), SKINS)
def test_lesion_ring_hair_ink_and_reflections_do_not_count(
    colour: tuple[int, int, int], _lightness: float, _yellow: float, angle: float
):
    pixels = draw_skin(colour)
    rows, columns = np.indices(pixels.shape[:2]) - 47.5
    pixels[np.hypot(rows, columns) < 26] = (72, 40, 30)  # a lesion in the middle
    pixels[:, ::12] = (25, 18, 14)  # hairs
    pixels[10:14, 20:80] = (50, 40, 140)  # ink
    pixels[80:84, 40:60] = (252, 250, 248)  # a reflection
    pixels[np.hypot(rows, columns) > 56] = (6, 5, 5)  # a dermoscope's ring

    assert estimate_ita(pixels) == pytest.approx(angle, abs=0.02)


def test_a_lesion_that_is_lighter_than_the_skin_does_not_count():
    pixels = draw_skin((110, 72, 56))
    pixels[24:72, 24:72] = (225, 180, 160)

    assert estimate_ita(pixels) == pytest.approx(-43.77, abs=0.02)


def test_noise_hardly_changes_the_angle():
    noise = np.random.default_rng(0).normal(0, 6, (96, 96, 3))
    pixels = np.clip(draw_skin((224, 172, 140)) + noise, 0, 255).astype(np.uint8)

    assert estimate_ita(pixels) == pytest.approx(45.64, abs=1.5)


@pytest.mark.parametrize(
    ("angle", "name"),
    [
        *((90, "very light"), (55.1, "very light"), (55, "light"), (41.1, "light")),
        *((41, "intermediate"), (28, "tan"), (10, "brown"), (-30, "brown"), (-30.1, "dark")),
    ],
)
def test_classes_are_those_of_chardon(angle: float, name: str):
    assert name_ita_class(angle) == name


def test_a_table_counts_before_the_estimate_and_an_estimate_is_called_one():
    assert name_skin_tone(None, None) is None
    assert name_skin_tone(math.nan, math.nan) is None
    assert name_skin_tone("V", 60.0) == "Fitzpatrick V"
    assert name_skin_tone(None, np.float64(60.0)) == "very light (estimate)"


def test_skin_is_found_about_as_well_as_outside_of_the_outlines_of_people(shared_data: Path):
    paths = sorted((shared_data / "ham10000" / "images").iterdir())[1::67]
    differences = []
    for _, row in select_outlined(pd.DataFrame({"path": paths})).iterrows():
        pixels = resize_to_square(read_image(row["path"]).pixels, 150)
        lesion = binary_dilation(read_outline(row["outline"], 150), iterations=6)
        skin = np.array(pixels)
        skin[lesion] = np.median(pixels[~lesion], axis=0) if (~lesion).any() else 0
        found, drawn = estimate_ita(pixels), estimate_ita(skin)
        if found is not None and drawn is not None:
            differences.append(abs(found - drawn))

    assert len(differences) > 50
    assert np.median(differences) < 0.8
    assert np.quantile(differences, 0.9) < 6


def test_the_documents_say_how_many_photographs_have_no_angle(real_records: pd.DataFrame):
    ham = real_records[real_records["source"] == "ham10000"]

    assert len(ham) == 10015
    assert ham["ita"].isna().sum() == 5768

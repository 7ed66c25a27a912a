"""What lies over a photograph in the viewer: as opaque as the evidence, and nothing elsewhere."""

import io

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.images import encode_jpeg
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.layers import draw_heatmap, draw_outline
from melanoma_core.reading.overlay import blend, encode_tint
from tests.made_readings import make_reading

CARD = load_card(BUNDLED)


def make_entry(width: int, height: int) -> Entry:
    reading = make_reading(dict.fromkeys(CARD.class_names, 1 / len(CARD.class_names)), 0.5)
    photograph = encode_jpeg(np.full((height, width, 3), 180, np.uint8))
    return Entry(0, "a.jpg", photograph, b"", reading, CARD, np.zeros((1, 1, 3), np.uint8))


def open_layer(layer: bytes) -> Image.Image:
    return Image.open(io.BytesIO(layer)).convert("RGBA")


def test_a_tint_laid_over_a_photograph_is_its_overlay():
    strengths = np.linspace(0, 1, 256, dtype=np.float32).reshape(8, 32)
    strengths[0, 0] = np.nan
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 3), np.uint8)
    laid = Image.fromarray(pixels).convert("RGBA")
    laid.alpha_composite(open_layer(encode_tint(strengths)))
    difference = np.asarray(laid)[..., :3].astype(int) - blend(pixels, strengths, 1)
    assert np.abs(difference).max() <= 1


def test_no_evidence_is_transparent_and_full_evidence_opaque():
    tint = open_layer(encode_tint(np.array([[0, 1]], np.float32)))
    assert [tint.getpixel((place, 0))[3] for place in (0, 1)] == [0, 255]


def test_a_strength_beyond_its_range_is_refused():
    with pytest.raises(ValueError, match="must be in"):
        encode_tint(np.array([[1.5]], np.float32))


@pytest.mark.parametrize(
    ("size", "tint"), [((1280, 853), (640, 426)), ((300, 80), (300, 80)), ((1280, 1), (640, 1))]
)
def test_layers_have_the_shape_of_the_photograph(size, tint):
    entry = make_entry(*size)
    region = np.zeros((7, 7), np.float32)
    region[3, 3] = 1
    assert open_layer(draw_heatmap(entry, "MEL", region)).size == tint
    assert open_layer(draw_heatmap(entry, "MEL", region, with_levels=True)).size == size
    assert draw_outline(entry) is None


def test_contour_lines_leave_most_of_the_photograph_free():
    region = np.zeros((7, 7), np.float32)
    region[3, 3] = 1
    lines = np.asarray(
        open_layer(draw_heatmap(make_entry(300, 300), "MEL", region, with_levels=True))
    )
    drawn = lines[lines[..., 3] > 0]
    assert 0.01 < len(drawn) / (300 * 300) < 0.3
    assert (drawn[:, 0] == drawn[:, 1]).all()  # black and white alone

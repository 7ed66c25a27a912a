"""A photograph as a phone stores it, HEIC of 12 megapixels in P3, is shown as it was taken."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.formats.code_points import find_space
from melanoma_core.data.formats.items import Property
from tests.core.data.formats.heif_files import encode, write_grid

TILE = 1008  # px; 4 × 3 of them
# The mean colour of each part of 4 × 4; smaller canvases leave pixels out.
READ_PIXELS = """image => {
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const {data} = context.getImageData(0, 0, width, height);
    const sums = new Array(48).fill(0);
    for (let place = 0; place < width * height; place++) {
        const row = Math.floor(4 * Math.floor(place / width) / height);
        const part = 4 * row + Math.floor(4 * (place % width) / width);
        for (let channel = 0; channel < 3; channel++)
            sums[3 * part + channel] += data[4 * place + channel];
    }
    return [width, height, sums.map(sum => 16 * sum / (width * height))];
}"""


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Image.Image]:
    """Return a HEIC file of a drawn lesion, and the lesion as it is to be seen, held upright."""
    with Image.open(DEMONSTRATION_LESIONS[0].path) as drawn:
        upright = drawn.convert("RGB").rotate(90, expand=True).resize((3 * TILE, 4 * TILE))
    profile = find_space(12, 13).make_profile()
    wide = ImageCms.profileToProfile(
        upright, ImageCms.createProfile("sRGB"), io.BytesIO(profile), outputMode="RGB"
    )
    stored = np.asarray(wide.rotate(90, expand=True))  # the phone was held upright
    rows = [np.split(row, 4, axis=1) for row in np.split(stored, 3)]
    options = {"quality": 60, "chroma": 420, "matrix_coefficients": 6, "icc_profile": profile}
    options["enc_params"] = {"preset": "ultrafast"}
    tiles = [[encode(np.ascontiguousarray(tile), **options) for tile in row] for row in rows]
    path = tmp_path_factory.mktemp("phone") / "IMG_0042.HEIC"
    turn = Property(b"irot", b"\3", is_essential=True)
    path.write_bytes(write_grid(tiles, (4 * TILE, 3 * TILE), turn))
    return path, upright


def test_a_photograph_of_a_phone_is_shown_upright_and_in_its_colours(open_page, photograph):
    path, upright = photograph
    page = open_page()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([path])
    shown = page.get_by_alt_text("Original photograph")
    expect(shown).to_have_count(1, timeout=90_000)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_text("IMG_0042.HEIC").first).to_be_visible()
    width, height, values = shown.evaluate(READ_PIXELS)
    assert height * 3 == width * 4
    expected = np.asarray(upright.resize((4, 4), Image.Resampling.BOX), int)
    found = np.reshape(values, (4, 4, 3))
    assert np.abs(found - expected).max() <= 3

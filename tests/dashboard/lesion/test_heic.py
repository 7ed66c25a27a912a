"""A HEIC photograph of a phone in the Photographs step: chosen, shown, and kept as a PNG."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.records.entities import Photograph
from melanoma_core.records.store import Record
from tests.core.data.test_images import orientation_exif
from tests.dashboard.lesion.conftest import OpenLesion
from tests.dashboard.lesion.test_page import click, read_all
from tests.drawn_record import DrawnLesion


@pytest.mark.parametrize("name", ["IMG_0042.HEIC", "IMG_0042.heif", "burst.hif"])
def test_a_photograph_of_a_phone_is_kept_upright_and_without_its_exif(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, name: str
):
    exif = orientation_exif(6)
    exif[315] = "Anna Muster"
    buffer = io.BytesIO()
    with Image.open(DEMONSTRATION_LESIONS[1].path) as drawn:
        made = pillow_heif.from_pillow(drawn.convert("RGB").resize((160, 120)))
    made.save(buffer, quality=70, exif=exif.tobytes())
    app = click(open_lesion(step="photographs"), "Add another")
    app.file_uploader[0].set_value([(name, buffer.getvalue(), "image/heic")]).run()
    app = click(app, "Save 1 photograph")

    assert "Saved" in read_all(app)
    _, added = record.find(Photograph, lesion_id=lesion.lesion_id)
    kept = record.images.read(added.value.sha256)
    assert (added.value.media_type, added.value.width, added.value.height) == (
        "image/png", 120, 160
    )  # fmt: skip
    assert b"Anna Muster" not in kept
    expected = decode_image(buffer.getvalue()).pixels
    np.testing.assert_array_equal(decode_image(kept).pixels, expected)

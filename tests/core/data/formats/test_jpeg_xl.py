"""JPEG XL is read where its library is installed, and refused by name elsewhere."""

import io
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.formats.budget import BUDGET, Budget, ExcessError, Meter
from melanoma_core.data.formats.jpeg_xl import declare_jpeg_xl
from melanoma_core.data.images import decode_here, decode_image
from melanoma_core.errors import ImageError
from tests.core.data.test_images import UPRIGHT, orientation_exif

IS_INSTALLED = find_spec("pillow_jxl") is not None
needs_library = pytest.mark.skipif(
    not IS_INSTALLED, reason="pillow-jxl-plugin is not installed; it is no dependency (GPL)"
)


def write_stream(*fields: tuple[int, int]) -> bytes:
    """Return the beginning of a stream, made of numbers and their bits."""
    value = shift = 0
    for number, num_bits in fields:
        value |= number << shift
        shift += num_bits
    return b"\xff\x0a" + value.to_bytes(60, "little")


def write_size(width: int, height: int) -> tuple[tuple[int, int], ...]:
    return (0, 1), (3, 2), (height - 1, 30), (0, 3), (3, 2), (width - 1, 30)


def in_boxes(stream: bytes) -> bytes:
    head = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    half = len(stream) // 2
    boxes = (
        (b"Exif", b"\0\0\0\0Jane Doe"),
        (b"jxlp", bytes(4) + stream[:half]),
        (b"jxlp", b"\x80\0\0\1" + stream[half:]),
    )
    return head + b"".join((8 + len(c)).to_bytes(4) + kind + c for kind, c in boxes)


def encode(pixels, **options):
    from pillow_jxl import JpegXLImagePlugin  # noqa: F401

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JXL", **({"lossless": True} | options))
    return buffer.getvalue()


@pytest.mark.parametrize("wrap", [bytes, in_boxes])
@pytest.mark.parametrize(
    ("fields", "pixels"),
    [
        (((1, 1), (9, 5), (0, 3), (14, 5)), 80 * 120),
        (((1, 1), (9, 5), (3, 3)), 80 * 106),  # four to three
        (((0, 1), (0, 2), (299, 9), (7, 3)), 300 * 600),
        (write_size(4032, 3024), 4032 * 3024),
    ],
)
def test_the_size_is_read_before_anything_is_decoded(wrap, fields, pixels):
    data = wrap(write_stream(*fields))
    with pytest.raises(ExcessError, match="pixels"):
        declare_jpeg_xl(data, Meter(Budget(pixels=pixels - 1)))
    with pytest.raises(ExcessError, match="values"):
        declare_jpeg_xl(data, Meter(Budget(samples=3 * pixels - 1)))


def test_an_image_that_is_too_large_or_an_animation_is_refused_by_name():
    with pytest.raises(ImageError, match="more than 64 million pixels"):
        decode_image(write_stream(*write_size(30_000, 30_000)))
    moving = ((0, 1), (1, 1), (0, 3), (0, 1), (0, 1), (1, 1))
    with pytest.raises(ImageError, match="The JPEG XL file is an animation"):
        decode_image(write_stream(*write_size(80, 80), *moving))


@pytest.mark.parametrize("kept", [3, 30, 60])
def test_a_part_of_a_file_is_refused(kept: int):
    data = in_boxes(write_stream(*write_size(80, 80)))[:kept]
    with pytest.raises(ImageError, match=r"incomplete or damaged|not an image of a known type"):
        decode_image(data)


@pytest.mark.skipif(IS_INSTALLED, reason="pillow-jxl-plugin is installed")
def test_where_the_library_is_missing_it_is_named():
    with pytest.raises(ImageError) as caught:
        decode_image(write_stream(*write_size(80, 80), (1, 1)))
    assert str(caught.value) == (
        "The file is a JPEG XL image. The package pillow-jxl-plugin reads it, which is not "
        "installed here. Install it with pip (its licence is GPL-3.0-or-later). Or: Save the "
        "photograph as a JPEG."
    )


@needs_library
def test_an_image_without_loss_keeps_every_pixel(picture):
    photograph = decode_image(encode(picture))
    np.testing.assert_array_equal(photograph.pixels, picture)
    assert photograph.image_format == "JXL"


@needs_library
def test_exif_reaches_no_decoder_and_its_orientation_does_not_count(picture):
    exif = orientation_exif(6)
    exif[315] = "Jane Doe"
    data = encode(picture, exif=exif.tobytes(), use_container=True)
    assert b"Jane Doe" in data
    assert b"Jane Doe" not in declare_jpeg_xl(data, Meter(BUDGET)).data
    np.testing.assert_array_equal(decode_here(data).pixels, picture)


@needs_library
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_jpeg_that_was_stored_as_jpeg_xl_is_turned_upright_once(picture, orientation, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(picture).save(path, quality=95, exif=orientation_exif(orientation))
    from pillow_jxl import JpegXLImagePlugin  # noqa: F401

    with Image.open(path) as image:
        image.save(tmp_path / "a.jxl", lossless_jpeg=True)
    photograph = decode_here((tmp_path / "a.jxl").read_bytes())
    expected = decode_here(path.read_bytes()).pixels
    assert photograph.pixels.shape == expected.shape
    assert np.abs(photograph.pixels.astype(int) - expected).mean() < 2

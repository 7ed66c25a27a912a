"""What a file asks for is counted before it is decoded. All files here are small and harmless."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.formats.budget import BUDGET, Budget, ExcessError, Meter
from melanoma_core.data.formats.jpeg import declare_jpeg
from melanoma_core.data.formats.png import declare_png
from melanoma_core.data.formats.tiff import declare_tiff
from melanoma_core.data.formats.webp import declare_webp
from melanoma_core.data.images import decode_image
from melanoma_core.errors import ImageError

AMPLE = {"pixels": 10**9, "samples": 10**12, "parts": 10**9, "tag_bytes": 10**12}
EXIF = b"Exif\0\0II*\0\x08\0\0\0"


def count(declare, data, unit):
    """Return how much of one unit a file asks for: the smallest budget that it fits into."""
    low, high = -1, 10**9
    while high - low > 1:
        middle = (low + high) // 2
        try:
            declare(data, Meter(Budget(**(AMPLE | {unit: middle}))))
            high = middle
        except ExcessError:
            low = middle
    return high


def encode(picture, image_format, **options):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, image_format, **options)
    return buffer.getvalue()


def add_segment(jpeg, marker, content):
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content + jpeg[2:]


def test_a_plain_jpeg_has_one_pass_and_a_progressive_one_several(picture):
    plain = encode(picture, "JPEG", subsampling="4:4:4")
    progressive = encode(picture, "JPEG", subsampling="4:4:4", progressive=True)
    assert count(declare_jpeg, plain, "samples") == 3 * picture.shape[0] * picture.shape[1]
    # Two scans of all three channels, and four, two and two of one.
    assert count(declare_jpeg, progressive, "samples") == (6 + 8) * picture[..., 0].size


def test_channels_with_fewer_pixels_count_less(picture):
    data = encode(picture, "JPEG", subsampling="4:2:0")
    assert count(declare_jpeg, data, "samples") == 1.5 * picture[..., 0].size


def test_scans_are_counted_to_the_end_of_the_image_alone(picture):
    data = encode(picture, "JPEG", progressive=True)
    expected = count(declare_jpeg, data, "samples")
    # A preview in the metadata, an end in a comment, and another image behind the end.
    for changed in (
        add_segment(data, 0xE1, data[:200] + b"\xff\xda\xff\xda"),
        add_segment(data, 0xFE, b"\xff\xd9"),
        data + data,
    ):
        assert count(declare_jpeg, changed, "samples") == expected


def test_a_comment_between_scans_hides_none_of_them(picture):
    data = encode(picture, "JPEG", progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    changed = data[:second] + b"\xff\xfe\0\4\xff\xd9" + data[second:]
    assert count(declare_jpeg, changed, "samples") == count(declare_jpeg, data, "samples")


def test_segments_and_what_lies_between_them_are_counted(picture):
    data = encode(picture, "JPEG")
    parts = count(declare_jpeg, data, "parts")
    assert count(declare_jpeg, add_segment(data, 0xFE, b"note"), "parts") == parts + 1
    assert count(declare_jpeg, data[:2] + b"\xff" * 9 + data[2:], "parts") == parts + 9
    resources = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 20
    assert count(declare_jpeg, add_segment(data, 0xED, resources), "parts") == parts + 22


def test_the_tags_of_exif_and_their_bytes_are_counted(picture):
    data = encode(picture, "JPEG")
    parts = count(declare_jpeg, data, "parts")
    tag = struct.pack("<HHII", 700, 1, 60, 8)  # sixty bytes, of another tag
    exif = EXIF + struct.pack("<H", 5) + tag * 5 + bytes(64)
    changed = add_segment(data, 0xE1, exif)
    assert count(declare_jpeg, changed, "parts") == parts + 1 + 5
    assert count(declare_jpeg, changed, "tag_bytes") == 5 * 60


def test_the_chunks_of_a_png_are_counted(picture, write_png):
    chunk = b"tEXt", b"Title\0spot"
    assert count(declare_png, write_png(picture), "parts") == 3
    assert count(declare_png, write_png(picture, chunk, chunk), "parts") == 5
    assert count(declare_png, write_png(picture), "samples") == picture.size


def test_the_strips_of_a_tiff_are_counted_as_often_as_they_are_declared(picture, write_tiff):
    tags = {258: (3, [8] * 3), 262: (3, [2]), 277: (3, [3]), 278: (4, [1])}
    rows = [row.tobytes() for row in picture]
    assert count(declare_tiff, write_tiff(tags, rows), "samples") == picture.size
    assert count(declare_tiff, write_tiff(tags, rows * 3), "samples") == 3 * picture.size
    one = count(declare_tiff, write_tiff(tags, rows), "parts")
    assert count(declare_tiff, write_tiff(tags, rows * 3), "parts") == one + 2 * len(rows)


def test_a_tile_counts_as_large_as_it_is_declared(write_tiff):
    tags = {258: (3, [8] * 3), 262: (3, [2]), 277: (3, [3])}
    tags |= {259: (3, [8]), 322: (4, [1024]), 323: (4, [2048])}
    data = write_tiff(tags, [zlib.compress(bytes(100))])
    assert count(declare_tiff, data, "samples") == 3 * 1024 * 2048


def test_scans_inside_a_tiff_are_counted(picture, write_tiff):
    inside = encode(picture, "JPEG", progressive=True)
    tags = {258: (3, [8] * 3), 259: (3, [7]), 262: (3, [6]), 277: (3, [3])}
    data = write_tiff(tags, [inside])
    assert count(declare_tiff, data, "samples") == inside.count(b"\xff\xda") * picture.size


def test_the_values_below_a_tiff_are_counted(picture, write_tiff):
    tags = {258: (3, [8]), 262: (3, [1]), 34665: (4, [8])}
    below = struct.pack("<HHHII", 1, 40000, 5, 30, 8) + bytes(4)
    data = write_tiff(tags, [below + bytes(picture[..., 0].size)])
    plain = write_tiff(tags | {34665: (4, [0])}, [below + bytes(picture[..., 0].size)])
    more = count(declare_tiff, data, "parts") - count(declare_tiff, plain, "parts")
    assert more == 1 + 30


def test_the_canvas_of_a_webp_is_checked_before_room_is_made_for_it(picture):
    image = Image.fromarray(picture).convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, exif=b"Exif\0\0II*\0")
    data = bytearray(buffer.getvalue())
    assert data[12:16] == b"VP8X"
    assert count(declare_webp, bytes(data), "pixels") == 100 * 72
    data[24:30] = b"\xff" * 6
    with pytest.raises(ImageError, match="more than 64 million pixels"):
        decode_image(bytes(data))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_a_file_beyond_its_budget_is_refused_with_the_reason(picture, image_format):
    data = encode(picture, image_format)
    with pytest.raises(ImageError, match="so many passes that decoding them would take too long"):
        decode_image(data, budget=Budget(samples=5000))
    with pytest.raises(ImageError, match="more than 7,000 pixels"):
        decode_image(data, budget=Budget(pixels=7000))
    if image_format not in {"WEBP", "BMP"}:
        with pytest.raises(ImageError, match="made of more than 2 parts"):
            decode_image(data, budget=Budget(parts=2))


def test_a_progressive_photograph_of_64_megapixels_is_within_the_budget():
    data = encode(np.zeros((64, 64, 3), np.uint8), "JPEG", progressive=True, subsampling="4:4:4")
    passes = count(declare_jpeg, data, "samples") / 64**2
    assert passes * BUDGET.pixels < BUDGET.samples


def test_photographs_of_real_cameras_are_far_within_the_budget(shared_data):
    for path in (shared_data / "full_resolution").glob("*.jpg"):
        data = path.read_bytes()
        assert count(declare_jpeg, data, "parts") < BUDGET.parts / 100
        assert count(declare_jpeg, data, "samples") < BUDGET.samples / 10

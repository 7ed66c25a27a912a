"""What a PNG says of its colours is followed, in the order of precedence of its specification."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from melanoma_core.data.formats.colour_space import ColourSpace
from melanoma_core.data.images import decode_image
from melanoma_core.errors import ImageError

SRGB_POINTS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
P3_POINTS = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
P3_TO_SRGB = np.array(
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)  # linear values; CSS Color 4


def gamma(exponent):
    return b"gAMA", struct.pack(">I", round(100_000 / exponent))


def primaries(points):
    return b"cHRM", struct.pack(">8I", *(round(point * 100_000) for point in points))


def code_points(*codes):
    return b"cICP", bytes(codes)


def profile(colour):
    return b"iCCP", b"profile\0\0" + zlib.compress(colour.make_profile())


def encode(linear):
    """Return linear values in [0, 1] as sRGB, float in [0, 255]."""
    low, high = linear * 12.92, 1.055 * np.clip(linear, 0.0031308, 1) ** (1 / 2.4) - 0.055
    return 255 * np.clip(np.where(linear <= 0.0031308, low, high), 0, 1)


def decode(values):
    """Return sRGB values in [0, 255] as linear ones in [0, 1]."""
    share = values / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def as_p3(values):
    return encode(decode(values) @ P3_TO_SRGB.T)


def difference(data, expected):
    return np.abs(decode_image(data).pixels - expected).max()


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma(2.2)],
        [primaries(SRGB_POINTS)],
        [gamma(2.2), primaries(SRGB_POINTS)],  # as ImageMagick writes them
        [code_points(1, 13, 0, 1)],
        [code_points(2, 2, 0, 1)],  # nothing is known
        [gamma(0.9), primaries(P3_POINTS), (b"sRGB", b"\0")],  # sRGB counts more
        [(b"gAMA", bytes(4))],
        [(b"cICP", b"\x0c")],  # too short to mean anything
    ],
)
def test_a_declaration_of_srgb_or_of_nothing_changes_nothing(picture, write_png, chunks):
    np.testing.assert_array_equal(decode_image(write_png(picture, *chunks)).pixels, picture)


@pytest.mark.parametrize(
    "chunks",
    [
        [code_points(12, 13, 0, 1)],
        [primaries(P3_POINTS)],
        [primaries(P3_POINTS), gamma(2.2)],
        [code_points(12, 13, 0, 1), (b"sRGB", b"\0")],  # cICP counts most
        [code_points(12, 13, 0, 1), profile(ColourSpace(curve=(1.0,)))],
        [profile(ColourSpace(tuple(zip(P3_POINTS[2::2], P3_POINTS[3::2], strict=True))))],
    ],
)
def test_display_p3_is_converted_however_it_is_declared(picture, write_png, chunks):
    assert difference(write_png(picture, *chunks), as_p3(picture)) <= 2.5


@pytest.mark.parametrize("chunk", [gamma(1.0), code_points(1, 8, 0, 1)])
def test_linear_values_are_converted(picture, write_png, chunk):
    assert difference(write_png(picture, chunk), encode(picture / 255)) <= 2.5


def test_another_exponent_is_converted(picture, write_png):
    data = write_png(picture, gamma(1.8))
    assert difference(data, encode((picture / 255) ** 1.8)) <= 2.5


@pytest.mark.parametrize("with_transparency", [False, True])
def test_grey_follows_its_exponent_too(picture, write_png, with_transparency):
    grey = picture[..., :1]
    opaque = np.full_like(grey, 255)
    stored = np.concatenate([grey, opaque], axis=-1) if with_transparency else grey
    expected = np.repeat(encode(grey / 255), 3, axis=-1)
    assert difference(write_png(stored, gamma(1.0)), expected) <= 2.5


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ((9, 16, 0, 1), "a high dynamic range (PQ)"),
        ((9, 18, 0, 1), "a high dynamic range (HLG)"),
        ((1, 13, 0, 0), "(cICP 1, 13, 0, 0)"),
        ((1, 13, 1, 1), "(cICP 1, 13, 1, 1)"),
        ((99, 13, 0, 1), "(cICP 99, 13, 0, 1)"),
        ((1, 99, 0, 1), "(cICP 1, 99, 0, 1)"),
    ],
)
def test_code_points_that_are_not_known_are_refused(picture, write_png, codes, named):
    with pytest.raises(ImageError) as caught:
        decode_image(write_png(picture, code_points(*codes)))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "chunk", [gamma(0.01), gamma(99), primaries([0.3] * 8), primaries([0.0] * 8)]
)
def test_impossible_colours_are_refused(picture, write_png, chunk):
    with pytest.raises(ImageError, match="The PNG image declares"):
        decode_image(write_png(picture, chunk))


def make_grey_profile(exponent):
    """Return the ICC profile of a grey space, from that of a colour space."""
    colour = ColourSpace(curve=(exponent,)).make_profile()
    return colour.replace(b"RGB XYZ", b"GRAYXYZ").replace(b"rTRC", b"kTRC")


@pytest.mark.parametrize("with_transparency", [False, True])
def test_the_profile_of_grey_is_followed_with_and_without_transparency(picture, with_transparency):
    grey = Image.fromarray(picture[..., 0])
    if with_transparency:
        grey = Image.merge("LA", [grey, Image.new("L", grey.size, 255)])
    buffer = io.BytesIO()
    grey.save(buffer, "PNG", icc_profile=make_grey_profile(1.4))
    expected = np.repeat(encode((picture[..., :1] / 255) ** 1.4), 3, axis=-1)
    assert difference(buffer.getvalue(), expected) <= 2.5


def test_grey_with_a_profile_of_colours_is_read_as_equal_colours(picture):
    buffer = io.BytesIO()
    made = ColourSpace(curve=(1.0,)).make_profile()
    Image.fromarray(picture[..., 0]).save(buffer, "JPEG", quality=100, icc_profile=made)
    expected = np.repeat(encode(picture[..., :1] / 255), 3, axis=-1)
    assert difference(buffer.getvalue(), expected) <= 16  # compression, in the darkest tones


def test_a_profile_that_is_made_is_valid_and_that_of_srgb_changes_nothing(picture):
    made = ColourSpace().make_profile()
    opened = ImageCms.ImageCmsProfile(io.BytesIO(made)).profile
    assert (opened.xcolor_space, opened.version) == ("RGB ", pytest.approx(4.3))
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", icc_profile=made)
    np.testing.assert_array_equal(decode_image(buffer.getvalue()).pixels, picture)


def test_the_orientation_in_a_text_is_kept(picture, write_png):
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0<rdf tiff:Orientation='6' tiff:Orientation=\"6\"/>"
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    raw = b"Raw profile type exif\0\nexif\n      26\n" + exif.hex().encode()
    for chunk in ((b"iTXt", xmp), (b"tEXt", raw)):
        photograph = decode_image(write_png(picture, (b"tEXt", b"Title\0spot"), chunk))
        np.testing.assert_array_equal(photograph.pixels, np.rot90(picture, -1))

"""A profile of sRGB changes nothing, however it asks to be pleased."""

import io
import struct
from importlib.resources import files
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from melanoma_core.data.colours import convert_to_srgb
from melanoma_core.data.formats.colour_space import SRGB_CURVE, ColourSpace
from melanoma_core.data.images import decode_image

GHOSTSCRIPT = Path("/usr/share/color/icc/ghostscript/a98.icc")  # of a Debian package
P3 = ColourSpace(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)))


def draw() -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    return Image.fromarray(values)


def decode(share):
    exponent, slope, offset, toe, limit = SRGB_CURVE
    return np.where(share < limit, share * toe, (share * slope + offset) ** exponent)


def write_table(curve):
    """Return an `mft2` table from RGB with a curve to XYZ, by the primaries of sRGB."""
    columns = ColourSpace()._find_columns()
    corners = np.array([[r, g, b] for r in (0, 1) for g in (0, 1) for b in (0, 1)])
    xyz = corners @ columns.T * 32768 / 65535
    parts = [curve(np.linspace(0, 1, 4096))] * 3, xyz.reshape(-1), [np.array([0, 1])] * 3
    numbers = np.concatenate([np.concatenate(parts[0]), parts[1], np.concatenate(parts[2])])
    head = struct.pack(">BBBx9iHH", 3, 3, 2, *(np.eye(3, dtype=int) * 65536).ravel(), 4096, 2)
    return b"mft2\0\0\0\0" + head + np.round(numbers * 65535).astype(">u2").tobytes()


def write_preference_profile() -> bytes:
    """Return sRGB with a perceptual table that brightens, as the ICC's preference profile has."""
    plain = ColourSpace().make_profile()
    tables = {b"A2B0": write_table(lambda x: decode(x) ** 0.8), b"A2B1": write_table(decode)}
    (count,) = struct.unpack_from(">I", plain, 128)
    behind = 132 + 12 * count
    shift = 12 * len(tables)
    entries, body = b"", plain[behind:]
    for name, offset, length in struct.iter_unpack(">4sII", plain[132:behind]):
        entries += name + struct.pack(">II", offset + shift, length)
    for name, table in tables.items():
        entries += name + struct.pack(">II", behind + shift + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    whole = plain[4:128] + struct.pack(">I", count + len(tables)) + entries + body
    return struct.pack(">I", 4 + len(whole)) + whole


def test_the_perceptual_table_of_srgb_is_not_used():
    image, profile = draw(), write_preference_profile()
    converted = np.asarray(convert_to_srgb(image, profile)).astype(int)
    srgb = ImageCms.createProfile("sRGB")
    pleased = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    assert np.abs(converted - np.asarray(image)).max() <= 1
    assert np.abs(np.asarray(pleased).astype(int) - np.asarray(image)).max() > 10


def test_a_profile_without_tables_is_converted_as_by_any_intent():
    image, profile = draw(), P3.make_profile()
    srgb = ImageCms.createProfile("sRGB")
    default = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
    np.testing.assert_array_equal(convert_to_srgb(image, profile), np.asarray(default))


def test_a_white_pixel_stays_white_in_every_space():
    white = Image.new("RGB", (8, 8), "white")
    for space in (P3, ColourSpace(curve=(1.8,)), ColourSpace(white=(0.3457, 0.3585))):
        assert np.unique(convert_to_srgb(white, space.make_profile())).tolist() == [255]


def find_packaged(package: str, *inner: str) -> bytes:
    """Return a profile as it lies in an installed package."""
    return Path(str(files(package).joinpath(*inner))).read_bytes()


ADOBE = ColourSpace(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), curve=(563 / 256,))
# IEC 61966-2-5 and CSS Color 4: linear Adobe RGB (1998) to linear sRGB.
ADOBE_TO_SRGB = np.array(
    [[1.3983, -0.3983, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429, 1.0429]]
)  # fmt: skip
P3_TO_SRGB = np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
SKIN = np.array([[214, 170, 150], [181, 125, 104], [120, 78, 62], [84, 52, 44], [40, 30, 28]])


def encode(linear):
    low, high = linear * 12.92, 1.055 * np.clip(linear, 0.0031308, 1) ** (1 / 2.4) - 0.055
    return 255 * np.clip(np.where(linear <= 0.0031308, low, high), 0, 1)


@pytest.mark.parametrize(
    "inner",
    [
        ("fpdf", "data", "color_profiles", "sRGB2014.icc"),  # version 2
        ("highdicom", "_icc_profiles", "sRGB_v4_ICC_preference.icc"),
    ],
    ids=["sRGB2014", "sRGB v4 preference"],
)
def test_the_profiles_of_srgb_by_the_icc_move_no_colour(inner: tuple[str, ...]):
    image = draw()
    converted = np.asarray(convert_to_srgb(image, find_packaged(*inner))).astype(int)
    assert np.abs(converted - np.asarray(image)).max() <= 1


def test_adobe_rgb_is_converted_as_its_standard_computes_it():
    pixels = np.tile(SKIN.astype(np.uint8), (4, 1, 1))
    expected = encode((pixels / 255) ** (563 / 256) @ ADOBE_TO_SRGB.T)
    profiles = [ADOBE.make_profile()]
    if GHOSTSCRIPT.is_file():  # a profile that was not made here
        profiles.append(GHOSTSCRIPT.read_bytes())
    for profile in profiles:
        converted = np.asarray(convert_to_srgb(Image.fromarray(pixels), profile)).astype(int)
        assert np.abs(converted - expected).max() <= 1.5
    assert np.abs(expected - pixels).max() > 15  # what it would be off without


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("JPEG", {"quality": 100, "subsampling": "4:4:4"}),
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
        ("HEIF", {"quality": -1, "chroma": 444, "matrix_coefficients": 0}),
    ],
)
def test_display_p3_is_converted_in_every_format(image_format: str, options: dict[str, object]):
    pixels = np.repeat(np.repeat(SKIN.astype(np.uint8)[None], 80, 0), 16, 1)
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    options |= {"icc_profile": P3.make_profile()}
    if image_format == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, **options)
    else:
        image.save(buffer, image_format, **options)
    expected = encode(decode(pixels / 255) @ P3_TO_SRGB.T)
    assert np.abs(decode_image(buffer.getvalue()).pixels - expected).max() <= 4
    assert np.abs(expected - pixels).max() > 8

"""A profile of sRGB changes nothing, however it asks to be pleased."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from melanoma_core.data.colours import convert_to_srgb
from melanoma_core.data.formats.colour_space import SRGB_CURVE, ColourSpace

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

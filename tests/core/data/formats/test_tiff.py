"""Every form of TIFF is read as it is, or refused by name. Arrays here are the reference."""

import io
import zlib
from itertools import product

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.images import decode_image
from melanoma_core.errors import ImageError

REVERSED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)
GREY, RGB, PALETTE, CMYK, YCBCR = 1, 2, 3, 5, 6


def tags_of(colour, bits, channels, **more):
    """Return the tags of a form; `more` are numbers of tags as `t284=[2]`."""
    tags = {258: (3, [bits] * channels), 262: (3, [colour]), 277: (3, [channels])}
    return tags | {int(name[1:]): (3, values) for name, values in more.items()}


def message_of(data):
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    return str(caught.value)


def split(pixels, order, bits, planes, tile):
    """Return the strips of 17 rows, or the tiles of 64 × 64, as bytes."""
    stored = pixels.astype(np.uint16) * 257 if bits == 16 else pixels
    stored = stored.astype(np.dtype(stored.dtype).newbyteorder(order))
    layers = [stored[..., index] for index in range(stored.shape[2])] if planes else [stored]
    blocks = []
    for layer in layers:
        if tile:
            rest = [(0, -side % 64) for side in layer.shape[:2]] + [(0, 0)] * (layer.ndim - 2)
            padded = np.pad(layer, rest)
            places = [(top, left) for top in (0, 64) for left in (0, 64)]
            blocks += [padded[top : top + 64, left : left + 64].tobytes() for top, left in places]
        else:
            blocks += [layer[top : top + 17].tobytes() for top in range(0, len(layer), 17)]
    return blocks


@pytest.mark.parametrize("tile", [False, True], ids=["strips", "tiles"])
@pytest.mark.parametrize("compression", [1, 8, 32946])
@pytest.mark.parametrize("planes", [False, True], ids=["together", "planes"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("colour", [RGB, CMYK])
def test_colours_of_8_and_16_bits_are_read_from_every_layout(
    picture, write_tiff, colour, order, bits, planes, compression, tile
):
    channels = 3 if colour == RGB else 4
    inks = np.concatenate([255 - picture, np.zeros_like(picture[..., :1])], axis=-1)
    blocks = split(picture if colour == RGB else inks, order, bits, planes, tile)
    if compression != 1:
        blocks = [zlib.compress(block) for block in blocks]
    tags = tags_of(colour, bits, channels, t259=[compression], t284=[2 if planes else 1])
    tags |= {322: (4, [64]), 323: (4, [64])} if tile else {278: (4, [17])}

    pixels = decode_image(write_tiff(tags, blocks, order)).pixels

    np.testing.assert_array_equal(pixels, picture)


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize(("colour", "bits"), [(0, 8), (1, 8), (1, 16)])
def test_grey_is_read_from_every_layout(
    picture, write_tiff, colour, bits, compression, order, planes
):
    grey = picture[..., :1]
    blocks = split(grey if colour else 255 - grey, order, bits, planes=False, tile=False)
    if compression != 1:
        blocks = [zlib.compress(block) for block in blocks]
    tags = tags_of(colour, bits, 1, t259=[compression], t284=[planes]) | {278: (4, [17])}

    pixels = decode_image(write_tiff(tags, blocks, order)).pixels

    np.testing.assert_array_equal(pixels, np.repeat(grey, 3, axis=-1))


@pytest.mark.parametrize("planes", [1, 2])
def test_bits_in_reverse_order_are_read(picture, write_tiff, planes):
    blocks = split(REVERSED[picture], "<", 8, planes == 2, tile=False)
    tags = tags_of(RGB, 8, 3, t266=[2], t284=[planes]) | {278: (4, [17])}
    np.testing.assert_array_equal(decode_image(write_tiff(tags, blocks)).pixels, picture)


def test_a_predictor_is_undone(picture, write_tiff):
    differences = np.diff(picture, axis=1, prepend=0).astype(np.uint8)
    tags = tags_of(RGB, 8, 3, t259=[8], t317=[2])
    data = write_tiff(tags, [zlib.compress(differences.tobytes())])
    np.testing.assert_array_equal(decode_image(data).pixels, picture)


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize(("meaning", "alpha"), [(0, 0), (1, 128), (2, 255)])
def test_a_fourth_channel_is_what_the_file_says(picture, write_tiff, meaning, alpha, planes):
    colours = picture // 2 if meaning == 1 else picture  # premultiplied
    channels = np.concatenate([colours, np.full_like(picture[..., :1], alpha)], axis=-1)
    tags = tags_of(RGB, 8, 4, t338=[meaning], t284=[planes])
    blocks = split(channels, "<", 8, planes == 2, tile=False)

    pixels = decode_image(write_tiff(tags | {278: (4, [17])}, blocks)).pixels.astype(int)

    expected = picture // 2 + 127 if meaning == 1 else picture  # half of it over white
    assert np.abs(pixels - expected).max() <= 2


def test_ycbcr_with_half_the_colours_is_read(picture, write_tiff):
    y, cb, cr = np.moveaxis(np.asarray(Image.fromarray(picture).convert("YCbCr")), -1, 0)
    block = np.stack([y[::2, ::2], y[::2, 1::2], y[1::2, ::2], y[1::2, 1::2]], axis=-1)
    data = np.concatenate([block, cb[::2, ::2, None], cr[::2, ::2, None]], axis=-1).tobytes()

    pixels = decode_image(write_tiff(tags_of(YCBCR, 8, 3, t530=[2, 2]), [data])).pixels

    assert np.abs(pixels.astype(int) - picture).mean() < 2


FORMS = {
    "signed": (tags_of(GREY, 8, 1, t339=[2]), "grey with 1 channel of signed 8 bits"),
    "12 bits": (tags_of(GREY, 12, 1), "grey with 1 channel of 12 bits"),
    "float": (tags_of(RGB, 32, 3, t339=[3]), "RGB with 3 channels of floating-point 32 bits"),
    "unsigned 32": (tags_of(GREY, 32, 1), "grey with 1 channel of 32 bits"),
    "mixed bits": (tags_of(RGB, 8, 3, t258=[8, 16, 8]), "8 bits and 16 bits"),
    "undescribed channel": (tags_of(RGB, 8, 4), "RGB with 4 channels of 8 bits, 0 of them"),
    "premultiplied grey": (tags_of(GREY, 8, 2, t338=[1]), "extra channels of the kinds 1"),
    "grey in planes": (tags_of(GREY, 8, 2, t338=[2], t284=[2]), "channels in planes of their own"),
    "three greys": (tags_of(GREY, 8, 3, t338=[0, 0], t284=[2]), "3 channels of 8 bits"),
    "negative of 16 bits": (tags_of(0, 16, 1), "grey, white as zero with 1 channel of 16 bits"),
    "inks": (tags_of(CMYK, 8, 4, t332=[2]), "its inks are not those of CMYK"),
    "mask": (tags_of(GREY, 8, 1, t254=[4]), "it is a mask"),
    "mask by colour": (tags_of(4, 1, 1), "its pixels are a mask"),
    "sensor": (tags_of(32803, 16, 1), "its pixels are raw data of a sensor"),
    "compression": (tags_of(RGB, 8, 3, t259=[34712]), "its compression has the number 34712"),
    "predictor": (tags_of(RGB, 8, 3, t317=[2]), "a predictor without a compression for it (none)"),
    "transfer": (
        tags_of(RGB, 8, 3, t301=[0] * 768),
        "a transfer function without a colour profile",
    ),
    "palette": (tags_of(PALETTE, 8, 1, t320=[*range(256)] * 3), "its palette has values of 8 bits"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_form_that_is_not_understood_is_refused_by_name(write_tiff, form, order):
    tags, named = FORMS[form]
    message = message_of(write_tiff(tags, [bytes(100 * 72 * 16)], order))
    assert message.startswith("The TIFF image uses a pixel layout that cameras do not produce: ")
    assert named in message
    assert message.endswith("Save it as a JPEG.")


def test_a_tiff_that_does_not_say_what_its_channels_mean_is_refused(picture, write_tiff):
    tags = tags_of(GREY, 8, 1)
    del tags[262]
    assert "does not say what its channels mean" in message_of(
        write_tiff(tags, [picture[..., 0].tobytes()])
    )


@pytest.mark.parametrize("compression", [1, 8])
def test_missing_strips_are_not_read_as_black(picture, write_tiff, compression):
    blocks = [picture[top : top + 24].tobytes() for top in (0, 24)]  # of three
    blocks = blocks if compression == 1 else [zlib.compress(block) for block in blocks]
    tags = tags_of(RGB, 8, 3, t259=[compression]) | {278: (4, [24])}
    assert message_of(write_tiff(tags, blocks)).startswith("The TIFF image is incomplete")


def test_declared_primaries_are_converted_unless_they_are_those_of_srgb(picture, write_tiff):
    def declare(*points):
        numbers = [part for point in points for part in (round(point * 10_000), 10_000)]
        return write_tiff(tags_of(RGB, 8, 3) | {319: (5, numbers)}, [picture.tobytes()])

    srgb = decode_image(declare(0.64, 0.33, 0.30, 0.60, 0.15, 0.06)).pixels
    p3 = decode_image(declare(0.68, 0.32, 0.265, 0.69, 0.15, 0.06)).pixels

    np.testing.assert_array_equal(srgb, picture)
    assert np.abs(p3.astype(int) - picture).mean() > 2


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        *product(
            ["RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "LAB"],
            [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"],
        ),
        *product(["RGB", "L", "CMYK"], ["jpeg"]),
        ("1", "group4"),
    ],
)
def test_what_pillow_writes_is_read_as_before(picture, mode, compression):
    image = Image.fromarray(picture)
    if mode == "LAB":
        image = Image.frombytes("LAB", image.size, bytes([128, 0, 0]) * 7200)
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", compression=compression)

    pixels = decode_image(buffer.getvalue()).pixels

    expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(pixels - expected).mean() <= (2 if compression == "jpeg" else 0)

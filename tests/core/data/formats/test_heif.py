"""HEIC and AVIF files are read as phones and cameras write them, or refused by name."""

import io
import random
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.formats.budget import BUDGET, Budget, ExcessError, Meter
from melanoma_core.data.formats.heif import declare_heif
from melanoma_core.data.formats.items import Property, Reference
from melanoma_core.data.formats.stills import Part, write_still
from melanoma_core.data.images import decode_here, decode_image
from melanoma_core.data.quality import find_choice
from melanoma_core.errors import ImageError
from tests.core.data.formats.heif_files import (
    box,
    encode,
    take_coded,
    write_grid,
    write_sequence,
)
from tests.core.data.test_images import UPRIGHT, orientation_exif

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
TILE = 128


def encode_avif(pixels, **options):
    buffer = io.BytesIO()
    options = {"quality": 100, "subsampling": "4:4:4", "speed": 9} | options
    Image.fromarray(pixels).save(buffer, "AVIF", **options)
    return buffer.getvalue()


def message_of(data, budget=BUDGET):
    with pytest.raises(ImageError) as caught:
        decode_here(data, budget=budget)
    return str(caught.value)


def difference(photograph, expected):
    return np.abs(photograph.pixels.astype(int) - expected).max()


def change_property(data, kind, content):
    """Return a file in which the first property of a kind says something else of that length."""
    start = data.index(kind) + 4
    return data[:start] + content + data[start + len(content) :]


def declare_size(data, width, height):
    return change_property(data, b"ispe", struct.pack(">III", 0, width, height))


# What is read.


def test_a_heic_without_loss_keeps_every_pixel(picture):
    photograph = decode_image(encode(picture))
    np.testing.assert_array_equal(photograph.pixels, picture)
    assert (photograph.original_width, photograph.original_height) == (100, 72)
    assert (photograph.image_format, photograph.num_images) == ("HEIF", 1)
    assert not photograph.pixels.flags.writeable


def test_an_avif_is_read(picture):
    photograph = decode_image(encode_avif(picture))
    assert photograph.image_format == "AVIF"
    assert difference(photograph, picture) <= 3


@pytest.mark.parametrize("encoder", [encode, encode_avif])
def test_a_process_and_this_one_decode_the_same(picture, encoder):
    data = encoder(picture)
    here, apart = decode_here(data), decode_within(data)
    np.testing.assert_array_equal(here.pixels, apart.pixels)
    assert vars(here).keys() == vars(apart).keys()


@pytest.mark.parametrize(("encoder", "limit"), [(encode, 0), (encode_avif, 3)])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_an_image_is_turned_upright_once(picture, encoder, limit, orientation):
    # Both encoders write `irot` and `imir`; that of HEIC keeps what EXIF says besides.
    data = encoder(picture, exif=orientation_exif(orientation).tobytes())
    photograph = decode_here(data)
    expected = UPRIGHT[orientation](picture)
    assert difference(photograph, expected) <= limit
    assert (photograph.original_height, photograph.original_width) == expected.shape[:2]


def test_an_orientation_that_exif_alone_says_does_not_count(picture):
    data = encode(picture, exif=orientation_exif(6).tobytes(), xmp=XMP)
    start = data.index(b"irot") + 4
    upright = data[:start] + b"\0" + data[start + 1 :]
    np.testing.assert_array_equal(decode_here(upright).pixels, picture)


def test_an_orientation_that_xmp_alone_says_does_not_count(picture):
    assert difference(decode_here(encode_avif(picture, xmp=XMP)), picture) <= 3


def test_what_says_who_and_where_reaches_no_decoder(picture):
    exif = orientation_exif(6)
    exif[315] = "Jane Doe"
    options = {"exif": exif.tobytes(), "xmp": XMP + b"Jane Doe", "thumbnails": [64]}
    for data in (encode(picture, **options), encode_avif(picture, exif=exif.tobytes())):
        assert b"Jane Doe" in data
        declared = declare_heif(data, Meter(BUDGET))
        assert b"Jane Doe" not in declared.data
        opened = declared.open(io.BytesIO(declared.data))
        assert b"Jane Doe" not in opened.info.get("exif", b"")
        assert "xmp" not in opened.info
    smaller = declare_heif(encode(picture), Meter(BUDGET)).data
    assert len(declare_heif(encode(picture, **options), Meter(BUDGET)).data) < len(smaller) + 40


def test_transparent_pixels_become_white(picture):
    image = Image.fromarray(picture).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 48, 72))
    for data in (encode(np.asarray(image)), encode_avif(np.asarray(image))):
        pixels = decode_here(data).pixels
        assert pixels[:, :46].min() >= 250
        assert np.abs(pixels[:, 50:].astype(int) - picture[:, 50:]).max() <= 4


@pytest.mark.parametrize("encoder", [encode, encode_avif])
def test_grey_is_read_as_equal_colours(picture, encoder):
    options = {"matrix_coefficients": 6} if encoder is encode else {"subsampling": "4:0:0"}
    pixels = decode_here(encoder(picture[..., 0], **options)).pixels
    assert np.abs(pixels.astype(int) - picture[..., :1]).max() <= 3


@pytest.mark.parametrize("mode", ["RGB;16", "L;16"])
def test_ten_bits_are_scaled_to_eight(picture, mode):
    source = picture if mode == "RGB;16" else picture[..., 0]
    deep = (source.astype(np.uint16) * 257).astype("<u2")
    buffer = io.BytesIO()
    made = pillow_heif.from_bytes(mode, (100, 72), deep.tobytes())
    made.save(buffer, quality=-1, chroma=444)
    pixels = decode_here(buffer.getvalue()).pixels.astype(int)
    assert np.abs(pixels - source.reshape(72, 100, -1)).max() <= 2


def test_the_tiles_of_a_phone_are_put_together_and_what_is_over_is_cut_off(picture):
    whole = np.asarray(Image.fromarray(picture).resize((2 * TILE, 2 * TILE)))
    parts = [np.hsplit(row, 2) for row in np.vsplit(whole, 2)]
    tiles = [[encode(np.ascontiguousarray(part)) for part in row] for row in parts]
    data = write_grid(tiles, (250, 200), Property(b"irot", b"\3", is_essential=True))
    photograph = decode_image(data)
    np.testing.assert_array_equal(photograph.pixels, np.rot90(whole[:200, :250], -1))
    assert photograph.num_images == 1


def test_a_crop_is_followed_in_heic_and_refused_in_avif(picture):
    numbers = struct.pack(">IIIIiIiI", 80, 1, 64, 1, 0, 1, 0, 1)
    crop = Property(b"clap", numbers, is_essential=True)
    data = write_still(b"heic", [take_coded(encode(picture), 1, crop)], [])
    np.testing.assert_array_equal(decode_here(data).pixels, picture[4:68, 10:90])
    other = write_still(b"avif", [take_coded(encode_avif(picture), 1, crop)], [])
    assert message_of(other).startswith("The AVIF image is cropped by a property of its file.")


def test_what_a_phone_appends_is_no_damage(picture):
    data = encode(picture) + b"\0\0\0\1mpvd" + bytes(3) + b"SEFT"
    np.testing.assert_array_equal(decode_here(data).pixels, picture)


# Several images.


def test_the_primary_image_of_a_burst_is_read_and_the_reading_says_so(picture):
    images = [Image.fromarray(np.roll(picture, 10 * n, 1)) for n in range(3)]
    file, buffer = pillow_heif.from_pillow(images[0]), io.BytesIO()
    for image in images[1:]:
        file.add_from_pillow(image)
    file.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, primary_index=1)
    photograph = decode_image(buffer.getvalue())
    np.testing.assert_array_equal(photograph.pixels, np.asarray(images[1]))
    (finding,) = find_choice(photograph)
    assert (finding.value, finding.limit, finding.refused) == (3, 1, False)
    assert finding.text.startswith("The file holds 3 images, and its primary image was read.")


@pytest.mark.parametrize("encoder", [encode, encode_avif])
def test_the_first_frame_of_a_sequence_is_read_where_there_is_no_image(picture, encoder):
    frames = [encoder(np.roll(picture, 30 * n, 1)) for n in range(4)]
    photograph = decode_image(write_sequence(frames))
    assert difference(photograph, picture) <= 3
    assert (photograph.chosen, photograph.num_images) == ("first frame", 4)


def test_a_sequence_is_turned_as_its_track_says(picture):
    data = write_sequence([encode(picture)], matrix=(0, 1, -1, 0))  # clockwise
    np.testing.assert_array_equal(decode_here(data).pixels, np.rot90(picture, -1))


def test_an_animation_of_pillow_is_read_by_its_primary_image(picture):
    others = [Image.fromarray(np.roll(picture, 30 * n, 1)) for n in (1, 2)]
    photograph = decode_here(encode_avif(picture, save_all=True, append_images=others))
    assert difference(photograph, picture) <= 3
    assert (photograph.chosen, photograph.num_images) == ("primary image", 3)


def test_a_thumbnail_is_no_image_of_its_own(picture):
    photograph = decode_here(encode(picture, thumbnails=[64]))
    assert photograph.num_images == 1
    assert find_choice(photograph) == ()


# Limits.


def test_a_size_beyond_the_limit_is_refused_before_anything_is_decoded(picture):
    data = declare_size(encode(picture), 20_000, 20_000)
    assert message_of(data).startswith("The image has more than 64 million pixels")


def test_an_image_under_64_pixels_is_refused(picture):
    assert message_of(encode(picture[:60, :60])).startswith("The image is 60 × 60 pixels.")


def test_pixels_that_are_more_than_declared_are_refused(picture):
    message = message_of(declare_size(encode(np.tile(picture, (4, 4, 1))), 64, 64))
    assert message.startswith("The file begins like a HEIC photograph")


@pytest.mark.parametrize("options", [{}, {"save_all": True}])
def test_the_frames_of_av1_count_as_large_as_they_are(picture, options):
    data = declare_size(encode_avif(np.tile(picture, (4, 4, 1)), **options), 64, 64)
    with pytest.raises(ExcessError, match="more than 115,199 pixels"):
        decode_here(data, budget=Budget(pixels=400 * 288 - 1))
    declare_heif(data, Meter(Budget(pixels=400 * 288)))


@pytest.mark.parametrize("encoder", [encode, encode_avif])
def test_the_work_is_counted(picture, encoder):
    data = encoder(picture)
    decode_here(data, budget=Budget(samples=3 * picture[..., 0].size))
    with pytest.raises(ExcessError):
        decode_image(data, budget=Budget(samples=3 * picture[..., 0].size - 1))
    with pytest.raises(ExcessError, match="more than 7,000 pixels"):
        decode_image(data, budget=Budget(pixels=7000))
    with pytest.raises(ExcessError, match="more than 5 parts"):
        decode_image(data, budget=Budget(parts=5))
    with pytest.raises(ExcessError, match="tags"):
        decode_image(data, budget=Budget(tag_bytes=50))


def test_a_tile_counts_as_often_as_it_is_used():
    tile = encode(np.zeros((TILE, TILE, 3), np.uint8))
    part = take_coded(tile, 2)
    declared = Property(b"ispe", struct.pack(">III", 0, 256, 256), is_essential=False)
    grid = Part(1, b"grid", struct.pack(">BBBBHH", 0, 0, 1, 1, 256, 256), (declared,))
    data = write_still(b"heic", [grid, part], [Reference(b"dimg", 1, (2, 2, 2, 2))])
    needed = 3 * 256 * 256 + 4 * 3 * TILE * TILE
    declare_heif(data, Meter(Budget(samples=needed)))
    with pytest.raises(ExcessError):
        declare_heif(data, Meter(Budget(samples=needed - 1)))


def test_thousands_of_tiles_are_declared_in_a_moment(picture):
    """Work that grows with the square of their number would take minutes here."""
    coded = take_coded(encode(picture), 1)
    size = Property(b"ispe", struct.pack(">III", 0, 100, 72), is_essential=False)
    described = struct.pack(">BBBBHH", 0, 0, 99, 99, 100, 72)
    numbers = tuple(range(2, 10_002))
    tiles = [Part(number, b"hvc1", b"", coded.properties[:1]) for number in numbers]
    grid = Part(1, b"grid", described, (size,))
    data = write_still(b"heic", [grid, *tiles], [Reference(b"dimg", 1, numbers)])
    assert "does not say how large" in message_of(data)


def test_an_image_that_is_made_of_itself_is_refused(picture):
    part = take_coded(encode(picture), 1)
    made = Part(1, b"iden", b"", part.properties)
    data = write_still(b"heic", [made, take_coded(encode(picture), 2)], [
        Reference(b"dimg", 1, (1, 2)),
    ])  # fmt: skip
    assert "made of itself" in message_of(data)


def test_what_needs_an_unknown_property_is_refused_by_its_name(picture):
    part = take_coded(encode(picture), 1, Property(b"zzzz", b"", is_essential=True))
    assert "a property that is not known here ('zzzz')" in message_of(
        write_still(b"heic", [part], [])
    )


def test_an_image_in_another_coding_is_refused_by_its_name(picture):
    data = encode(picture).replace(b"hvc1", b"vvc1")
    assert message_of(data).startswith("The HEIF image is coded as 'vvc1'. HEVC (HEIC) or AV1")


def test_a_file_that_names_no_image_is_refused(picture):
    data = encode(picture)
    start = data.index(b"pitm") + 8
    assert "names no image" in message_of(data[:start] + b"\x77\x77" + data[start + 2 :])


@pytest.mark.parametrize("encoder", [encode, encode_avif])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
def test_a_part_of_a_file_is_refused(picture, encoder, kept):
    data = encoder(picture)
    message = message_of(data[: int(len(data) * kept)])
    assert "incomplete or damaged" in message or "damaged, incomplete" in message


def test_a_part_of_a_sequence_is_refused(picture):
    data = write_sequence([encode(picture)])
    assert "incomplete or damaged" in message_of(data[:-20])


def test_every_damaged_file_is_either_read_or_refused(picture):
    originals = [
        encode(picture, exif=orientation_exif(6).tobytes()),
        write_sequence([encode(picture)]),
        encode_avif(picture),
    ]
    chance = random.Random(20)
    num_read = num_refused = 0
    for original in originals * 60:
        data = bytearray(original)
        for _ in range(chance.choice([1, 2, 8])):
            data[chance.randrange(12, min(len(data), 700))] = chance.randrange(256)
        try:
            decode_image(bytes(data))
        except ImageError:
            num_refused += 1
        else:
            num_read += 1
    assert num_read > 10
    assert num_refused > 30


# Colours.


def codes(*numbers):
    return b"nclx" + struct.pack(">HHHB", *numbers)


@pytest.mark.parametrize("encoder", [encode, encode_avif])
def test_display_p3_that_code_points_declare_is_converted(picture, encoder):
    from tests.core.data.formats.test_png import as_p3

    data = encoder(picture)
    start = data.index(b"nclx") + 4
    assert struct.unpack_from(">HH", data, start) in {(1, 13), (2, 2)}
    for curve in (13, 1, 6):
        changed = data[:start] + struct.pack(">HH", 12, curve) + data[start + 4 :]
        # Where P3 has a colour beyond sRGB, what compression changes is seen most.
        wrong = np.abs(decode_here(changed).pixels - as_p3(picture))
        assert np.percentile(wrong, 99) <= 4


@pytest.mark.parametrize("said", [(1, 13), (2, 2), (5, 6), (1, 1), (6, 6)])
def test_srgb_and_what_android_writes_for_it_change_nothing(picture, said):
    data = encode(picture)
    start = data.index(b"nclx") + 4
    changed = data[:start] + struct.pack(">HH", *said) + data[start + 4 :]
    np.testing.assert_array_equal(decode_here(changed).pixels, picture)


@pytest.mark.parametrize(
    ("said", "named"),
    [((9, 16), "a high dynamic range (PQ)"), ((9, 18), "(HLG)"), ((99, 13), "codes that are not")],
)
def test_colours_that_cannot_be_shown_are_refused(picture, said, named):
    data = encode(picture)
    start = data.index(b"nclx") + 4
    assert named in message_of(data[:start] + struct.pack(">HH", *said) + data[start + 4 :])


def test_a_profile_counts_more_than_code_points_and_that_of_the_tiles_where_a_grid_has_none(
    picture,
):
    from melanoma_core.data.formats.code_points import find_space
    from tests.core.data.formats.test_png import as_p3

    profile = find_space(12, 13).make_profile()
    whole = np.asarray(Image.fromarray(picture).resize((2 * TILE, TILE)))
    halves = [np.ascontiguousarray(half) for half in np.hsplit(whole, 2)]
    data = write_grid([[encode(half, icc_profile=profile) for half in halves]], (2 * TILE, TILE))
    assert data.count(b"prof") == 1
    assert difference(decode_here(data), as_p3(whole)) <= 3


def test_a_box_of_no_length_reaches_to_the_end_and_one_that_is_too_short_is_damage(picture):
    data = encode(picture)
    start = data.index(b"mdat") - 4
    np.testing.assert_array_equal(
        decode_here(data[:start] + bytes(4) + data[start + 4 :]).pixels, picture
    )
    short = box(b"ftyp", b"heic" + bytes(4)) + struct.pack(">I4s", 4, b"meta")
    assert "incomplete or damaged" in message_of(short)

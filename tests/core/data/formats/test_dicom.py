"""DICOM photographs in every form that is read, with the pixels that come out."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import ImageCms
from pydicom.data import get_testdata_file

from melanoma_core.data.formats.colour_space import ColourSpace
from melanoma_core.data.images import decode_here, decode_image
from melanoma_core.errors import ImageError
from tests.dicom_files import (
    BIG_ENDIAN,
    DEFLATED,
    DERMOSCOPIC,
    EXPLICIT,
    HIGH_THROUGHPUT,
    HIGH_THROUGHPUT_STREAM,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_FIRST,
    JPEG_LS,
    RLE,
    compress,
    convert,
    encode,
    make_photograph,
    to_ycbcr,
    wrap,
    write,
)

PLACE = 36, 50  # of the picture: 127, 127, 127
RED = 10, 90  # 229, 35, 99


def read(data: bytes):
    return decode_here(data).pixels


def differ(one, other) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def describe_refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as refusal:
        decode_here(data)
    return str(refusal.value)


def test_the_picture_of_these_tests_has_a_grey_middle_and_a_red_corner(picture):
    assert picture[PLACE].tolist() == [127, 127, 127]
    assert picture[RED].tolist() == [229, 35, 99]


@pytest.mark.parametrize("kind", ["1.2.840.10008.5.1.4.1.1.77.1.4", DERMOSCOPIC])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN])
def test_uncompressed_pixels_come_out_as_they_are_stored(picture, syntax, kind):
    photograph = decode_here(write(make_photograph(picture, kind), syntax))
    assert photograph.image_format == "DICOM"
    assert (photograph.original_width, photograph.original_height) == (100, 72)
    assert np.array_equal(photograph.pixels, picture)


def test_a_photograph_is_decoded_in_a_process_of_its_own(picture):
    photograph = decode_image(write(make_photograph(picture)))
    assert photograph.image_format == "DICOM"
    assert np.array_equal(photograph.pixels, picture)


def test_planes_are_put_together(picture):
    planes = np.moveaxis(picture, 2, 0).tobytes()
    dataset = make_photograph(picture, PixelData=planes, PlanarConfiguration=1)
    assert np.array_equal(read(write(dataset)), picture)


@pytest.mark.parametrize("in_planes", [False, True])
def test_ybr_is_converted_once(picture, in_planes):
    stored = to_ycbcr(picture)
    data = np.moveaxis(stored, 2, 0).tobytes() if in_planes else stored.tobytes()
    dataset = make_photograph(
        picture,
        PixelData=data,
        PhotometricInterpretation="YBR_FULL",
        PlanarConfiguration=int(in_planes),
    )
    pixels = read(write(dataset))
    assert pixels[RED].tolist() == [229, 35, 98]
    assert differ(pixels, picture) <= 1


def test_every_second_sample_of_colour_is_enough(picture):
    stored = to_ycbcr(picture)
    halves = np.empty((72, 50, 4), np.uint8)  # Y, Y, Cb, Cr
    halves[..., 0], halves[..., 1] = stored[:, ::2, 0], stored[:, 1::2, 0]
    halves[..., 2:] = stored[:, ::2, 1:]
    dataset = make_photograph(
        picture, PixelData=halves.tobytes(), PhotometricInterpretation="YBR_FULL_422"
    )
    pixels = read(write(dataset))
    assert pixels[RED].tolist() == [229, 35, 98]
    assert differ(pixels, picture) <= 6


def test_a_tag_that_says_half_the_colours_where_all_are_stored_is_no_reason_to_guess(picture):
    dataset = make_photograph(picture, PhotometricInterpretation="YBR_FULL_422")
    assert describe_refusal(write(dataset)).startswith(
        "The DICOM file contradicts itself: its tag says YBR_FULL_422, but its pixels have all "
        "samples of colour, as RGB and YBR_FULL have."
    )


def test_grey_is_read_and_white_as_zero_is_inverted(picture):
    grey = picture[..., 0]
    assert read(write(make_photograph(grey)))[RED].tolist() == [229, 229, 229]
    inverted = make_photograph(grey, PhotometricInterpretation="MONOCHROME1")
    assert read(write(inverted))[RED].tolist() == [26, 26, 26]


def test_of_16_bits_the_upper_8_are_read(picture):
    dataset = make_photograph(picture.astype(np.uint16) * 257)
    assert np.array_equal(read(write(dataset)), picture)
    twelve = make_photograph(picture.astype(np.uint16) << 4, BitsStored=12, HighBit=11)
    assert np.array_equal(read(write(twelve)), picture)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_a_palette_is_looked_up(bits, syntax):
    places = np.repeat(np.arange(72, dtype=np.uint8)[:, None], 100, axis=1)
    dataset = make_photograph(places, PhotometricInterpretation="PALETTE COLOR")
    first, number = 10, 50
    for colour, scale in (("Red", 5), ("Green", 3), ("Blue", 1)):
        values = np.arange(number, dtype=np.uint16) * scale
        stored = values * 256 if bits == 16 else values.astype(np.uint8)
        if syntax == BIG_ENDIAN:
            stored = stored.view(np.uint16).byteswap()
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [number, first, bits])
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", stored.tobytes())
    pixels = read(write(dataset, syntax))
    assert pixels[0, 0].tolist() == [0, 0, 0]  # below the first: the first
    assert pixels[20, 0].tolist() == [50, 30, 10]
    assert pixels[71, 0].tolist() == [245, 147, 49]  # beyond the last: the last


@pytest.mark.parametrize(
    ("syntax", "photometric"),
    [
        (RLE, "RGB"),
        (RLE, "YBR_FULL"),
        (JPEG_LOSSLESS, "RGB"),
        (JPEG_LOSSLESS_FIRST, "RGB"),
        (JPEG_LOSSLESS_FIRST, "YBR_FULL"),
        (JPEG_LS, "RGB"),
        (JPEG_LS, "YBR_FULL"),
        (JPEG_2000_LOSSLESS, "RGB"),
        (JPEG_2000_LOSSLESS, "YBR_FULL"),
    ],
)
def test_lossless_streams_of_gdcm_hold_the_pixels(picture, tmp_path, syntax, photometric):
    is_rgb = photometric == "RGB"
    stored = picture if is_rgb else to_ycbcr(picture)
    plain = write(make_photograph(stored, PhotometricInterpretation=photometric))
    pixels = read(compress(plain, syntax, tmp_path))
    assert differ(pixels, picture) <= (0 if is_rgb else 1)
    assert pixels[RED].tolist() == [229, 35, 99 if is_rgb else 98]


@pytest.mark.parametrize(
    "command",
    [
        ("dcmcrle",),
        ("dcmcjpls",),
        ("dcmcjpeg", "+e1"),
        ("dcmcjpeg", "+el"),
        ("dcmconv", "+te"),
        ("dcmconv", "+ti"),
        ("dcmconv", "+tb"),
        ("dcmconv", "+td"),
    ],
    ids=" ".join,
)
def test_lossless_files_of_dcmtk_hold_the_pixels(picture, tmp_path, command):
    data = convert(write(make_photograph(picture)), tmp_path, *command)
    assert np.array_equal(read(data), picture)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        (("+eb", "+cy", "+s4", "+q", "95"), 12),
        (("+eb", "+cy", "+s2", "+q", "95"), 25),
        (("+eb", "+cr", "+q", "95"), 6),
        (("+ee", "+cy", "+s4", "+q", "95"), 12),
    ],
    ids=["4:4:4", "4:2:2", "RGB", "extended"],
)
def test_jpeg_files_of_dcmtk_are_near(picture, tmp_path, options, most):
    data = convert(write(make_photograph(picture)), tmp_path, "dcmcjpeg", *options)
    assert differ(read(data), picture) <= most


@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "YBR_FULL", "RGB"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_jpeg_says_its_colours_itself_whatever_the_tag_says(picture, photometric, subsampling):
    stream = encode(picture, quality=95, subsampling=subsampling)
    pixels = read(wrap([stream], make_photograph(picture), JPEG, photometric))
    assert differ(pixels, picture) <= (6 if subsampling == 0 else 12)
    assert pixels[PLACE].tolist() == [127, 127, 127]


def test_a_jpeg_without_a_word_on_its_colours_has_those_of_the_tag():
    """Stored as RGB by a scanner of slides, without a marker; the file is pydicom's."""
    path = get_testdata_file("SC_jpeg_no_color_transform.dcm")
    pixels = read(Path(path).read_bytes())
    assert pixels.reshape(-1, 3).mean(axis=0).round(2).tolist() == [243.98, 243.98, 243.96]


def test_every_photograph_of_pydicom_comes_out_as_pydicom_decodes_it():
    found = {}
    folder = Path(get_testdata_file("SC_rgb_rle.dcm")).parent
    for path in sorted(folder.glob("SC_*.dcm")):
        expected = pydicom.dcmread(path)
        if path.stat().st_size < 1000 or expected.get("NumberOfFrames", 1) != 1:
            continue
        if min(expected.Rows, expected.Columns) < 64 or expected.BitsAllocated != 8:
            continue
        found[path.name] = differ(read(path.read_bytes()), expected.pixel_array)
    assert len(found) >= 18
    assert set(found.values()) == {0}


@pytest.mark.parametrize(
    ("mct", "photometric", "is_read"),
    [
        (1, "YBR_RCT", True),
        (1, "RGB", True),
        (1, "YBR_FULL", False),
        (0, "RGB", True),
        (0, "YBR_RCT", False),
    ],
)
def test_a_jpeg_2000_stream_says_whether_it_was_transformed(picture, mct, photometric, is_read):
    stream = encode(picture, "JPEG2000", irreversible=False, mct=mct, no_jp2=True)
    data = wrap([stream], make_photograph(picture), JPEG_2000_LOSSLESS, photometric)
    if is_read:
        assert np.array_equal(read(data), picture)
    else:
        assert f"its tag says {photometric}, but its JPEG 2000 pixels" in describe_refusal(data)


def test_ybr_in_a_jpeg_2000_stream_that_transforms_nothing_is_converted(picture):
    stream = encode(to_ycbcr(picture), "JPEG2000", irreversible=False, mct=0, no_jp2=True)
    data = wrap([stream], make_photograph(picture), JPEG_2000_LOSSLESS, "YBR_FULL")
    assert differ(read(data), picture) <= 1


def test_high_throughput_jpeg_2000_is_read():
    dataset = make_photograph(np.zeros((64, 64, 3), np.uint8))
    pixels = read(wrap([HIGH_THROUGHPUT_STREAM], dataset, HIGH_THROUGHPUT, "YBR_RCT"))
    assert np.unique(pixels[:, :32].reshape(-1, 3), axis=0).tolist() == [[200, 10, 30]]
    assert np.unique(pixels[:, 32:].reshape(-1, 3), axis=0).tolist() == [[20, 120, 60]]


def test_lossy_jpeg_2000_is_near(picture):
    stream = encode(picture, "JPEG2000", irreversible=True, quality_layers=[10], mct=1, no_jp2=True)
    data = wrap([stream], make_photograph(picture), JPEG_2000, "YBR_ICT")
    assert differ(read(data), picture) <= 12


def test_a_colour_profile_is_applied(picture):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert differ(read(write(make_photograph(picture, ICCProfile=profile))), picture) <= 1
    wide = ColourSpace(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))).make_profile()  # Display P3
    stream = encode(picture, quality=100, subsampling=0)
    for data in (
        write(make_photograph(picture, ICCProfile=wide)),
        wrap([stream], make_photograph(picture, ICCProfile=wide), JPEG, "RGB"),
    ):
        pixels = read(data)
        assert differ(pixels[RED], np.array([250, 0, 97])) <= 3  # redder in sRGB
        assert differ(pixels[PLACE], np.array([127, 127, 127])) <= 1


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size():
    large = np.zeros((1600, 4096, 3), np.uint8)
    large[:, :2048] = 200
    data = wrap([encode(large, quality=90)], make_photograph(large[:2]), JPEG, "YBR_FULL_422")
    assert "contradicts itself" in describe_refusal(data)
    data = wrap([encode(large, quality=90)], make_photograph(large), JPEG, "YBR_FULL_422")
    photograph = decode_here(data, 256)
    assert photograph.pixels.shape == (100, 256, 3)
    assert (photograph.original_width, photograph.original_height) == (4096, 1600)
    assert photograph.pixels[50, 30].tolist() == [200, 200, 200]

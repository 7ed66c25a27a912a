import random
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from melanoma_core.data.images import (
    MAX_BYTES,
    Photograph,
    decode_image,
    encode_jpeg,
    read_image,
    resize_to_square,
)
from melanoma_core.errors import ImageError

PROJECT_ROOT = Path(__file__).resolve().parents[3]
ORIENTATION = 274


def draw(width=96, height=80):
    """Draw a smooth image without symmetry."""
    y, x = np.mgrid[:height, :width]
    red, green = x * 255 // width, y * 255 // height
    return np.stack([red, green, (red + 2 * green) // 3], axis=-1).astype(np.uint8)


PIXELS = draw()
PICTURE = Image.fromarray(PIXELS)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encode(picture, image_format, **options):
    buffer = BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def orientation_exif(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def write_png(width, height, rows, bits=8, chunks=()):
    """Return an RGB PNG with any header, including those that Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    all_chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in all_chunks
    )


def write_tiff(side, pixel_bytes, *, bits, photometric, num_samples=1, num_pages=1, is_preview=0):
    """Return a little-endian TIFF of square pages that share their pixels."""
    tags = {254: is_preview, 256: side, 257: side, 258: bits}
    tags |= {262: photometric, 273: 8, 277: num_samples}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    page = struct.pack("<H", len(tags)) + entries
    data = bytearray(b"II*\x00" + struct.pack("<I", 8 + len(pixel_bytes)) + pixel_bytes)
    for index in range(num_pages):
        data += page
        data += struct.pack("<I", len(data) + 4 if index < num_pages - 1 else 0)
    return bytes(data)


def message_of(data):
    with pytest.raises(ImageError) as caught:
        decode_image(data)
    return str(caught.value)


# Rejected files and their messages.


def test_an_empty_file_is_rejected():
    assert message_of(b"") == (
        "The file is empty. Copy it again from the camera or from its source."
    )


def test_a_text_file_with_the_suffix_jpg_is_reported_as_text(tmp_path):
    path = tmp_path / "lesion.jpg"
    path.write_text("BMI 23, naevus on the left shoulder\n", encoding="utf-8")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert str(caught.value) == (
        "The file is a text file. A JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM file is "
        "needed. Export or save the photograph as a JPEG."
    )


@pytest.mark.parametrize(
    ("data", "file_type"),
    [
        (encode(PICTURE, "GIF"), "a GIF image"),
        (encode(PICTURE, "JPEG2000"), "a JPEG 2000 image"),
        (encode(PICTURE, "PDF"), "a PDF document"),
        (b"\0\0\0\x18ftypmp42" + bytes(200), "a video"),
        (b"PK\x03\x04" + bytes(200), "a ZIP archive or an Office document"),
    ],
)
def test_another_type_of_file_is_rejected_by_name(data, file_type):
    assert message_of(data).startswith(f"The file is {file_type}. A JPEG, HEIC,")


def test_an_unknown_type_of_file_is_rejected():
    assert message_of(bytes(1000)).startswith("The file is not an image of a known type.")


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
def test_a_truncated_jpeg_is_rejected_in_one_sentence(kept):
    data = encode(Image.fromarray(draw(600, 450)), "JPEG")
    assert message_of(data[: int(len(data) * kept)]) == (
        "The file begins like a JPEG image, but is damaged, incomplete or unusual. "
        "Copy it again from the camera or from its source."
    )


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF", "BMP"])
def test_half_of_a_file_is_rejected_in_every_format(image_format):
    data = encode(PICTURE, image_format)
    assert "damaged, incomplete or unusual" in message_of(data[: len(data) // 2])


def test_a_file_over_32_mib_is_rejected_before_it_is_decoded():
    assert message_of(bytes(MAX_BYTES + 1)).startswith(
        "The file has 33,554,433 bytes. At most 33,554,432 (32 MiB) are accepted."
    )


@pytest.mark.parametrize(("width", "height"), [(1, 1), (63, 400), (400, 63)])
def test_an_image_under_64_pixels_a_side_is_rejected(width, height):
    message = message_of(encode(PICTURE.resize((width, height)), "PNG"))
    assert message.startswith(
        f"The image is {width} × {height} pixels. At least 64 × 64 are needed"
    )


def test_64_pixels_a_side_are_enough():
    assert decode_image(encode(PICTURE.resize((64, 64)), "PNG")).pixels.shape == (64, 64, 3)


# 65, 100 and 900 million pixels: below, between and above Pillow's own two limits.
@pytest.mark.parametrize("side", [8062, 10_000, 30_000])
def test_an_image_over_64_million_pixels_is_rejected(side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as strict as a process can be
        assert message_of(write_png(side, side, bytes(1000))).startswith(
            "The image has more than 64 million pixels"
        )


def test_a_png_that_declares_30000_by_30000_pixels_costs_no_memory():
    pytest.importorskip("resource", reason="this system does not report peak memory")
    script = (
        "import resource, sys\n"
        "from melanoma_core.data.images import decode_image\n"
        "from melanoma_core.errors import ImageError\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "data = sys.stdin.buffer.read()\n"
        "before = peak()\n"
        "try: decode_image(data)\n"
        "except ImageError: print(peak() - before)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script],
        input=write_png(30_000, 30_000, bytes(1000)),
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=True,
    ).stdout
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(output) * unit < 50 * 2**20  # the pixels would take 3.6 GB


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF"])
def test_an_animation_or_several_pages_are_rejected_with_their_number(image_format):
    others = [PICTURE.rotate(90), PICTURE.rotate(180)]
    data = encode(PICTURE, image_format, save_all=True, append_images=others)
    assert message_of(data).startswith(
        "The file contains 3 images (frames or pages). Exactly one is needed."
    )


def test_counting_the_pages_of_a_tiff_stops_after_100():
    data = write_tiff(64, bytes(64 * 64), bits=8, photometric=1, num_pages=5_000)
    assert message_of(data).startswith("The file contains more than 100 images")


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(np.ones((64, 64), np.float32)), "TIFF"),
        encode(Image.fromarray(np.ones((64, 64), np.int32)), "TIFF"),
        write_tiff(64, bytes(64 * 64 * 2), bits=12, photometric=1),
        write_tiff(64, bytes(64 * 64 * 2), bits=16, photometric=0),
    ],
    ids=["float", "int32", "12 bits", "16-bit negative"],
)
def test_a_tiff_of_measurements_or_rare_layout_is_rejected(data):
    assert "uses a pixel layout that cameras do not produce" in message_of(data)


def test_a_camera_raw_file_is_not_read_through_its_preview():
    data = write_tiff(64, bytes(64 * 64), bits=8, photometric=1, is_preview=1)
    assert message_of(data).startswith("The file begins with a small preview")


def test_a_run_length_coded_bitmap_is_rejected():
    data = bytearray(encode(PICTURE.quantize(16), "BMP"))
    data[30] = 1  # the header's compression: RLE8
    assert "uses a pixel layout that cameras do not produce" in message_of(bytes(data))


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize(
    "key", [b"icc_profile", b"transparency", b"bbox", b"interlace", b"exif", b"gamma"]
)
def test_a_png_with_a_text_named_like_pillows_own_entries_is_read(key, name):
    rows = b"".join(b"\0" + PIXELS[row].tobytes() for row in range(80))
    content = {
        b"tEXt": key + b"\0hello",
        b"zTXt": key + b"\0\0" + zlib.compress(b"hello"),
        b"iTXt": key + b"\0\0\0en\0\0hello",
    }
    for chunks in ([(name, content[name])], [(name, content[name]), (name, b"Title\0spot")]):
        data = write_png(96, 80, rows, chunks=chunks)
        np.testing.assert_array_equal(decode_image(data).pixels, PIXELS)


@pytest.mark.filterwarnings("ignore")  # Pillow warns about the damage
def test_every_damaged_file_is_either_read_or_rejected():
    pictures = {"RGB": PICTURE, "P": PICTURE.quantize(16), "RGBA": PICTURE.convert("RGBA")}
    originals = [
        encode(PICTURE, "JPEG", exif=orientation_exif(6), icc_profile=SRGB),
        encode(PICTURE, "MPO", save_all=True, append_images=[PICTURE]),
        encode(PICTURE, "TIFF", compression="tiff_lzw"),
        encode(pictures["P"], "TIFF", compression="packbits"),
        *(encode(picture, "PNG", exif=orientation_exif(6)) for picture in pictures.values()),
        *(encode(picture, "WEBP", lossless=True) for picture in pictures.values()),
        *(encode(pictures[mode], "BMP") for mode in ("RGB", "P")),
        *(encode(pictures[mode], "TIFF") for mode in ("RGB", "P")),
    ]
    chance = random.Random(20)
    num_read = num_refused = 0
    for original in originals * 200:
        data = bytearray(original)
        for _ in range(chance.choice([1, 2, 8])):
            data[chance.randrange(min(len(data), 500))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            photograph = decode_image(bytes(data))
        except ImageError:
            num_refused += 1
        else:
            num_read += 1
            assert photograph.pixels.ndim == 3
    assert num_read > 100
    assert num_refused > 100


# Accepted files and their pixels.


def test_a_lossless_image_keeps_every_pixel():
    photograph = decode_image(encode(PICTURE, "PNG"))
    np.testing.assert_array_equal(photograph.pixels, PIXELS)
    assert (photograph.original_width, photograph.original_height) == (96, 80)
    assert photograph.image_format == "PNG"


def test_pixels_cannot_be_changed():
    assert not decode_image(encode(PICTURE, "PNG")).pixels.flags.writeable
    rotated = encode(PICTURE, "PNG", exif=orientation_exif(6), icc_profile=SRGB)
    assert not decode_image(rotated).pixels.flags.writeable


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "WEBP", "AVIF", "BMP"])
def test_every_accepted_format_is_read(image_format):
    photograph = decode_image(encode(PICTURE, image_format))
    assert photograph.image_format == image_format
    assert np.abs(photograph.pixels.astype(int) - PIXELS).mean() < 3


def test_the_first_image_of_an_mpo_is_read():
    data = encode(PICTURE, "MPO", save_all=True, append_images=[Image.new("RGB", (96, 80))])
    photograph = decode_image(data)
    assert photograph.image_format == "MPO"
    assert np.abs(photograph.pixels.astype(int) - PIXELS).mean() < 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA"])
def test_an_opaque_image_of_any_mode_reads_as_its_colours(mode):
    picture = PICTURE.convert(mode)
    pixels = decode_image(encode(picture, "PNG")).pixels
    np.testing.assert_array_equal(pixels, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_pixels_become_white(mode):
    foreground = PICTURE.convert("RGBA")
    foreground.paste((0, 0, 0, 0), (0, 0, 48, 80))
    # Quantising colours and alpha together gives a palette with transparency.
    picture = foreground.quantize(64) if mode == "P" else foreground.convert(mode)
    pixels = decode_image(encode(picture, "PNG")).pixels
    assert (pixels[:, :48] == 255).all()
    assert pixels[:, 48:].mean() < 200


def test_semi_transparent_grey_is_blended_with_white():
    picture = Image.new("RGBA", (64, 64), (100, 100, 100, 128))
    pixels = decode_image(encode(picture, "PNG")).pixels
    assert np.unique(pixels).tolist() == [177]  # 255 - 155 × 128 / 255


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(image_format):
    values = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    pixels = decode_image(encode(Image.fromarray(values), image_format)).pixels
    np.testing.assert_array_equal(pixels, np.repeat((values >> 8)[..., None], 3, axis=-1))


def test_16_bit_colours_are_scaled():
    row = struct.pack(">HHH", 0, 256 * 100 + 200, 65535) * 64
    png = write_png(64, 64, (b"\0" + row) * 64, bits=16)
    little_endian = np.array([0, 256 * 100 + 200, 65535] * 64 * 64, "<u2").tobytes()
    tiff = write_tiff(64, little_endian, bits=16, photometric=2, num_samples=3)
    for data in (png, tiff):
        assert np.unique(decode_image(data).pixels.reshape(-1, 3), axis=0).tolist() == [
            [0, 100, 255]
        ]


def test_a_cmyk_jpeg_is_converted_to_its_colours():
    pixels = decode_image(encode(PICTURE.convert("CMYK"), "JPEG", quality=95)).pixels
    assert np.abs(pixels.astype(int) - PIXELS).mean() < 3


# With NumPy instead of Pillow, as an independent reference.
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_every_exif_orientation_is_turned_upright(orientation, image_format):
    photograph = decode_image(encode(PICTURE, image_format, exif=orientation_exif(orientation)))
    np.testing.assert_array_equal(photograph.pixels, UPRIGHT[orientation](PIXELS))
    height, width = photograph.pixels.shape[:2]
    assert (photograph.original_width, photograph.original_height) == (width, height)


def test_the_original_size_of_a_rotated_photograph_is_the_upright_one():
    data = encode(Image.new("RGB", (4000, 3000)), "JPEG", exif=orientation_exif(6))
    photograph = decode_image(data)
    assert (photograph.original_width, photograph.original_height) == (3000, 4000)
    assert photograph.pixels.shape == (2048, 1536, 3)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0rubbish", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0II+\0"]
)
def test_an_image_with_broken_exif_is_read(exif):
    assert decode_image(encode(PICTURE, "JPEG", exif=exif)).pixels.shape == (80, 96, 3)


def test_location_and_date_are_removed():
    exif = orientation_exif(6)
    exif[306] = "2024:05:01 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    data = encode(PICTURE, "JPEG", exif=exif, icc_profile=SRGB, comment=b"Jane Doe")
    photograph = decode_image(data)
    assert set(vars(photograph)) == {
        "pixels", "original_width", "original_height", "image_format", "chosen", "num_images",
        "has_burned_in",
    }  # fmt: skip
    shown = Image.open(BytesIO(encode_jpeg(photograph.pixels)))
    assert dict(shown.getexif()) == {}
    assert set(shown.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Jane Doe" not in encode_jpeg(photograph.pixels)


def test_an_encoded_jpeg_looks_the_same():
    pixels = decode_image(encode_jpeg(PIXELS)).pixels
    assert np.abs(pixels.astype(int) - PIXELS).mean() < 2


def test_an_embedded_srgb_profile_changes_nothing():
    pixels = decode_image(encode(PICTURE, "PNG", icc_profile=SRGB)).pixels
    np.testing.assert_array_equal(pixels, PIXELS)


def test_an_embedded_profile_is_converted_to_srgb():
    # sRGB with its red and blue primaries exchanged: what the file calls red is blue.
    swapped = SRGB.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")
    pixels = decode_image(encode(PICTURE, "PNG", icc_profile=swapped)).pixels
    assert np.abs(pixels.astype(int) - PIXELS[..., ::-1]).max() <= 1


@pytest.mark.parametrize("profile", [b"rubbish" * 100, SRGB[:200], SRGB.replace(b"RGB ", b"CMYK")])
def test_a_broken_profile_is_ignored(profile):
    pixels = decode_image(encode(PICTURE, "PNG", icc_profile=profile)).pixels
    np.testing.assert_array_equal(pixels, PIXELS)


# Sizes.


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (2048, 100, (100, 2048, 3)),
        (2049, 1500, (1499, 2048, 3)),
        (4095, 900, (450, 2048, 3)),
        (4096, 3000, (1500, 2048, 3)),
        (900, 8200, (2048, 225, 3)),
    ],
)
def test_a_large_jpeg_is_shrunk_to_2048_pixels_and_no_further(width, height, shape):
    photograph = decode_image(encode(Image.new("RGB", (width, height)), "JPEG"))
    assert photograph.pixels.shape == shape
    assert (photograph.original_width, photograph.original_height) == (width, height)


def test_a_small_photograph_is_never_enlarged():
    assert decode_image(encode(PICTURE, "JPEG"), max_side=500).pixels.shape == (80, 96, 3)


def test_a_jpeg_decoded_at_a_fraction_looks_like_one_that_was_shrunk():
    pixels = draw(1500, 1000)
    shrunk = decode_image(encode(Image.fromarray(pixels), "JPEG", quality=95), max_side=150).pixels
    expected = np.asarray(Image.fromarray(pixels).resize((150, 100), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(int) - expected).mean() < 1.5


def test_resizing_to_a_square_squashes_and_averages():
    stripes = np.zeros((100, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    square = resize_to_square(stripes, 50)
    assert square.shape == (50, 50, 3)
    assert square.dtype == np.uint8
    assert np.abs(square.astype(int) - 127).max() <= 5  # without antialiasing: 0 or 255


def test_an_image_of_pillow_is_resized_as_its_pixels_are():
    noise = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    photograph = decode_image(encode_jpeg(noise))

    square = resize_to_square(photograph.image, 96)

    np.testing.assert_array_equal(square, resize_to_square(photograph.pixels, 96))
    assert photograph.image is photograph.image  # converted once


def test_resizing_to_the_same_square_changes_nothing():
    square = draw(64, 64)
    np.testing.assert_array_equal(resize_to_square(square, 64), square)


# Files.


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / "none.jpg")
    assert str(caught.value) == (
        f"There is no file {tmp_path / 'none.jpg'}. Check its name and folder."
    )


def test_a_folder_is_not_an_image_file(tmp_path):
    with pytest.raises(ImageError, match="is not a file") as caught:
        read_image(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_file_below_a_file_cannot_be_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match="cannot be read") as caught:
        read_image(tmp_path / "a.jpg" / "b.jpg")
    assert str(tmp_path) in str(caught.value)


def test_a_huge_file_is_rejected_without_being_read(tmp_path):
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(2**34)  # a sparse file: 16 GiB that take no space on disk
    with pytest.raises(ImageError, match="At most 33,554,432") as caught:
        read_image(path)
    assert str(path) in str(caught.value)


def test_a_file_reads_like_its_bytes(tmp_path):
    path = tmp_path / "lesion.png"
    path.write_bytes(encode(PICTURE, "PNG"))
    photograph = read_image(path, max_side=48)
    assert photograph.pixels.shape == (40, 48, 3)
    assert (photograph.original_width, photograph.original_height) == (96, 80)


def test_threads_decode_the_same_as_one_after_another():
    files = [
        encode(Image.fromarray(draw(300 + 40 * index, 200)), image_format, icc_profile=SRGB)
        for index, image_format in enumerate(["JPEG", "PNG", "TIFF", "WEBP"] * 4)
    ]
    expected = [decode_image(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        photographs = list(pool.map(decode_image, files * 4))
    for photograph, pixels in zip(photographs, expected * 4, strict=True):
        np.testing.assert_array_equal(photograph.pixels, pixels)


def test_a_real_full_resolution_photograph_is_downscaled(shared_data):
    paths = (shared_data / "full_resolution").rglob("*.jp*g")
    photograph = read_image(max(paths, key=lambda path: Image.open(path).width))
    assert isinstance(photograph, Photograph)
    assert max(photograph.pixels.shape) == 2048
    assert photograph.original_width == 3072

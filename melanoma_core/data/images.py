"""Bytes to pixels: the one decoder, with every limit on hostile input."""

import stat
import struct
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, TiffImagePlugin

from melanoma_core.errors import ImageError

MAX_BYTES = 32 * 2**20
MAX_PIXELS = 64_000_000  # a 64-megapixel camera; up to 600 MB while it is decoded
MIN_SIDE = 64  # px; on fewer no dermoscopic structure is left
MAX_SIDE = 2048  # px; ten times what a network reads, and sharp on a wide screen

# JPEG covers MPO: the JPEG with a second picture behind it that phones write.
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_WANTED = "A JPEG, PNG, TIFF, WebP or BMP image is needed."
_COPY_AGAIN = "Copy it again from the camera or from its source."

# How files begin: where, with what, what a person calls it.
_KINDS = (
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (0, b"II+\x00", "a TIFF image"),  # BigTIFF
    (0, b"MM\x00+", "a TIFF image"),
    (0, b"GIF8", "a GIF image"),
    (4, b"ftyphe", "a HEIC photograph"),
    (4, b"ftypmif1", "a HEIC photograph"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyp", "a video"),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 image"),
    (4, b"JXL \r\n\x87\n", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (128, b"DICM", "a DICOM file"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
)
_BITMAP = (0, b"BM", "a BMP image")  # two letters, which a text may begin with too
_ACCEPTED_KINDS = {"a JPEG image", "a PNG image", "a WebP image", "a TIFF image", "a BMP image"}
_TEXT_CONTROLS = b"\t\n\f\r"

# What Pillow raises on bad data. Only OSError is documented; the others were met when bytes and
# fields of every format were changed a million times, but EOFError, which its source has.
# MemoryError is left out: it is not the file's fault.
_BAD_DATA = (
    OSError,  # truncated, broken or unidentified
    SyntaxError,  # broken headers
    ValueError,  # fields that cannot be
    EOFError,  # a frame that ends early
    struct.error,  # a header that ends early
    TypeError,  # a text in PNG named like one of Pillow's own entries: transparency, xmp
    LookupError,  # a tag that TIFF needs and is not there
    ArithmeticError,  # numbers too large for what they count
    AssertionError,  # Pillow checks some of its input so
)
_TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

_EXIF_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {5, 6, 7, 8}  # the orientations that swap width and height


@dataclass(frozen=True, eq=False)
class Photograph:
    """A decoded photograph, without any metadata: no place, no date, no name.

    Attributes:
        pixels: uint8 [height, width, 3], sRGB, upright, at most `MAX_SIDE` on the longer side,
            read-only.
        original_width: Upright, in pixels, as in the file.
        original_height: Likewise.
        image_format: What the file really is, by Pillow's name: JPEG, MPO, PNG, TIFF, WEBP, BMP.
    """

    pixels: NDArray[np.uint8]
    original_width: int
    original_height: int
    image_format: str


def decode_image(data: bytes, max_side: int = MAX_SIDE) -> Photograph:
    """Decode one photograph, or say in plain words why not.

    It holds no state and changes none of Pillow's global settings, so any number of threads may
    call it.

    Args:
        data: The file's content. Its name is never believed.
        max_side: Longer side to shrink to, in pixels; never enlarged. Training and reading use
            the same one, since a network sees the difference.

    Raises:
        ImageError: The data is no single, whole, readable photograph of a sensible size.
    """
    if not data:
        raise ImageError(f"The file is empty. {_COPY_AGAIN}")
    if len(data) > MAX_BYTES:
        raise ImageError(_too_large(len(data)))
    try:
        # Only the header is read here; pixels are, once every limit has been checked.
        image = Image.open(BytesIO(data), formats=_FORMATS)
        _check_header(image)
        return _decode(image, max_side)
    except _TOO_MANY_PIXELS:
        # Pillow's own limit is left as it is, since it is shared by the whole process. It lies
        # above ours, and its warning is an error only where a filter makes it one.
        raise ImageError(_too_many_pixels()) from None
    except _BAD_DATA as error:
        raise ImageError(_explain_undecodable(data)) from error


def read_image(path: Path, max_side: int = MAX_SIDE) -> Photograph:
    """Decode the photograph in the file at `path`; see `read_bytes` and `decode_image`.

    Raises:
        ImageError: As they do.
    """
    return decode_image(read_bytes(path), max_side)


def read_bytes(path: Path) -> bytes:
    """Read a file that may be a photograph.

    Raises:
        ImageError: There is no such file, it cannot be read, or it is too large, which is found
            before it is read. The message names the path.
    """
    try:
        status = path.stat()
        # A pipe or a device would be read for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a file. {_WANTED} Name the image itself.")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{path}: {_too_large(status.st_size)}")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}. Check its name and folder.") from None
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read ({error.strerror}). Check that you may read it."
        ) from error


def resize_to_square(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize to the network's input: the only resizing before it, in training and reading alike.

    Antialiased, and squashed to a square rather than cropped: the training photographs are
    squashed too, and a crop can lose the border of the lesion.

    Args:
        pixels: uint8 [height, width, 3].
        side: In pixels.

    Returns:
        uint8 [side, side, 3], read-only.
    """
    resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 [height, width, 3] as a JPEG without metadata, to show or to keep."""
    buffer = BytesIO()
    # Full colour resolution: the colours of an overlay have sharp borders.
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling="4:4:4")
    return buffer.getvalue()


def _check_header(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(_too_many_pixels())
    # Raw files are TIFF by their first bytes, and what Pillow finds first is a small preview.
    if isinstance(image, TiffImagePlugin.TiffImageFile) and (
        image.tag_v2.get(ExifTags.Base.NewSubfileType, 0) & 1
    ):
        raise ImageError(
            "The file begins with a small preview, as raw files of cameras do; the photograph "
            "itself is needed. Export it as a JPEG."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"The image is {width} × {height} pixels; at least {MIN_SIDE} × {MIN_SIDE} are "
            "needed. Use the original photograph, not a thumbnail of it."
        )
    # An MPO's first picture is the photograph; the others are a preview or a second eye.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ImageError(
            f"The file holds {_count_frames(image)} pictures (frames or pages); a single one is "
            "needed. Save the one to be read as a JPEG."
        )
    if not _has_readable_layout(image):
        raise ImageError(
            f"The {image.format} image stores its pixels in a way that no camera does (mode "
            f"{image.mode}); plain 8 or 16 bits per colour are needed. Save it as a JPEG."
        )


def _count_frames(image: ImageFile.ImageFile) -> str:
    if image.format != "TIFF":
        return str(image.n_frames)  # type: ignore[attr-defined]  # PNG and WebP say how many
    # The pages of a TIFF are a chain, and a hostile one has hundreds of thousands of links.
    most = 100
    for index in range(1, most + 1):
        try:
            image.seek(index)
        except EOFError:
            return str(index)
    return f"more than {most}"


def _has_readable_layout(image: ImageFile.ImageFile) -> bool:
    if image.mode in {"F", "I", "La"}:  # measurements rather than pictures; "La" never converts
        return False
    if any(tile.codec_name == "bmp_rle" for tile in image.tile):
        return False  # Pillow decodes it in Python: 1 KB can hold all threads for 8 s
    if image.mode.startswith("I;16") and isinstance(image, TiffImagePlugin.TiffImageFile):
        # Pillow takes 12 bits for 16, and a negative for a positive.
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE)
        black_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 1
        return bits == (16,) and black_is_zero
    return True


def _decode(image: ImageFile.ImageFile, max_side: int) -> Photograph:
    width, height = image.size
    image_format = str(image.format)
    # A large JPEG is decoded at a half, a quarter or an eighth where that is still as large as
    # it has to be: a third of the time for 48 megapixels. Other formats ignore it.
    image.draft(None, _fit(width, height, max_side))
    image.load()
    # Read after the pixels: PNG may keep it behind them, and TIFF is turned while it is loaded.
    orientation = _read_orientation(image)
    icc_profile = image.info.get("icc_profile")

    picture = _drop_transparency(image)
    size = _fit(picture.width, picture.height, max_side)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    picture = _convert_to_srgb(picture, icc_profile)
    if orientation in _EXIF_TRANSPOSES:
        picture = picture.transpose(_EXIF_TRANSPOSES[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    pixels = np.asarray(picture)  # one copy, of immutable bytes: that makes it read-only
    return Photograph(pixels, width, height, image_format)


def _fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _read_orientation(image: ImageFile.ImageFile) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BAD_DATA:
        return 1  # broken EXIF is no reason to refuse a whole picture
    return orientation if isinstance(orientation, int) else 1


def _drop_transparency(image: Image.Image) -> Image.Image:
    """Return the same picture as RGB, L or CMYK: what a colour profile can describe."""
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        # On white, as on paper: black would look like the rim of a dermatoscope, or a lesion.
        cut_out = image if image.mode == "RGBA" else image.convert("RGBA")
        picture = Image.new("RGB", cut_out.size, "white")
        picture.paste(cut_out, mask=cut_out)
        return picture
    return image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")


def _convert_to_srgb(picture: Image.Image, icc_profile: bytes | None) -> Image.Image:
    if icc_profile:  # phones write Display P3, cameras Adobe RGB; a profile of sRGB changes nothing
        srgb = ImageCms.createProfile("sRGB")
        try:
            converted = ImageCms.profileToProfile(
                picture, BytesIO(icc_profile), srgb, outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None  # broken, or of another colour model: taken as sRGB, as browsers do
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _too_large(num_bytes: int) -> str:
    return (
        f"The file has {num_bytes:,} bytes; at most {MAX_BYTES:,} ({MAX_BYTES // 2**20} MiB) can "
        "be read. Save the photograph as a JPEG, or crop it to the lesion."
    )


def _too_many_pixels() -> str:
    return (
        f"The image has more than {MAX_PIXELS // 10**6} million pixels, which is the most that "
        "can be read. Crop it to the lesion, or save it smaller."
    )


def _explain_undecodable(data: bytes) -> str:
    kind = _name_kind(data)
    if kind is None:
        return f"The file is not an image of a known kind. {_WANTED} {_COPY_AGAIN}"
    if kind in _ACCEPTED_KINDS:
        return f"The file begins like {kind}, but is damaged, incomplete or unusual. {_COPY_AGAIN}"
    return f"The file is {kind}. {_WANTED} Export or save the photograph as a JPEG."


def _name_kind(data: bytes) -> str | None:
    for offset, magic, kind in _KINDS:
        if data.startswith(magic, offset):
            return kind
    if all(byte >= 32 or byte in _TEXT_CONTROLS for byte in data[:512]):
        return "a text file"
    offset, magic, kind = _BITMAP
    return kind if data.startswith(magic, offset) else None

"""Decode image files to pixels: the only decoder, with all limits on hostile input."""

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
_MAX_SIDE = 2048  # px; ten times the input of a network, and sharp on a wide screen
_MAX_PIXELS = 64_000_000  # a 64-megapixel camera; decoding takes up to 600 MB
_MIN_SIDE = 64  # px; below this no dermoscopic structure is visible

# JPEG includes MPO, in which phones store a second image after the first.
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_ACCEPTED = "A JPEG, PNG, TIFF, WebP or BMP image is needed."
_COPY_AGAIN = "Copy it again from the camera or from its source."

# File signatures: offset, bytes, name of the file type.
_SIGNATURES = (
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
_BITMAP = (0, b"BM", "a BMP image")  # checked last: a text can start with these letters, too
_ACCEPTED_TYPES = {"a JPEG image", "a PNG image", "a WebP image", "a TIFF image", "a BMP image"}
_TEXT_CONTROLS = b"\t\n\f\r"

# What Pillow raises on bad data. Only OSError is documented. The others came up when fuzzing every
# format a million times, except for EOFError, which is in Pillow's source. MemoryError is not
# listed: it says nothing about the file.
_BAD_DATA = (
    OSError,  # truncated, broken or unidentified
    SyntaxError,  # broken headers
    ValueError,  # impossible field values
    EOFError,  # a frame that ends early
    struct.error,  # a header that ends early
    TypeError,  # a PNG text chunk with a name that Pillow uses itself: transparency, xmp
    LookupError,  # a missing mandatory TIFF tag
    ArithmeticError,  # numeric overflow
    AssertionError,  # Pillow asserts some properties of its input
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
    """A decoded photograph without metadata such as location, date or name.

    Attributes:
        pixels: uint8 [height, width, 3], sRGB, upright, at most 2048 on the longer side,
            read-only.
        original_width: Width of the upright image in the file, in pixels.
        original_height: Height of the upright image in the file, in pixels.
        image_format: Actual format of the file in Pillow's terms: JPEG, MPO, PNG, TIFF, WEBP, BMP.
    """

    pixels: NDArray[np.uint8]
    original_width: int
    original_height: int
    image_format: str


def decode_image(data: bytes, max_side: int = _MAX_SIDE) -> Photograph:
    """Decode one photograph.

    The function is thread-safe: it holds no state and changes none of Pillow's global settings.

    Args:
        data: Content of the file. The format is detected from it, never from the file name.
        max_side: Maximum length of the longer side in pixels. Larger images are downscaled,
            smaller ones keep their size. Use the same value for training and inference:
            resampling affects the network's output.

    Returns:
        The photograph, upright and in sRGB.

    Raises:
        ImageError: The data is not a single, complete, readable photograph of an accepted size.

    Example:
        >>> import numpy as np
        >>> photograph = decode_image(encode_jpeg(np.zeros((80, 120, 3), np.uint8)))
        >>> photograph.image_format, photograph.pixels.shape
        ('JPEG', (80, 120, 3))
    """
    if not data:
        raise ImageError(f"The file is empty. {_COPY_AGAIN}")
    if len(data) > MAX_BYTES:
        raise ImageError(_describe_excess_bytes(len(data)))
    try:
        # This reads the header only. The pixels are read after all limits have been checked.
        image = Image.open(BytesIO(data), formats=_FORMATS)
        _check_header(image)
        return _decode(image, max_side)
    except _TOO_MANY_PIXELS:
        # Pillow's own limit is global to the process, so it stays as it is. It is above ours, and
        # its warning is raised only if a warnings filter turns it into an error.
        raise ImageError(_describe_excess_pixels()) from None
    except _BAD_DATA as error:
        raise ImageError(_explain_undecodable(data)) from error


def read_image(path: Path, max_side: int = _MAX_SIDE) -> Photograph:
    """Read and decode one photograph.

    Args:
        path: The image file.
        max_side: Maximum length of the longer side in pixels, as in `decode_image`.

    Returns:
        The photograph, upright and in sRGB.

    Raises:
        ImageError: The file cannot be read (`read_bytes`) or decoded (`decode_image`).
    """
    return decode_image(read_bytes(path), max_side)


def read_bytes(path: Path) -> bytes:
    """Read the content of an image file.

    Args:
        path: The image file.

    Returns:
        The bytes of the file.

    Raises:
        ImageError: The file does not exist, cannot be read, or exceeds `MAX_BYTES`. The size is
            checked before reading. The message contains the path.
    """
    try:
        status = path.stat()
        # Reading a pipe or a device would never end.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a file. {_ACCEPTED} Choose an image file.")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{path}: {_describe_excess_bytes(status.st_size)}")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}. Check its name and folder.") from None
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read ({error.strerror}). Check its permissions."
        ) from error


def resize_to_square(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize an image to the square input of a network, with antialiasing.

    Training and inference both use this function, and no other resizing. It squashes the aspect
    ratio instead of cropping, because a crop can lose the border of the lesion.

    Args:
        pixels: uint8 [height, width, 3].
        side: Side of the square in pixels.

    Returns:
        uint8 [side, side, 3], read-only.

    Example:
        >>> import numpy as np
        >>> resize_to_square(np.zeros((80, 120, 3), np.uint8), 64).shape
        (64, 64, 3)
    """
    resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def encode_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an image as JPEG without metadata.

    Args:
        pixels: uint8 [height, width, 3].

    Returns:
        The content of a JPEG file of quality 92, without chroma subsampling.
    """
    buffer = BytesIO()
    # Chroma subsampling would blur the coloured edges of overlays.
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling="4:4:4")
    return buffer.getvalue()


def _check_header(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width * height > _MAX_PIXELS:
        raise ImageError(_describe_excess_pixels())
    # Raw files of cameras have the TIFF signature, and their first image is a small preview.
    if isinstance(image, TiffImagePlugin.TiffImageFile) and (
        image.tag_v2.get(ExifTags.Base.NewSubfileType, 0) & 1
    ):
        raise ImageError(
            "The file begins with a small preview, like the raw files of cameras. The full "
            "photograph is needed. Export it as a JPEG."
        )
    if min(width, height) < _MIN_SIDE:
        raise ImageError(
            f"The image is {width} × {height} pixels. At least {_MIN_SIDE} × {_MIN_SIDE} are "
            "needed. Use the original photograph, not a thumbnail."
        )
    # The first image of an MPO is the photograph. The others are previews or stereo views.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise ImageError(
            f"The file contains {_count_frames(image)} images (frames or pages). Exactly one is "
            "needed. Save the one to be read as a JPEG."
        )
    if not _has_readable_layout(image):
        raise ImageError(
            f"The {image.format} image uses a pixel layout that cameras do not produce (mode "
            f"{image.mode}). 8 or 16 bits per colour are needed. Save it as a JPEG."
        )


def _count_frames(image: ImageFile.ImageFile) -> str:
    if image.format != "TIFF":
        return str(image.n_frames)  # type: ignore[attr-defined]  # set for PNG and WebP
    # The pages of a TIFF are a linked list, and a hostile file has hundreds of thousands of them.
    max_count = 100
    for index in range(1, max_count + 1):
        try:
            image.seek(index)
        except EOFError:
            return str(index)
    return f"more than {max_count}"


def _has_readable_layout(image: ImageFile.ImageFile) -> bool:
    if image.mode in {"F", "I", "La"}:  # measurements, not photographs; "La" has no conversion
        return False
    if any(tile.codec_name == "bmp_rle" for tile in image.tile):
        return False  # Pillow decodes it in pure Python: 1 KB can block all threads for 8 s
    if image.mode.startswith("I;16") and isinstance(image, TiffImagePlugin.TiffImageFile):
        # Pillow reads 12 bits as 16, and ignores that an image is inverted.
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE)
        black_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 1
        return bits == (16,) and black_is_zero
    return True


def _decode(image: ImageFile.ImageFile, max_side: int) -> Photograph:
    width, height = image.size
    image_format = str(image.format)
    # Decodes a large JPEG at 1/2, 1/4 or 1/8 of its size if that is still large enough, in a third
    # of the time for 48 megapixels. Other formats ignore this.
    image.draft(None, _fit(width, height, max_side))
    image.load()
    # Read after the pixels: PNG can store it after them, and Pillow rotates TIFF on loading.
    orientation = _read_orientation(image)
    icc_profile = image.info.get("icc_profile")

    opaque = _remove_transparency(image)
    size = _fit(opaque.width, opaque.height, max_side)
    if size != opaque.size:
        opaque = opaque.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    upright = _convert_to_srgb(opaque, icc_profile)
    if orientation in _EXIF_TRANSPOSES:
        upright = upright.transpose(_EXIF_TRANSPOSES[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    pixels = np.asarray(upright)  # read-only, because it is a view of immutable bytes
    return Photograph(pixels, width, height, image_format)


def _fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _read_orientation(image: ImageFile.ImageFile) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BAD_DATA:
        return 1  # broken EXIF data is no reason to reject an intact image
    return orientation if isinstance(orientation, int) else 1


def _remove_transparency(image: Image.Image) -> Image.Image:
    """Return the image in RGB, L or CMYK, the modes that a colour profile can describe."""
    if image.mode.startswith("I;16"):
        # Pillow's conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        # A white background, because black looks like the rim of a dermatoscope or like a lesion.
        foreground = image if image.mode == "RGBA" else image.convert("RGBA")
        opaque = Image.new("RGB", foreground.size, "white")
        opaque.paste(foreground, mask=foreground)
        return opaque
    return image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")


def _convert_to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    if icc_profile:  # Display P3 from phones, Adobe RGB from cameras
        srgb = ImageCms.createProfile("sRGB")
        try:
            converted = ImageCms.profileToProfile(
                image, BytesIO(icc_profile), srgb, outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            converted = None  # broken, or of another colour model: assume sRGB, as browsers do
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _describe_excess_bytes(num_bytes: int) -> str:
    return (
        f"The file has {num_bytes:,} bytes. At most {MAX_BYTES:,} ({MAX_BYTES // 2**20} MiB) are "
        "accepted. Save the photograph as a JPEG, or crop it to the lesion."
    )


def _describe_excess_pixels() -> str:
    return (
        f"The image has more than {_MAX_PIXELS // 10**6} million pixels, the maximum. Crop it to "
        "the lesion, or save it at a smaller size."
    )


def _explain_undecodable(data: bytes) -> str:
    file_type = _detect_type(data)
    if file_type is None:
        return f"The file is not an image of a known type. {_ACCEPTED} {_COPY_AGAIN}"
    if file_type in _ACCEPTED_TYPES:
        return (
            f"The file begins like {file_type}, but is damaged, incomplete or unusual. "
            f"{_COPY_AGAIN}"
        )
    return f"The file is {file_type}. {_ACCEPTED} Export or save the photograph as a JPEG."


def _detect_type(data: bytes) -> str | None:
    for offset, signature, file_type in _SIGNATURES:
        if data.startswith(signature, offset):
            return file_type
    if all(byte >= 32 or byte in _TEXT_CONTROLS for byte in data[:512]):
        return "a text file"
    offset, signature, file_type = _BITMAP
    return file_type if data.startswith(signature, offset) else None

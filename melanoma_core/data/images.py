"""Decode image files to pixels: the only decoder, with all limits on hostile input.

`formats` reads what a file declares, and refuses it by name before anything is decoded.
`colours` converts to sRGB.
"""

import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from melanoma_core.data.colours import convert_to_srgb
from melanoma_core.data.decoder_pool import decode_apart
from melanoma_core.data.formats.accepted import ACCEPTED, FORMATS
from melanoma_core.data.formats.budget import BUDGET, MAX_BYTES, Budget, Meter
from melanoma_core.data.formats.declared import Declared
from melanoma_core.data.formats.dicom_frames import split_name, take_photograph
from melanoma_core.data.formats.kinds import recognise
from melanoma_core.data.formats.orientation import read_orientation
from melanoma_core.errors import ImageError

__all__ = [
    "MAX_BYTES",
    "MAX_SIDE",
    "Photograph",
    "decode_here",
    "decode_image",
    "encode_jpeg",
    "read_bytes",
    "read_image",
    "resize_to_square",
]

MAX_SIDE = 2048  # px; ten times the input of a network, and sharp on a wide screen
_MIN_SIDE = 64  # px; below this no dermoscopic structure is visible


_COPY_AGAIN = "Copy it again from the camera or from its source."

# What Pillow raises on bad data. Only OSError is documented. The others came up when fuzzing every
# format a million times, except for EOFError, which is in Pillow's source. MemoryError is not
# listed: it says nothing about the file.
_BAD_DATA = (
    OSError,  # truncated, broken or unidentified
    SyntaxError,  # broken headers
    ValueError,  # impossible field values
    EOFError,  # a frame that ends early
    struct.error,  # a header that ends early
    TypeError,  # a field of another type than expected
    LookupError,  # a missing mandatory TIFF tag
    ArithmeticError,  # numeric overflow
    AssertionError,  # Pillow asserts some properties of its input
    RuntimeError,  # libheif
)
_TOO_MANY_PIXELS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_MORE_THAN_PILLOW = 20_000, 20_000  # pixels: any size beyond Pillow's own limit

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
        image_format: Actual format of the file in Pillow's terms: JPEG, MPO, HEIF, AVIF, PNG, TIFF,
            WEBP, BMP, JXL, DICOM.
        chosen: What of several images of a HEIC or AVIF file it is, as in "primary image".
        num_images: Images of that file.
        has_burned_in: Whether a DICOM file says that text is part of its pixels.
    """

    pixels: NDArray[np.uint8]
    original_width: int
    original_height: int
    image_format: str
    chosen: str = ""
    num_images: int = 1
    has_burned_in: bool = False

    @cached_property
    def image(self) -> Image.Image:
        """The pixels as an image of Pillow, converted once for all that a reading measures."""
        return Image.fromarray(self.pixels)


def decode_image(data: bytes, max_side: int = MAX_SIDE, budget: Budget = BUDGET) -> Photograph:
    """Decode one photograph.

    The function is thread-safe: it holds no state and changes none of Pillow's global settings.

    Args:
        data: Content of the file. The format is detected from it, never from the file name.
        max_side: Maximum length of the longer side in pixels. Larger images are downscaled,
            smaller ones keep their size. Use the same value for training and inference:
            resampling affects the network's output.
        budget: Limits on the work that the file may ask for.

    Returns:
        The photograph, upright and in sRGB.

    Raises:
        ImageError: The data is not a single, complete, readable photograph of an accepted size
            and form.

    Example:
        >>> import numpy as np
        >>> photograph = decode_image(encode_jpeg(np.zeros((80, 120, 3), np.uint8)))
        >>> photograph.image_format, photograph.pixels.shape
        ('JPEG', (80, 120, 3))
    """
    kind = _recognise(data)
    if not FORMATS[kind].is_apart:
        return decode_here(data, max_side, budget)
    with _explain_damage(kind, meter := Meter(budget)):
        FORMATS[kind].declare(data, meter)
    about, pixels = decode_apart(data, max_side)
    return Photograph(pixels, **about)


def decode_here(data: bytes, max_side: int = MAX_SIDE, budget: Budget = BUDGET) -> Photograph:
    """Decode one photograph in this process, which some damaged HEIC files end.

    Args and what is returned and raised are those of `decode_image`.
    """
    kind = _recognise(data)
    with _explain_damage(kind, meter := Meter(budget)):
        declared = FORMATS[kind].declare(data, meter)
        # This reads the header only. The pixels are read after all limits have been checked.
        image = _open(declared, FORMATS[kind].name)
        _check_header(image, meter)
        return _decode(image, declared, max_side)


def _recognise(data: bytes) -> str:
    """Return the kind of a file that is read, or refuse it by name."""
    if not data:
        raise ImageError(f"The file is empty. {_COPY_AGAIN}")
    if len(data) > MAX_BYTES:
        raise ImageError(_describe_excess_bytes(len(data)))
    kind = recognise(data)
    if kind is None or kind not in FORMATS:
        raise ImageError(_explain_other_kind(kind))
    return kind


@contextmanager
def _explain_damage(kind: str, meter: Meter) -> Iterator[None]:
    try:
        yield
    except _TOO_MANY_PIXELS:
        # Pillow's own limit is global to the process, so it stays as it is. It is above ours, and
        # its warning is raised only if a warnings filter turns it into an error.
        meter.check_size(*_MORE_THAN_PILLOW)
        raise
    except _BAD_DATA as error:
        raise ImageError(
            f"The file begins like {kind}, but is damaged, incomplete or unusual. {_COPY_AGAIN}"
        ) from error


def read_image(path: Path, max_side: int = MAX_SIDE) -> Photograph:
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
        path: The image file, or a frame of a DICOM file, as in `scan.dcm#2`.

    Returns:
        The bytes of the file. Those of a frame are a file of this photograph alone.

    Raises:
        ImageError: The file does not exist, cannot be read, or exceeds `MAX_BYTES`. The size is
            checked before reading. The message contains the path.
    """
    file, number = split_name(path)
    content = _read_file(file)
    return content if number is None else take_photograph(content, number)


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
        # Reading a pipe or a device would never end.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a file. {ACCEPTED} Choose an image file.")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{path}: {_describe_excess_bytes(status.st_size)}")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}. Check its name and folder.") from None
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read ({error.strerror}). Check its permissions."
        ) from error


def resize_to_square(pixels: NDArray[np.uint8] | Image.Image, side: int) -> NDArray[np.uint8]:
    """Resize an image to the square input of a network, with antialiasing.

    Training and inference both use this function, and no other resizing. It squashes the aspect
    ratio instead of cropping, because a crop can lose the border of the lesion.

    Args:
        pixels: uint8 [height, width, 3], or `Photograph.image`, which takes less time.
        side: Side of the square in pixels.

    Returns:
        uint8 [side, side, 3], read-only.

    Example:
        >>> import numpy as np
        >>> resize_to_square(np.zeros((80, 120, 3), np.uint8), 64).shape
        (64, 64, 3)
    """
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


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


def _open(declared: Declared, image_format: str) -> ImageFile.ImageFile:
    file = BytesIO(declared.data)
    if declared.open is not None:
        return declared.open(file)
    return Image.open(file, formats=[image_format])


def _check_header(image: ImageFile.ImageFile, meter: Meter) -> None:
    width, height = image.size
    meter.check_size(width, height)
    if image.format in {"WEBP", "BMP"}:  # the others have counted theirs
        meter.add(samples=3 * width * height)
    if min(width, height) < _MIN_SIDE:
        raise ImageError(
            f"The image is {width} × {height} pixels. At least {_MIN_SIDE} × {_MIN_SIDE} are "
            "needed. Use the original photograph, not a thumbnail."
        )
    # The first image of an MPO is the photograph. The others are previews or stereo views. The
    # pages of a TIFF are counted already.
    if image.format in {"PNG", "WEBP"} and image.is_animated:  # type: ignore[attr-defined]
        raise ImageError(
            f"The file contains {image.n_frames} images (frames or pages). "  # type: ignore[attr-defined]
            "Exactly one is needed. Save the one to be read as a JPEG."
        )
    # Pillow decodes run lengths in pure Python: 1 KB can block all threads for 8 s.
    if any(tile.codec_name == "bmp_rle" for tile in image.tile):
        raise ImageError(
            f"The {image.format} image uses a pixel layout that cameras do not produce "
            "(run-length coding). Save it as a JPEG."
        )


def _decode(image: ImageFile.ImageFile, declared: Declared, max_side: int) -> Photograph:
    width, height = image.size
    image_format = str(image.format)
    # Decodes a large JPEG at 1/2, 1/4 or 1/8 of its size if that is still large enough, in a third
    # of the time for 48 megapixels. Other formats ignore this.
    image.draft(None, _fit(width, height, max_side))
    image.load()
    # Read after the pixels, which PNG can store before it. Pillow turns a TIFF on loading.
    orientation = 1 if image_format == "TIFF" else read_orientation(image.info)
    colour = declared.colour
    profile = colour.make_profile() if colour is not None else image.info.get("icc_profile")

    opaque = _remove_transparency(image)
    size = _fit(opaque.width, opaque.height, max_side)
    if size != opaque.size:
        opaque = opaque.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    upright = convert_to_srgb(opaque, profile)
    if orientation in _EXIF_TRANSPOSES:
        upright = upright.transpose(_EXIF_TRANSPOSES[orientation])
    if orientation in _SIDEWAYS:
        width, height = height, width
    pixels = np.asarray(upright)  # read-only, because it is a view of immutable bytes
    about = declared.chosen, declared.num_images, declared.has_burned_in
    return Photograph(pixels, width, height, image_format, *about)


def _fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


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


def _describe_excess_bytes(num_bytes: int) -> str:
    return (
        f"The file has {num_bytes:,} bytes. At most {MAX_BYTES:,} ({MAX_BYTES // 2**20} MiB) are "
        "accepted. Save the photograph as a JPEG, or crop it to the lesion."
    )


def _explain_other_kind(kind: str | None) -> str:
    if kind is None:
        return f"The file is not an image of a known type. {ACCEPTED} {_COPY_AGAIN}"
    return f"The file is {kind}. {ACCEPTED} Export or save the photograph as a JPEG."

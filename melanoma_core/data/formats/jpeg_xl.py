"""Read how large a JPEG XL image is (ISO/IEC 18181-1), and decode it where a library is installed.

The library `pillow-jxl-plugin` is under the GPL, so that it is no dependency. It decodes as soon as
a file is opened, so that the size is read here before.
"""

from importlib import import_module
from importlib.util import find_spec
from io import BytesIO

from PIL import ImageFile

from melanoma_core.data.formats.boxes import IncompleteError, walk_boxes
from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.declared import Declared
from melanoma_core.errors import ImageError

PACKAGE = "pillow-jxl-plugin"
_MODULE = "pillow_jxl"
_BARE = b"\xff\x0a"  # how a stream begins; else it lies in boxes
_NUMBER_LENGTH = 4  # bytes of the number of a part of the stream
_HEAD_LENGTH = 64  # bytes that hold all that is read here
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height
_LENGTHS = (9, 13, 18, 30)  # bits of a side
_ADVICE = "Save the photograph as a JPEG."


class _Bits:
    """Reads numbers, whose lowest bits come first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def read(self, num_bits: int) -> int:
        self._left -= num_bits
        if self._left < 0:
            raise IncompleteError
        number = self._value & ((1 << num_bits) - 1)
        self._value >>= num_bits
        return number


def declare_jpeg_xl(data: bytes, meter: Meter) -> Declared:
    """Check the size of a JPEG XL image.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Returns:
        The stream of its pixels alone, without EXIF.

    Raises:
        ImageError: The work exceeds the budget, the file is incomplete or holds several images, or
            the library that decodes it is not installed.
    """
    stream = data if data.startswith(_BARE) else _join_stream(data, meter)
    bits = _Bits(stream[len(_BARE) : _HEAD_LENGTH])
    width, height = _read_size(bits)
    meter.check_size(width, height)
    meter.add(samples=3 * width * height)
    if _is_animated(bits):
        raise ImageError(
            "The JPEG XL file is an animation. Exactly one image is needed. Save the one to be "
            "read as a JPEG."
        )
    if find_spec(_MODULE) is None:
        raise ImageError(
            f"The file is a JPEG XL image. The package {PACKAGE} reads it, which is not installed "
            f"here. Install it with pip (its licence is GPL-3.0-or-later). Or: {_ADVICE}"
        )
    return Declared(stream, open=_open)


def _join_stream(data: bytes, meter: Meter) -> bytes:
    parts = []
    for box in walk_boxes(data, 0, len(data), meter):
        if box.kind in {b"jxlc", b"jxlp"}:
            start = box.start + (_NUMBER_LENGTH if box.kind == b"jxlp" else 0)
            parts.append(data[start : box.end])
    stream = b"".join(parts)
    if not stream.startswith(_BARE):
        raise IncompleteError
    return stream


def _read_size(bits: _Bits) -> tuple[int, int]:
    """Return width and height."""
    is_small = bits.read(1)
    height = _read_side(bits, is_small)
    ratio = bits.read(3)
    if not ratio:
        return _read_side(bits, is_small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _read_side(bits: _Bits, is_small: int) -> int:
    if is_small:
        return 8 * (bits.read(5) + 1)
    return bits.read(_LENGTHS[bits.read(2)]) + 1


def _is_animated(bits: _Bits) -> bool:
    """Read on, and return whether there are several frames."""
    if bits.read(1) or not bits.read(1):  # all is as usual, or has no further fields
        return False
    bits.read(3)  # the orientation, which the library applies
    if bits.read(1):  # the size at which it is to be shown
        _read_size(bits)
    has_preview = bits.read(1)
    return bool(not has_preview and bits.read(1))


def _open(file: BytesIO) -> ImageFile.ImageFile:
    image: ImageFile.ImageFile = import_module(_MODULE + ".JpegXLImagePlugin").JXLImageFile(file)
    if image.mode == "F":
        raise ImageError(
            f"The JPEG XL image has values with fractions (high dynamic range). {_ADVICE}"
        )
    image.info = {key: image.info[key] for key in {"icc_profile"} & set(image.info)}
    return image

"""Check the size that a WebP file declares, before its decoder makes room for all of it."""

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.declared import Declared

_EXTENDED = b"VP8X"  # the first chunk of a file with more than plain pixels


def declare_webp(data: bytes, meter: Meter) -> Declared:
    """Check the canvas of a WebP file.

    Args:
        data: Content of the file.
        meter: With the limit.

    Raises:
        ImageError: The canvas has too many pixels.
    """
    if data[12:16] == _EXTENDED:
        width, height = (int.from_bytes(data[start : start + 3], "little") for start in (24, 27))
        meter.check_size(width + 1, height + 1)
    return Declared(data)

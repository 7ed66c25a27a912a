"""Take out of a photograph's file all that says who took it, where, when and with what.

The pixels stay as they are stored, bit by bit, wherever that is possible: no photograph becomes
worse by being kept.
"""

import re
import struct
from io import BytesIO

import numpy as np
from PIL import Image

from melanoma_core.data.formats.kinds import JPEG, PNG, recognise
from melanoma_core.data.formats.orientation import read_orientation
from melanoma_core.data.images import MAX_BYTES, Photograph, decode_image
from melanoma_core.errors import ImageError

WHOLE = 2**16
"""Length of the longer side of a photograph, in pixels, beyond all that is read."""

_JPEG_TYPE, _PNG_TYPE = "image/jpeg", "image/png"
_UPRIGHT = 1
_ORIENTATION_TAG, _SHORT = 274, 3  # and a type of values, of EXIF
# A segment of JPEG that begins: within the data of a scan, 0xFF is followed by zero, by a restart
# marker (D0 to D7), or by another 0xFF.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_START_OF_SCAN, _END_OF_IMAGE, _COMMENT = 0xDA, 0xD9, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_JFIF, _ADOBE = (0xE0, b"JFIF\0"), (0xEE, b"Adobe")
_PROFILE = 0xE2, b"ICC_PROFILE\0"
_JFIF_LENGTH = 12  # bytes before the size of the thumbnail, which may show what was cropped away
# Chunks of PNG without which the pixels would look different.
_KEPT_CHUNKS = {
    *(b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT"),
}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FAST = 3  # of zlib's levels: twice as fast as 6, and hardly larger for a photograph


def strip(data: bytes, photograph: Photograph) -> tuple[bytes, str]:
    """Return a photograph's file without metadata.

    An upright JPEG or PNG file keeps its pixels as they are stored, with its colour profile. All
    else becomes a PNG file of the same pixels, upright and in sRGB. So does HEIC, which most
    browsers do not show: 12 megapixels of a phone take 7 MB then, instead of 1. A JPEG file that
    was held sideways, and whose PNG file would be too large to be read again, stays a JPEG file; of
    its EXIF it keeps the orientation alone, as one number.

    Args:
        data: Content of the file: JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM.
        photograph: What `decode_image` makes of it, in its whole size.

    Returns:
        The file, of which `decode_image` makes the same, and its media type.

    Raises:
        ImageError: The photograph would be too large to be read again.
    """
    kind = recognise(data)
    orientation = _read_orientation(data) if kind in {JPEG, PNG} else _UPRIGHT
    if kind in {JPEG, PNG} and orientation == _UPRIGHT:
        kept = _strip_jpeg(data) if kind == JPEG else _strip_png(data)
        if is_same(kept, photograph):
            return kept, _JPEG_TYPE if kind == JPEG else _PNG_TYPE
    kept = _write_png(photograph)
    if len(kept) <= MAX_BYTES:
        return kept, _PNG_TYPE
    kept = _strip_jpeg(data, orientation) if kind == JPEG else b""
    if kept and is_same(kept, photograph):
        return kept, _JPEG_TYPE
    raise ImageError(
        f"The photograph cannot be kept: without loss, it takes {len(kept):,} bytes, and at most "
        f"{MAX_BYTES:,} ({MAX_BYTES // 2**20} MiB) are read. Crop it to the lesion, or save it as "
        "a JPEG."
    )


def is_same(data: bytes, photograph: Photograph) -> bool:
    """Return whether a file decodes to the pixels of a photograph, in its whole size."""
    try:
        again = decode_image(data, WHOLE)
    except ImageError:
        return False
    return np.array_equal(again.pixels, photograph.pixels)


def _read_orientation(data: bytes) -> int:
    with Image.open(BytesIO(data)) as image:
        if image.format == "PNG":
            image.load()  # a PNG file may say it after the pixels
        return read_orientation(image.info)


def _strip_jpeg(data: bytes, orientation: int = _UPRIGHT) -> bytes:
    """Return a JPEG file without comments, and without what applications have put into it.

    Only the first image of several is kept.
    """
    kept = [data[:2]]
    if orientation != _UPRIGHT:
        kept.append(_make_orientation(orientation))
    position = 2
    while match := _MARKER.search(data, position):
        marker, start = data[match.start() + 1], match.start()
        if marker == _END_OF_IMAGE:
            kept.append(data[start : start + 2])
            break
        position = start + 2 + max(2, int.from_bytes(data[start + 2 : start + 4]))
        segment = data[start:position]
        if marker == _START_OF_SCAN:
            following = _MARKER.search(data, position)
            position = following.start() if following else len(data)
            kept.append(data[start:position])
        elif marker in _APPLICATION:
            kept.append(_strip_application(marker, segment))
        elif marker != _COMMENT:
            kept.append(segment)
    return b"".join(kept)


def _strip_application(marker: int, segment: bytes) -> bytes:
    """Return the segment of an application, if the pixels depend on it."""
    content = segment[4:]
    if (marker, content[:5]) == _JFIF:
        short = content[:_JFIF_LENGTH] + bytes(2)
        return segment[:2] + (len(short) + 2).to_bytes(2) + short
    is_kept = (marker, content[:5]) == _ADOBE or (marker, content[:12]) == _PROFILE
    return segment if is_kept else b""


def _strip_png(data: bytes) -> bytes:
    """Return a PNG file with the chunks alone that its pixels depend on."""
    kept = [_SIGNATURE]
    position = len(_SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if name in _KEPT_CHUNKS:
            kept.append(data[position:end])
        position = end
        if name == b"IEND":
            break
    return b"".join(kept)


def _make_orientation(orientation: int) -> bytes:
    """Return a segment of JPEG that says how the photograph was held, and nothing else."""
    entry = struct.pack(">HHIHxx", _ORIENTATION_TAG, _SHORT, 1, orientation)
    content = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2) + content


def _write_png(photograph: Photograph) -> bytes:
    buffer = BytesIO()
    photograph.image.save(buffer, "PNG", compress_level=_FAST)
    return buffer.getvalue()

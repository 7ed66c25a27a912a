"""Read what the compressed pixels of a DICOM file declare themselves, beside its tags.

A stream has its own size and colours. Where a tag says another size, one of both is wrong, and a
decoder would make room for what the stream says.
"""

import struct
from dataclasses import dataclass

from melanoma_core.data.formats.budget import Meter

_ADOBE = b"Adobe"
_ADOBE_LENGTH = 12  # bytes; libjpeg ignores shorter ones
_SCAN, _APP0, _APP14 = 0xDA, 0xE0, 0xEE
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}  # F7 is that of JPEG-LS
_RGB_IDS = b"RGB"
_J2K_START = b"\xff\x4f\xff\x51"
_J2K_SIZE = ">IIIIIIIIH"  # after the capabilities
_J2K_TILE, _J2K_CODING = 0x90, 0x52


@dataclass(frozen=True)
class Stream:
    """What a compressed stream declares.

    Attributes:
        width: In pixels.
        height: In pixels.
        channels: Number of its channels.
        bits: Bits of each value.
        is_rgb: Whether its three channels are, or are decoded to, red, green and blue; None where
            only the tag of the file can say.
        is_subsampled: Whether it has fewer samples of colour than of brightness.
        is_marked: Of JPEG: whether a marker says the colours, so that every decoder knows.
    """

    width: int
    height: int
    channels: int
    bits: int
    is_rgb: bool | None = None
    is_subsampled: bool = False
    is_marked: bool = False


def read_jpeg(data: bytes, meter: Meter) -> Stream | None:
    """Return what a JPEG, lossless JPEG or JPEG-LS stream declares; None if it is broken.

    Args:
        data: The stream.
        meter: To which each segment is added as a part.
    """
    marked: bool | None = None  # whether a marker says RGB
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # a byte to fill up
            position += 1
            continue
        meter.add(parts=1)
        length = int.from_bytes(data[position + 2 : position + 4])
        content = data[position + 4 : position + 2 + length]
        if marker in _FRAMES:
            return _read_frame(content, marked)
        if marker == _SCAN or length < 2:
            return None
        if marker == _APP0 and content.startswith(b"JFIF\0"):
            marked = False
        elif marker == _APP14 and content.startswith(_ADOBE) and len(content) >= _ADOBE_LENGTH:
            marked = content[11] == 0 if marked is None else marked
        position += 2 + length
    return None


def _read_frame(content: bytes, marked: bool | None) -> Stream | None:
    if len(content) < 6:
        return None
    bits, height, width, channels = struct.unpack(">BHHB", content[:6])
    parts = content[6 : 6 + 3 * channels]
    if len(parts) != 3 * channels:
        return None
    ids, shares = parts[::3], set(parts[1::3])
    is_subsampled = len(shares) > 1
    is_rgb = marked
    if is_rgb is None and (ids == _RGB_IDS or is_subsampled):
        is_rgb = ids == _RGB_IDS
    return Stream(width, height, channels, bits, is_rgb, is_subsampled, marked is not None)


def mark_colours(data: bytes, is_rgb: bool) -> bytes:
    """Return a JPEG stream with the marker of Adobe that says its colours.

    Args:
        data: A stream without such a marker.
        is_rgb: Whether its channels are red, green and blue; YCbCr otherwise.
    """
    content = _ADOBE + struct.pack(">HHHB", 100, 0, 0, 0 if is_rgb else 1)
    return data[:2] + b"\xff\xee" + struct.pack(">H", len(content) + 2) + content + data[2:]


def read_jpeg_2000(data: bytes, meter: Meter) -> Stream | None:
    """Return what a JPEG 2000 stream declares; None if it is broken.

    Args:
        data: The stream, also in a JP2 file.
        meter: To which each tile and segment is added as a part.
    """
    start = data.find(_J2K_START)
    size = struct.calcsize(_J2K_SIZE)
    if start < 0 or len(data) < start + 8 + size:
        return None
    fields = struct.unpack_from(_J2K_SIZE, data, start + 8)
    right, bottom, left, top, tile_width, tile_height, _, _, channels = fields
    parts = data[start + 8 + size : start + 8 + size + 3 * channels]
    if len(parts) != 3 * channels or not channels or not tile_width or not tile_height:
        return None
    meter.add(parts=-(-right // tile_width) * -(-bottom // tile_height))
    bits = set(parts[::3])
    return Stream(
        width=right - left,
        height=bottom - top,
        channels=channels,
        bits=bits.pop() + 1 if len(bits) == 1 else 0,  # signed ones have more than 128
        is_rgb=_is_transformed(data, start + 2, meter) or None,
        is_subsampled=set(parts[1::3]) | set(parts[2::3]) != {1},
    )


def _is_transformed(data: bytes, position: int, meter: Meter) -> bool:
    """Return whether the stream's own transform to YCbCr was applied, which decoders undo."""
    while position + 4 <= len(data) and data[position] == 0xFF:
        meter.add(parts=1)
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4])
        if marker == _J2K_CODING:
            return data[position + 8 : position + 9] == b"\1"
        if marker == _J2K_TILE or length < 2:
            return False
        position += 2 + length
    return False

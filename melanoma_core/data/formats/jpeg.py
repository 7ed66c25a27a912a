"""Count the work that a JPEG file declares: its segments, tags and scans."""

import re
import struct

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.declared import Declared
from melanoma_core.data.formats.directories import count_tags

# A marker with a length behind it. Within the data of a scan, the byte 0xFF is only followed by
# zero, by a restart marker (D0 to D7) or by another 0xFF.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _APP1, _APP2, _APP13 = 0xDA, 0xD9, 0xE1, 0xE2, 0xED
_SMALLEST_RESOURCE = 12  # bytes of a Photoshop resource, which Pillow parses one by one


def declare_jpeg(data: bytes, meter: Meter) -> Declared:
    """Count the work of a JPEG file.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Raises:
        ImageError: The work exceeds the budget.
    """
    channels: dict[int, int] = {}  # samples of each component, by its id
    exif = b""
    position, has_scans = 2, False
    while match := _MARKER.search(data, position):
        marker, start = data[match.start() + 1], match.end()
        # Outside of scans, Pillow steps over each byte between segments.
        meter.add(parts=1 + (0 if has_scans else match.start() - position))
        if marker == _END:
            break
        position = start + max(2, int.from_bytes(data[start : start + 2]))
        content = data[start + 2 : position]
        if marker in _FRAMES and not channels:
            channels = _read_channels(content, meter)
        elif marker == _SCAN:
            has_scans = True
            meter.add(samples=_count_samples(content, channels))
        elif marker == _APP1 and content.startswith(b"Exif\0\0"):
            exif += content[6:]
        elif marker == _APP2 and content.startswith(b"MPF\0"):
            count_tags(content[4:], meter)
        elif marker == _APP13:
            meter.add(parts=len(content) // _SMALLEST_RESOURCE)
    count_tags(exif, meter)
    return Declared(data)


def _read_channels(content: bytes, meter: Meter) -> dict[int, int]:
    if len(content) < 6:
        return {}
    height, width, num_channels = struct.unpack(">HHB", content[1:6])
    meter.check_size(width, height)
    channels = list(struct.iter_unpack("BBB", content[6 : 6 + len(content[6:]) // 3 * 3]))
    shares = {name: (both >> 4) * (both & 15) for name, both, _ in channels[:num_channels]}
    largest = max(shares.values(), default=0) or 1
    return {name: width * height * share // largest for name, share in shares.items()}


def _count_samples(content: bytes, channels: dict[int, int]) -> int:
    num_channels = content[0] if content else 0
    return sum(channels.get(name, 0) for name in content[1 : 1 + 2 * num_channels : 2])

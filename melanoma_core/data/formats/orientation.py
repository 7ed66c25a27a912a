"""Read how a photograph was held, and nothing else that its metadata say."""

import re
from typing import Any

from melanoma_core.data.formats.budget import BUDGET, Meter
from melanoma_core.data.formats.directories import count_tags
from melanoma_core.errors import ImageError

_TAG = 274
_RAW_PROFILE = "Raw profile type exif"  # EXIF as hexadecimal digits in a text of a PNG file
_RAW_PROFILE_HEADER = 3  # lines
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def read_orientation(info: dict[Any, Any]) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if there is none or if it cannot be read.

    Broken metadata are no reason to refuse an intact image.

    Args:
        info: What Pillow knows of the image (`Image.info`).
    """
    try:
        directory = count_tags(_find_exif(info).removeprefix(b"Exif\0\0"), Meter(BUDGET))
    except (ImageError, ValueError):
        return 1
    orientation = 0 if directory is None else directory.read_one(_TAG, 0)
    if not orientation and (match := _XMP.search(_find_xmp(info))):
        orientation = int(match[1])
    return orientation if 1 <= orientation <= 8 else 1


def _find_exif(info: dict[Any, Any]) -> bytes:
    exif = info.get("exif")
    if isinstance(exif, bytes):
        return exif
    lines = str(info.get(_RAW_PROFILE, "")).split("\n")[_RAW_PROFILE_HEADER:]
    return bytes.fromhex("".join(lines))


def _find_xmp(info: dict[Any, Any]) -> bytes:
    xmp = info.get("XML:com.adobe.xmp") or info.get("xmp") or b""
    return xmp if isinstance(xmp, bytes) else str(xmp).encode()

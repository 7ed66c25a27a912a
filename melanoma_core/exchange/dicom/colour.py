"""The colour profile of a photograph, as DICOM wants it: that of an input device."""

import io
from functools import lru_cache

from PIL import ImageCms

# Places in the header of a profile (ICC.1, section 7.2).
_CLASS, _SPACE, _CONNECTION = slice(12, 16), slice(16, 20), slice(20, 24)
_DATE, _IDENTITY = slice(24, 36), slice(84, 100)
_INPUT, _RGB, _XYZ = b"scnr", b"RGB ", b"XYZ "
_TAGS, _TAG = 128, 12  # where the table of tags begins, and how long an entry is
_MATRIX = {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}
_TABLES = {b"A2B0", b"A2B1", b"A2B2"}
_FIXED_DATE = bytes.fromhex("07d00001000100000000")  # 1 January 2000


@lru_cache(maxsize=1)
def make_srgb() -> bytes:
    """Return the profile of sRGB (IEC 61966-2-1): a matrix and curves, the same bytes each time.

    DICOM wants the class of an input device (PS3.3, C.11.15.1.1), and readers render with the
    perceptual intent. A matrix profile has one rendering for all intents, so that no colour moves.
    """
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _make_input(profile)


def adopt_profile(profile: bytes) -> bytes | None:
    """Return an embedded profile as that of an input device.

    Only the class of a matrix profile is changed, which has the same tags in both classes.

    Returns:
        None for a profile that is damaged, has tables, or is not of RGB.
    """
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ImageCms.PyCMSError):
        return None
    tags = _list_tags(profile)
    is_matrix = tags >= _MATRIX and not tags & _TABLES
    if not is_matrix or (profile[_SPACE], profile[_CONNECTION]) != (_RGB, _XYZ):
        return None
    return _make_input(profile)


def _make_input(profile: bytes) -> bytes:
    changed = bytearray(profile)
    changed[_CLASS] = _INPUT
    changed[_DATE] = _FIXED_DATE.ljust(12, b"\0")
    changed[_IDENTITY] = bytes(16)  # a checksum, zero for none
    return bytes(changed)


def _list_tags(profile: bytes) -> set[bytes]:
    count = int.from_bytes(profile[_TAGS : _TAGS + 4])
    starts = range(_TAGS + 4, min(_TAGS + 4 + count * _TAG, len(profile)), _TAG)
    return {profile[start : start + 4] for start in starts}

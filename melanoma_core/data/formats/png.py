"""Read the chunks of a PNG file that say how many parts it has and what its colours mean."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.code_points import (
    UNSPECIFIED,
    find_space,
    refuse_high_dynamic_range,
)
from melanoma_core.data.formats.colour_space import (
    D65,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    ColourSpace,
    find_curve,
    is_triangle,
)
from melanoma_core.data.formats.declared import Declared
from melanoma_core.errors import ImageError

_SIGNATURE_LENGTH = 8
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type

# Pillow keeps texts in one table with what it knows of the image itself, under names that a file
# chooses: a text called "interlace" changes how pixels are decoded. Only those are kept that can
# hold the orientation.
_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
_KEPT_TEXTS = {b"XML:com.adobe.xmp", b"Raw profile type exif"}

_GAMMAS = 0.1, 10.0  # beyond these, nothing that is seen on a screen


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int  # of the whole chunk
    content: bytes

    @property
    def end(self) -> int:
        return self.start + 12 + len(self.content)  # with length, name and checksum


def declare_png(data: bytes, meter: Meter) -> Declared:
    """Read what a PNG file declares.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Returns:
        The file without texts, and its colour space if `cICP`, or `gAMA` and `cHRM` without a
        profile, declare another than sRGB.

    Raises:
        ImageError: The work exceeds the budget, or the colours cannot be shown as sRGB.
    """
    about: dict[bytes, bytes] = {}  # chunks before the pixels
    kept, whole_from = [], 0
    has_pixels = False
    for chunk in _walk(data):
        meter.add(parts=1)
        if chunk.name == b"IHDR" and len(chunk.content) == 13:
            width, height, _, kind = struct.unpack(">IIBB", chunk.content[:10])
            meter.check_size(width, height)
            meter.add(samples=width * height * _CHANNELS.get(kind, 1))
        elif chunk.name in _TEXTS:
            if chunk.content.partition(b"\0")[0] not in _KEPT_TEXTS:
                kept.append(data[whole_from : chunk.start])
                whole_from = chunk.end
        elif chunk.name == b"IDAT":
            has_pixels = True
        elif not has_pixels:
            about[chunk.name] = chunk.content
    kept.append(data[whole_from:])
    return Declared(b"".join(kept) if len(kept) > 1 else data, _find_colours(about))


def _walk(data: bytes) -> Iterator[_Chunk]:
    position = _SIGNATURE_LENGTH
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        # Pixels are not copied.
        content = b"" if name == b"IDAT" else data[position + 8 : position + 8 + length]
        yield _Chunk(name, position, content)
        position += 12 + length
        if name == b"IEND":
            return


def _find_colours(about: dict[bytes, bytes]) -> ColourSpace | None:
    """Return the colour space by the order of precedence of the PNG specification."""
    found = None
    if len(about.get(b"cICP", b"")) == 4:
        found = _read_code_points(*about[b"cICP"])
    if found is None and not {b"iCCP", b"sRGB"} & set(about):
        found = _read_curve_and_primaries(about)
    return None if found is None or found.is_srgb else found


def _read_code_points(primaries: int, curve: int, matrix: int, full: int) -> ColourSpace | None:
    if UNSPECIFIED in {primaries, curve}:
        return None
    refuse_high_dynamic_range(curve, "The PNG image")
    space = find_space(primaries, curve)
    if space is None or matrix != 0 or full != 1:
        raise ImageError(
            f"The PNG image declares its colours by codes that are not known here (cICP "
            f"{primaries}, {curve}, {matrix}, {full}). Save it as a JPEG in sRGB."
        )
    return space


def _read_curve_and_primaries(about: dict[bytes, bytes]) -> ColourSpace:
    curve, primaries, white = SRGB_CURVE, SRGB_PRIMARIES, D65
    gamma, chromaticities = about.get(b"gAMA", b""), about.get(b"cHRM", b"")
    if len(gamma) == 4 and (stored := int.from_bytes(gamma)):  # 0 means nothing
        exponent = 100_000 / stored
        if not _GAMMAS[0] <= exponent <= _GAMMAS[1]:
            raise ImageError(
                f"The PNG image declares an exponent of {exponent:g} for its brightness (gAMA), "
                "with which no photograph can be seen. Save it as a JPEG in sRGB."
            )
        curve = find_curve(exponent)
    if len(chromaticities) == 32:
        values = [value / 100_000 for value in struct.unpack(">8I", chromaticities)]
        white, *three = zip(values[::2], values[1::2], strict=True)
        primaries = tuple(three)
        if not is_triangle(primaries) or white[1] <= 0:
            raise ImageError(
                "The PNG image declares primary colours (cHRM) that span no colours. Save it as a "
                "JPEG in sRGB."
            )
    return ColourSpace(primaries, white, curve)

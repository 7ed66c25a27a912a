"""Which forms of TIFF are read. All others are refused by name.

TIFF leaves the form of its pixels open, and Pillow decodes some forms wrongly without an error.
So a form is read only if it is in the table below, and a test compares each with its pixels.
"""

from dataclasses import dataclass
from io import BytesIO

from PIL import ImageFile, TiffImagePlugin

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.colour_space import (
    D65,
    ColourSpace,
    is_triangle,
)
from melanoma_core.data.formats.declared import Declared
from melanoma_core.data.formats.directories import (
    Directory,
    count_pages,
    count_subdirectories,
    read_directory,
    read_layout,
)
from melanoma_core.errors import ImageError

_KIND, _OLD_KIND, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOUR = 254, 255, 256, 257, 258, 259, 262
_STRIPS, _CHANNELS, _ROWS, _STRIP_BYTES, _PLANES = 273, 277, 278, 279, 284
_TRANSFER, _WHITE, _PRIMARIES, _PALETTE = 301, 318, 319, 320
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_INKS, _EXTRA, _FORMAT, _PROFILE = 332, 338, 339, 34675
_PREDICTOR = 317
_JPEG, _CMYK, _PALETTED, _YCBCR = 7, 5, 3, 6
_PREDICTED = {5, 8, 32946, 34925, 50000}  # compressions that a predictor works with

_FORMATS = {1: "", 2: "signed ", 3: "floating-point ", 4: "undefined "}
_COMPRESSIONS = {
    **{1: "none", 2: "CCITT", 3: "CCITT group 3", 4: "CCITT group 4", 5: "LZW", _JPEG: "JPEG"},
    **{8: "Deflate", 32773: "PackBits", 32946: "Deflate", 34925: "LZMA", 50000: "Zstandard"},
}
_OTHER_COLOURS = {
    **{4: "a mask", 9: "ICC Lab", 10: "ITU Lab", 32803: "raw data of a sensor"},
    **{32844: "LogL", 32845: "LogLuv", 34892: "linear raw data"},
}


@dataclass(frozen=True)
class _Form:
    """A form of pixels that is read.

    Attributes:
        name: What the channels mean.
        channels: Number of channels, without extra ones.
        bits: Bits of a channel, with the number of extra channels that are read with them.
        extra: Meanings of the first extra channel that are read: 0 unspecified, 1 premultiplied
            transparency, 2 transparency. Others must be unspecified.
        in_planes: Whether each channel may lie in a plane of its own.
    """

    name: str
    channels: int
    bits: dict[int, int]
    extra: frozenset[int] = frozenset()
    in_planes: bool = False


_FORMS = {
    0: _Form("grey, white as zero", 1, {1: 0, 2: 0, 4: 0, 8: 0}),
    1: _Form("grey", 1, {1: 0, 2: 0, 4: 0, 8: 1, 16: 0}, frozenset({0, 2})),
    2: _Form("RGB", 3, {8: 3, 16: 1}, frozenset({0, 1, 2}), in_planes=True),
    3: _Form("a palette", 1, {1: 0, 2: 0, 4: 0, 8: 1}, frozenset({0, 2})),
    5: _Form("CMYK", 4, {8: 2, 16: 0}, frozenset({0}), in_planes=True),
    6: _Form("YCbCr", 3, {8: 0}),
    8: _Form("CIE Lab", 3, {8: 0}),
}


class _LibtiffImage(TiffImagePlugin.TiffImageFile):
    """A TIFF that libtiff decodes even if it is not compressed.

    Pillow's own decoder takes planes for 8-bit ones, ignores white as zero in them, and knows no
    YCbCr with fewer samples of colour than of brightness.
    """

    @property
    def _compression(self) -> str:
        return self._stored_compression

    @_compression.setter
    def _compression(self, value: str) -> None:
        self._stored_compression = "uncompressed" if value == "raw" else value


def declare_tiff(data: bytes, meter: Meter) -> Declared:
    """Check the form of a TIFF, and count its work.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Raises:
        ImageError: The work exceeds the budget, or the form is not read.
    """
    found = read_layout(data)
    if found is None:
        return Declared(data)
    layout, offset = found
    if layout.is_big and layout.order == ">":
        _refuse("it is a big-endian BigTIFF")
    page = read_directory(data, layout, offset, meter)
    width, height = page.read_one(_WIDTH, 0), page.read_one(_HEIGHT, 0)
    if not width or not height:
        return Declared(data)
    meter.check_size(width, height)
    count_subdirectories(page, meter)
    _check_pages(page)
    _check_form(page)
    _check_blocks(page, (width, height), meter)
    is_unlike = page.read_one(_PLANES, 1) == 2 or page.read_one(_COLOUR, 0) == _YCBCR
    return Declared(data, _find_colours(page), _open_with_libtiff if is_unlike else None)


def _open_with_libtiff(file: BytesIO) -> ImageFile.ImageFile:
    return _LibtiffImage(file)


def _refuse(found: str) -> None:
    raise ImageError(
        f"The TIFF image uses a pixel layout that cameras do not produce: {found}. 8 or 16 bits "
        "per colour, in RGB or grey, are needed. Save it as a JPEG."
    )


def _check_pages(page: Directory) -> None:
    kind = page.read_one(_KIND, 0)
    # Raw files of cameras have the TIFF signature, and their first image is a small preview.
    if kind & 1 or page.read_one(_OLD_KIND, 1) == 2:
        raise ImageError(
            "The file begins with a small preview, like the raw files of cameras. The full "
            "photograph is needed. Export it as a JPEG."
        )
    if kind & 4:
        _refuse("it is a mask")
    if (number := count_pages(page)) > 1:
        text = str(number) if number <= 100 else "more than 100"
        raise ImageError(
            f"The file contains {text} images (frames or pages). Exactly one is needed. Save the "
            "one to be read as a JPEG."
        )


def _check_form(page: Directory) -> None:
    colour = page.read_one(_COLOUR, -1)
    form = _FORMS.get(colour)
    if form is None:
        named = _OTHER_COLOURS.get(colour, f"number {colour}")
        _refuse(
            "it does not say what its channels mean" if colour < 0 else f"its pixels are {named}"
        )
        return
    compression = page.read_one(_COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        _refuse(f"its compression has the number {compression}")
    if page.read_one(_PREDICTOR, 1) != 1 and compression not in _PREDICTED:
        _refuse(f"it has a predictor without a compression for it ({_COMPRESSIONS[compression]})")
    bits = set(page.read(_BITS) or (1,))
    formats = set(page.read(_FORMAT) or (1,))
    channels = page.read_one(_CHANNELS, 1)
    described = f"{channels} {'channel' if channels == 1 else 'channels'} of " + " and ".join(
        f"{_FORMATS.get(number, '')}{size} bits" for number in formats for size in sorted(bits)
    )
    extra = page.read(_EXTRA)
    is_known = len(bits) == 1 and formats == {1} and channels == form.channels + len(extra)
    if not is_known or len(extra) > form.bits.get(min(bits), -1):
        _refuse(f"{form.name} with {described}, {len(extra)} of them described as extra")
    if extra and (extra[0] not in form.extra or any(extra[1:])):
        _refuse(f"{form.name} with extra channels of the kinds {', '.join(map(str, extra))}")
    if page.read_one(_PLANES, 1) == 2 and channels > 1 and not form.in_planes:
        _refuse(f"{form.name} with {channels} channels in planes of their own")
    if colour == _CMYK and page.read_one(_INKS, 1) != 1:
        _refuse("its inks are not those of CMYK")
    palette = page.read(_PALETTE)
    if colour == _PALETTED and 0 < max(palette, default=0) < 256:
        _refuse("its palette has values of 8 bits, where 16 are defined")


def _check_blocks(page: Directory, size: tuple[int, int], meter: Meter) -> None:
    """Check that there are strips or tiles for all pixels, and count the work of each."""
    (width, height), is_tiled = size, _STRIPS not in page.tags
    block_width = page.read_one(_TILE_WIDTH, width) if is_tiled else width
    default = (height,)
    block_height = (page.read(_TILE_HEIGHT if is_tiled else _ROWS) or default)[0]
    if not is_tiled:
        block_height = min(block_height, height)
    channels = page.read_one(_CHANNELS, 1)
    planes = channels if page.read_one(_PLANES, 1) == 2 else 1
    _, number, _ = page.tags.get(_TILES if is_tiled else _STRIPS, (0, 0, 0))
    meter.add(parts=number)
    block = block_width * block_height * channels // planes
    if not block:
        _refuse("its strips or tiles have no size")
    if number < planes * -(-width // block_width) * -(-height // block_height):
        raise ImageError(
            "The TIFF image is incomplete: it has fewer strips or tiles than its size needs. Copy "
            "it again from the camera or from its source."
        )
    passes = number
    if page.read_one(_COMPRESSION, 1) == _JPEG:
        passes = _count_scans(page, is_tiled, meter)
    meter.add(samples=block * max(passes, number))


def _count_scans(page: Directory, is_tiled: bool, meter: Meter) -> int:
    """Count the scans of all JPEG images inside; each strip or tile is one."""
    offsets = page.read(_TILES if is_tiled else _STRIPS)
    lengths = page.read(_TILE_BYTES if is_tiled else _STRIP_BYTES)
    meter.add(tag_bytes=sum(min(length, len(page.data)) for length in lengths))
    return sum(
        page.data.count(b"\xff\xda", offset, offset + length)
        for offset, length in zip(offsets, lengths, strict=False)
    )


def _find_colours(page: Directory) -> ColourSpace | None:
    if _PROFILE in page.tags:
        return None
    if _TRANSFER in page.tags:
        _refuse("it declares a transfer function without a colour profile")
    white, values = page.read_ratios(_WHITE), page.read_ratios(_PRIMARIES)
    if len(values) != 6:
        return None
    primaries = tuple(zip(values[::2], values[1::2], strict=True))
    x, y = white if len(white) == 2 else D65
    if not is_triangle(primaries) or y <= 0:
        _refuse("its primary colours span no colours")
    space = ColourSpace(primaries, (x, y))
    return None if space.is_srgb else space

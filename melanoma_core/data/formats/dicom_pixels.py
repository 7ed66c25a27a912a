"""Decode the pixels of one photograph in a DICOM file.

JPEG streams are decoded by Pillow, JPEG 2000 by OpenJPEG, all others by pydicom and GDCM. All are
asked for the stored colours, which are converted once, by what the pixels are: pydicom 3.0.2 hands
over RGB where the tag goes on saying YBR_FULL_422.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.dicom_kinds import (
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    PLAIN,
    UNCOMPRESSED,
)
from melanoma_core.data.formats.dicom_streams import (
    Stream,
    mark_colours,
    read_jpeg,
    read_jpeg_2000,
)
from melanoma_core.data.formats.jpeg import declare_jpeg
from melanoma_core.errors import ImageError

GREY = {"MONOCHROME1", "MONOCHROME2"}
PALETTE = "PALETTE COLOR"
HALF = "YBR_FULL_422"  # every second sample of colour
_YBR = {"YBR_FULL", HALF}
_TRANSFORMED = {"YBR_ICT", "YBR_RCT"}  # by JPEG 2000
_CHANNELS = {
    "RGB": 3,
    "YBR_FULL": 3,
    HALF: 3,
    "YBR_ICT": 3,
    "YBR_RCT": 3,
    PALETTE: 1,
} | dict.fromkeys(GREY, 1)
_PIXELS_AT_ONCE = 2**20
# What pydicom and its plugins raise on bad data, besides what Pillow raises.
_BROKEN = (AttributeError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, eq=False)
class Form:
    """How the pixels of a DICOM file are stored.

    Attributes:
        syntax: UID of the transfer syntax.
        rows: Height in pixels.
        columns: Width in pixels.
        photometric: What the tag says of the colours.
        channels: Samples per pixel.
        bits: Bits that are stored of each value.
        bits_allocated: Bits that each value takes.
        in_planes: Whether each channel lies in a plane of its own.
    """

    syntax: str
    rows: int
    columns: int
    photometric: str
    channels: int
    bits: int
    bits_allocated: int
    in_planes: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        values = self.rows * self.columns * self.channels
        if self.photometric == HALF and self.syntax in UNCOMPRESSED:
            values = values // 3 * 2
        return values * self.bits_allocated // 8


def check_form(form: Form, representation: int) -> None:
    """Refuse a form of pixels that is not read.

    Args:
        form: What the tags say.
        representation: Whether values are signed (1).

    Raises:
        ImageError: It is not read, and the message names it.
    """
    if form.photometric not in _CHANNELS:
        refuse(f'its colours are "{form.photometric}"')
    if form.channels != _CHANNELS[form.photometric]:
        refuse(f"it has {form.channels} values per pixel, and says {form.photometric}")
    if form.bits_allocated not in {8, 16} or not 8 <= form.bits <= form.bits_allocated:
        refuse(f"it stores {form.bits} of {form.bits_allocated} bits")
    if representation:
        refuse("its values are signed, like those of scanners")
    if form.photometric in GREY and form.bits > 8:
        refuse(f"it is grey with {form.bits} bits, like the images of scanners")


def refuse(found: str) -> None:
    """Raise the refusal of a form of pixels.

    Raises:
        ImageError: Always.
    """
    raise ImageError(
        f"The DICOM file uses a pixel layout that is not read: {found}. 8 or 16 bits in RGB, "
        "YBR_FULL, YBR_FULL_422, YBR_ICT, YBR_RCT or PALETTE COLOR, or 8 bits in MONOCHROME2, are "
        "needed. Export the photograph as a JPEG."
    )


def check_stream(form: Form, frame: bytes, meter: Meter) -> Stream | None:
    """Compare what compressed pixels declare with the tags, and count their work.

    Args:
        form: What the tags say.
        frame: The compressed pixels, or the plain ones.
        meter: To which the work is added.

    Returns:
        What the stream declares; None for pixels that declare nothing.

    Raises:
        ImageError: Both contradict each other.
    """
    if form.syntax in JPEG_2000:
        stream = read_jpeg_2000(frame, meter)
    elif form.syntax in JPEG | JPEG_LOSSLESS | JPEG_LS:
        stream = read_jpeg(frame, meter)
    else:
        if form.syntax in UNCOMPRESSED:
            _check_length(form, len(frame))
        return None
    if stream is None:
        raise ValueError("The compressed pixels are broken.")
    meter.check_size(stream.width, stream.height)
    said = form.columns, form.rows, form.channels, form.bits
    found = stream.width, stream.height, stream.channels, stream.bits
    if said != found:
        raise ImageError(
            f"The DICOM file contradicts itself: its tags say {_describe(said)}, its pixels "
            f"{_describe(found)}. Export it again from its source."
        )
    return stream


def _check_length(form: Form, length: int) -> None:
    """Compare the number of plain bytes with what the tags say."""
    if length >= form.frame_bytes and length <= form.frame_bytes + 1:
        return
    whole = form.rows * form.columns * 3 * form.bits_allocated // 8
    if form.photometric == HALF and length in {whole, whole + 1}:
        raise ImageError(
            "The DICOM file contradicts itself: its tag says YBR_FULL_422, but its pixels have all "
            "samples of colour, as RGB and YBR_FULL have. Which of both they are, nothing says. "
            "Export it again from its source."
        )
    raise ImageError(
        f"The DICOM file is damaged or incomplete: its pixels take {length:,} bytes, and "
        f"{form.frame_bytes:,} are needed. Copy it again from its source."
    )


def _describe(values: tuple[int, int, int, int]) -> str:
    width, height, channels, bits = values
    return f"{width} × {height} pixels with {channels} values of {bits} bits"


def find_colours(form: Form, stream: Stream | None) -> str:
    """Return what decoded pixels of three channels are: "RGB" or "YCbCr".

    A JPEG stream says it by its markers, or by having fewer samples of colour. A JPEG 2000 stream
    says whether it was transformed. Where a stream says nothing, the tag does.

    Raises:
        ImageError: The tag and the stream contradict each other, so that neither can be trusted.
    """
    is_tagged_rgb = form.photometric not in _YBR
    if stream is None or form.syntax not in JPEG | JPEG_2000:
        return "RGB" if is_tagged_rgb else "YCbCr"
    if form.syntax in JPEG:
        return "RGB" if (is_tagged_rgb if stream.is_rgb is None else stream.is_rgb) else "YCbCr"
    is_contradicted = form.photometric in (_YBR if stream.is_rgb else _TRANSFORMED)
    if is_contradicted or stream.is_subsampled:
        was = "were" if stream.is_rgb else "were not"
        refuse(f"its tag says {form.photometric}, but its JPEG 2000 pixels {was} transformed")
    return "RGB" if is_tagged_rgb else "YCbCr"


@dataclass(frozen=True, eq=False)
class Source:
    """The pixels of one photograph, before they are decoded.

    Attributes:
        form: How they are stored.
        frame: Its bytes.
        colours: "RGB" or "YCbCr" of three channels; "" of one.
        palette: Of PALETTE COLOR: uint8 [N, 3]; None otherwise.
        first: The value that the first colour of the palette is for.
        profile: ICC profile; None if there is none.
    """

    form: Form
    frame: bytes
    colours: str = ""
    palette: NDArray[np.uint8] | None = None
    first: int = 0
    profile: bytes | None = None


def open_jpeg(source: Source, stream: Stream, meter: Meter) -> ImageFile.ImageFile:
    """Open JPEG pixels with Pillow, which so decodes large ones at a fraction of their size.

    Args:
        source: The photograph.
        stream: What it declares.
        meter: To which the work is added.
    """
    frame = source.frame
    if source.colours and not stream.is_marked:
        frame = mark_colours(frame, source.colours == "RGB")
    return Image.open(BytesIO(declare_jpeg(frame, meter).data), formats=["JPEG"])


class DicomImage(ImageFile.ImageFile):
    """A photograph of a DICOM file as an image of Pillow, decoded when it is loaded.

    Args:
        source: The photograph.
        inner: Its JPEG; None for all other pixels.
    """

    format = "DICOM"
    format_description = "DICOM photograph"

    def __init__(self, source: Source, inner: ImageFile.ImageFile | None = None) -> None:
        self._source, self._inner = source, inner
        super().__init__(BytesIO(b"\0"))

    def _open(self) -> None:
        form = self._source.form
        self._size = form.columns, form.rows
        self._mode = "L" if form.photometric in GREY else "RGB"
        self.tile = []
        if self._source.profile:
            self.info["icc_profile"] = self._source.profile
        elif self._inner is not None and "icc_profile" in self._inner.info:
            self.info["icc_profile"] = self._inner.info["icc_profile"]

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> Any:
        """Let a JPEG be decoded at a fraction of its size."""
        return None if self._inner is None else self._inner.draft(mode, size)

    def load(self) -> Any:
        """Decode the pixels."""
        if self._source is not None:
            image = _decode(self._source, self._inner)
            self._source = self._inner = None  # type: ignore[assignment]
            self.im, self._mode, self._size = image.im, image.mode, image.size
        return super(ImageFile.ImageFile, self).load()


def _decode(source: Source, inner: ImageFile.ImageFile | None) -> Image.Image:
    if inner is not None:
        inner.load()
        values = (
            None if source.palette is None and source.form.photometric != "MONOCHROME1" else inner
        )
        if values is None:
            return inner if inner.mode in {"RGB", "L"} else inner.convert("RGB")
        return _colour(source, np.asarray(inner))
    return _colour(source, _decode_values(source))


def _decode_values(source: Source) -> NDArray[np.integer[Any]]:
    if source.form.syntax in JPEG_2000:
        # It reads high-throughput streams too, for which pydicom finds no decoder here.
        from openjpeg.utils import decode

        decoded: NDArray[np.integer[Any]] = decode(source.frame)
        return decoded
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    form = source.form
    is_plain = form.syntax in UNCOMPRESSED
    options: dict[str, Any] = {
        "rows": form.rows,
        "columns": form.columns,
        "number_of_frames": 1,
        "samples_per_pixel": form.channels,
        "photometric_interpretation": form.photometric,
        "bits_allocated": form.bits_allocated,
        "bits_stored": form.bits,
        "pixel_representation": 0,
        "planar_configuration": int(form.in_planes),
        "pixel_keyword": "PixelData",
    }
    try:
        values, _ = get_decoder(UID(PLAIN if is_plain else form.syntax)).as_array(
            source.frame if is_plain else encapsulate([source.frame], has_bot=False),
            index=0,
            raw=True,
            **options,
        )
    except _BROKEN as error:
        raise ValueError("The pixels cannot be decoded.") from error
    return values


def _colour(source: Source, values: NDArray[np.integer[Any]]) -> Image.Image:
    """Return decoded values as RGB or grey of 8 bits."""
    form = source.form
    if source.palette is not None:
        places = np.clip(values.astype(np.int64) - source.first, 0, len(source.palette) - 1)
        return Image.fromarray(source.palette[places])
    upper = values >> (form.bits - 8) if form.bits > 8 else values
    levels = np.ascontiguousarray(upper.astype(np.uint8))
    if form.photometric == "MONOCHROME1":  # zero is white
        levels = 255 - levels
    if form.channels == 1:
        return Image.fromarray(levels)
    return Image.fromarray(levels if source.colours == "RGB" else _convert_to_rgb(levels))


def _convert_to_rgb(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return YBR_FULL as RGB, a few rows at a time: pydicom takes 24 bytes for each pixel."""
    from pydicom.pixels.processing import convert_color_space

    step = max(1, _PIXELS_AT_ONCE // levels.shape[1])
    converted = np.empty_like(levels)
    for start in range(0, len(levels), step):
        block = slice(start, start + step)
        converted[block] = convert_color_space(levels[block], "YBR_FULL", "RGB")
    return converted

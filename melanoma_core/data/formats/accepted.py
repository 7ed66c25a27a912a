"""The formats of photographs that are read."""

from collections.abc import Callable
from dataclasses import dataclass

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.declared import Declared
from melanoma_core.data.formats.dicom import declare_dicom
from melanoma_core.data.formats.heif import declare_heif
from melanoma_core.data.formats.jpeg import declare_jpeg
from melanoma_core.data.formats.jpeg_xl import declare_jpeg_xl
from melanoma_core.data.formats.kinds import (
    AVIF,
    BMP,
    DICOM,
    HEIC,
    JPEG,
    JPEG_XL,
    PNG,
    TIFF,
    WEBP,
)
from melanoma_core.data.formats.png import declare_png
from melanoma_core.data.formats.tiff import declare_tiff
from melanoma_core.data.formats.webp import declare_webp


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: In Pillow's terms.
        declare: Reads what a file declares, counts its work, and refuses by name what is not read.
        is_apart: Whether it is always decoded in a process of its own: a damaged file of a few
            hundred bytes can end the process that decodes it.
    """

    name: str
    declare: Callable[[bytes, Meter], Declared]
    is_apart: bool = False


def _declare_nothing(data: bytes, meter: Meter) -> Declared:  # noqa: ARG001
    return Declared(data)


# JPEG includes MPO, in which phones store a second image after the first.
FORMATS = {
    JPEG: Format("JPEG", declare_jpeg),
    HEIC: Format("HEIF", declare_heif, is_apart=True),
    AVIF: Format("AVIF", declare_heif, is_apart=True),
    PNG: Format("PNG", declare_png),
    TIFF: Format("TIFF", declare_tiff),
    WEBP: Format("WEBP", declare_webp),
    BMP: Format("BMP", _declare_nothing),
    JPEG_XL: Format("JXL", declare_jpeg_xl, is_apart=True),
    DICOM: Format("DICOM", declare_dicom, is_apart=True),
}
NAMES = "JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM"
ACCEPTED = f"A {NAMES} file is needed."

"""The pixels of a file in a DICOM image: a baseline JPEG stays the stream that it is."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.formats.orientation import read_orientation
from melanoma_core.exchange.dicom.colour import adopt_profile, make_srgb
from melanoma_core.records.stripping import WHOLE

_BASELINE = 0xC0  # the marker that begins the frame of a baseline JPEG
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_SCAN = 0xDA
_UPRIGHT = 1
_ADOBE_RGB_IDS = b"RGB"  # names of the components by which decoders know RGB


@dataclass(frozen=True)
class Pixels:
    """The pixels of an image as DICOM stores them.

    Attributes:
        content: A JPEG stream, or rows of bytes.
        transfer_syntax: How `content` is coded.
        photometric: "RGB", "YBR_FULL_422" or "MONOCHROME2".
        width: In pixels.
        height: In pixels.
        profile: ICC profile of an input device; empty for grey.
        is_srgb: Whether the colours are sRGB.
        is_lossy: Whether they were compressed with loss; None if unknown.
    """

    content: bytes
    transfer_syntax: UID
    photometric: str
    width: int
    height: int
    profile: bytes
    is_srgb: bool
    is_lossy: bool | None


def read_pixels(data: bytes) -> Pixels:
    """Return the pixels of a photograph's file.

    The stream of an upright baseline JPEG of 8 bits, grey or of three colours, is kept as it is.
    All else is decoded, upright and in sRGB, and stored without loss.

    Args:
        data: Content of a JPEG or PNG file, without metadata.

    Raises:
        ImageError: It cannot be decoded.
    """
    return _keep_jpeg(data) or _decode(data)


def _keep_jpeg(data: bytes) -> Pixels | None:
    photometric = find_photometric(data)
    if not photometric:
        return None
    with Image.open(BytesIO(data), formats=["JPEG"]) as image:
        embedded = image.info.get("icc_profile")
        orientation = read_orientation(image.info)
        width, height = image.size
    is_grey = photometric == "MONOCHROME2"
    profile = adopt_profile(embedded) if embedded and not is_grey else make_srgb()
    if orientation != _UPRIGHT or profile is None:
        return None
    return Pixels(
        content=data,
        transfer_syntax=JPEGBaseline8Bit,
        photometric=photometric,
        width=width,
        height=height,
        profile=b"" if is_grey else profile,
        is_srgb=not embedded,
        is_lossy=True,
    )


def _decode(data: bytes) -> Pixels:
    pixels = decode_within(data, max_side=WHOLE).pixels
    height, width = pixels.shape[:2]
    return Pixels(
        content=pixels.tobytes(),
        transfer_syntax=ExplicitVRLittleEndian,
        photometric="RGB",
        width=width,
        height=height,
        profile=make_srgb(),
        is_srgb=True,
        is_lossy=True if data.startswith(b"\xff\xd8") else None,
    )


def find_photometric(data: bytes) -> str:
    """Return how DICOM names the colours of a baseline JPEG stream of 8 bits.

    DICOM calls every subsampling of YCbCr in such a stream YBR_FULL_422: the stream says its own.

    Args:
        data: Content of the file.

    Returns:
        "MONOCHROME2", "YBR_FULL_422" or "RGB"; "" for all other files, such as progressive ones.
    """
    position, adobe, has_jfif = 2, None, False
    if not data.startswith(b"\xff\xd8"):
        return ""
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        segment = data[position + 4 : end]
        if marker == 0xE0 and segment.startswith(b"JFIF\0"):
            has_jfif = True
        elif marker == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
            adobe = segment[11]
        elif marker in _FRAMES:
            return _name_colours(marker, segment, adobe, has_jfif=has_jfif)
        elif marker == _SCAN:
            return ""
        position = end
    return ""


def _name_colours(marker: int, frame: bytes, adobe: int | None, *, has_jfif: bool) -> str:
    """Return the name of a frame's colours, by the rules of libjpeg."""
    if marker != _BASELINE or len(frame) < 6 or frame[0] != 8:
        return ""
    count = frame[5]
    if count == 1:
        return "MONOCHROME2"
    if count != 3:
        return ""
    if has_jfif:
        return "YBR_FULL_422"
    if adobe is not None:
        return "RGB" if adobe == 0 else "YBR_FULL_422"
    names = bytes(frame[6 + 3 * each] for each in range(count) if 6 + 3 * each < len(frame))
    return "RGB" if names == _ADOBE_RGB_IDS else "YBR_FULL_422"


def set_pixels(dataset: Dataset, pixels: Pixels) -> None:
    """Write pixels into a dataset, with all that says how they are stored."""
    is_grey = pixels.photometric == "MONOCHROME2"
    samples = 1 if is_grey else 3
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = pixels.photometric
    if not is_grey:
        dataset.PlanarConfiguration = 0
        dataset.ICCProfile = pixels.profile
        if pixels.is_srgb:
            dataset.ColorSpace = "SRGB"
    dataset.Rows, dataset.Columns = pixels.height, pixels.width
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    _set_loss(dataset, pixels, samples)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pixels.transfer_syntax
    if pixels.transfer_syntax == JPEGBaseline8Bit:
        dataset.add_new("PixelData", "OB", encapsulate([pixels.content], has_bot=True))
        dataset["PixelData"].is_undefined_length = True
    else:
        padding = b"\0" * (len(pixels.content) % 2)
        dataset.add_new("PixelData", "OB", pixels.content + padding)


def _set_loss(dataset: Dataset, pixels: Pixels, samples: int) -> None:
    if pixels.is_lossy is None:
        dataset.LossyImageCompression = ""
        return
    dataset.LossyImageCompression = "01"
    if pixels.transfer_syntax == JPEGBaseline8Bit:
        whole = pixels.width * pixels.height * samples
        dataset.LossyImageCompressionRatio = f"{whole / len(pixels.content):.2f}"
        dataset.LossyImageCompressionMethod = "ISO_10918_1"

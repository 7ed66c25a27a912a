"""Recognise the kind of a file by its content, never by its name."""

import re

JPEG, PNG, WEBP = "a JPEG image", "a PNG image", "a WebP image"
TIFF, BMP = "a TIFF image", "a BMP image"
HEIC, AVIF, JPEG_XL = "a HEIC photograph", "an AVIF image", "a JPEG XL image"
DICOM = "a DICOM file"

# File signatures: offset, bytes, name of the kind of file. The first that fits counts.
_SIGNATURES = (
    (128, b"DICM", DICOM),  # first: its preamble may be the header of a TIFF
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (8, b"WEBP", WEBP),
    (8, b"CR\x02\x00", "a raw photograph of a Canon camera (CR2)"),
    (0, b"II*\x00", TIFF),
    (0, b"MM\x00*", TIFF),
    (0, b"II+\x00", TIFF),  # BigTIFF
    (0, b"MM\x00+", TIFF),
    (0, b"FUJIFILMCCD-RAW", "a raw photograph of a Fujifilm camera (RAF)"),
    (0, b"IIU\x00", "a raw photograph of a Panasonic camera (RW2)"),
    (0, b"IIRO", "a raw photograph of an Olympus camera (ORF)"),
    (0, b"IIRS", "a raw photograph of an Olympus camera (ORF)"),
    (0, b"II\xbc", "a JPEG XR image"),
    (0, b"GIF8", "a GIF image"),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (4, b"JXL \r\n\x87\n", JPEG_XL),
    (0, b"\xff\x0a", JPEG_XL),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (8, b"AVI ", "a video"),
    (0, b"\x1a\x45\xdf\xa3", "a video"),  # Matroska and WebM
)
_BITMAP = b"BM"  # checked last: a text can start with these letters, too

# Brands of ISO media files (ISO/IEC 14496-12), which hold photographs as well as videos.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), HEIC),
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    b"crx ": "a raw photograph of a Canon camera (CR3)",
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"mp41", b"mp42", b"mp71"), "a video"
    ),
    **dict.fromkeys((b"qt  ", b"M4V ", b"M4VP", b"MSNV", b"dash", b"XAVC"), "a video"),
}
_VIDEO_FAMILIES = (b"3g", b"f4")  # followed by a version
_UNSPECIFIC = (b"mif1", b"msf1")  # an image or a sequence, of which other brands say the coding

# A DICOM file without its preamble begins with a data element of group 2 or 8: in little-endian
# order its group, its element, then either two letters for the type of value or a length.
_DICOM = re.compile(
    rb"[\x02\x08]\x00.\x00(?:AE|AS|CS|DA|DT|IS|LO|LT|OB|OW|PN|SH|SQ|ST|TM|UI|UL|UN|US|.\x00\x00\x00)",
    re.DOTALL,
)
_TEXT_CONTROLS = b"\t\n\f\r"


def recognise(data: bytes) -> str | None:
    """Return what a file is, with its article; None if it is of no known kind.

    Args:
        data: Content of the file.

    Example:
        >>> recognise(b"GIF89a"), recognise(bytes(100))
        ('a GIF image', None)
    """
    for offset, signature, name in _SIGNATURES:
        if data.startswith(signature, offset):
            return name
    if data[4:8] == b"ftyp":
        return _name_media(data)
    if _DICOM.match(data):
        return DICOM
    if all(byte >= 32 or byte in _TEXT_CONTROLS for byte in data[:512]):
        return "a text file"
    return BMP if data.startswith(_BITMAP) else None


def _name_media(data: bytes) -> str:
    brand = data[8:12]
    if brand in _BRANDS:
        return _BRANDS[brand]
    if brand.startswith(_VIDEO_FAMILIES):
        return "a video"
    end = min(int.from_bytes(data[:4]), 256)
    others = [data[start : start + 4] for start in range(16, end, 4)]
    named = next((_BRANDS[other] for other in others if _BRANDS.get(other) in {HEIC, AVIF}), None)
    if named is None and {brand, *others} & set(_UNSPECIFIC):
        named = HEIC
    return named or f"an ISO media file of the brand {brand.decode('ascii', 'replace').strip()!r}"

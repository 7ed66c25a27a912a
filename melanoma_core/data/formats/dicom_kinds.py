"""Name what a DICOM file is: which kinds hold a photograph of skin, and what all others are."""

from typing import TYPE_CHECKING

from melanoma_core.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
DERMOSCOPIC = "1.2.840.10008.5.1.4.1.1.77.1.7"
_VIDEO_PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4.1"
_CAPTURES = {
    "1.2.840.10008.5.1.4.1.1.7": "a secondary capture",
    "1.2.840.10008.5.1.4.1.1.7.2": "a secondary capture (grey, several frames)",
    "1.2.840.10008.5.1.4.1.1.7.4": "a secondary capture (several frames)",
}
_PHOTOGRAPHS = {PHOTOGRAPH, DERMOSCOPIC, _VIDEO_PHOTOGRAPH}
# Of a secondary capture: photographs, dermoscopy, and what says nothing of where it came from.
_MODALITIES = {"XC", "DMS", "OT", "DG", ""}
_PROCESSED = "121322"  # of DICOM's codes: the source of an image processing operation
_DIRECTORY = "1.2.840.10008.1.3.10"

JPEG = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
JPEG_2000 = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"} | {
    f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203)
}
JPEG_LOSSLESS = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
RLE = "1.2.840.10008.1.2.5"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
PLAIN = "1.2.840.10008.1.2.1"  # explicit, little-endian
UNCOMPRESSED = {"1.2.840.10008.1.2", PLAIN, BIG_ENDIAN}
_READ = JPEG | JPEG_2000 | JPEG_LOSSLESS | JPEG_LS | {RLE} | UNCOMPRESSED
_ACCEPTED = (
    "A DICOM file of a photograph is needed: VL Photographic Image, Dermoscopic Photography Image, "
    "or a secondary capture of one."
)
_INITIALS_WITH_AN = "AEFHILMNORSX"  # as their names are spoken


def check_kind(dataset: "Dataset") -> None:
    """Refuse a file that holds no photograph of skin.

    Args:
        dataset: Its elements.

    Raises:
        ImageError: It is of another kind, which the message names.

    Example:
        >>> from pydicom import Dataset
        >>> dataset = Dataset()
        >>> dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        >>> check_kind(dataset)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        melanoma_core.errors.ImageError: The DICOM file is a CT image. A DICOM file ...
    """
    kind = str(dataset.get("SOPClassUID", "") or "")
    modality = str(dataset.get("Modality", "") or "")
    is_capture = kind in _CAPTURES
    if is_capture and _is_derived(dataset):
        found = "is a picture that was made from another image, such as a heatmap"
    elif kind in _PHOTOGRAPHS or (is_capture and modality in _MODALITIES):
        return
    elif is_capture:
        found = f"is {_CAPTURES[kind]} of another modality ({modality})"
    elif kind:
        found = f"is {name_kind(kind)}"
    else:
        found = "does not say of which kind it is (SOP Class UID)"
    raise ImageError(
        f"The DICOM file {found}. {_ACCEPTED} Export the photograph as a JPEG, or choose another "
        "file of the series."
    )


def _is_derived(dataset: "Dataset") -> bool:
    """Return whether a picture was drawn from another; compressing one is another purpose."""
    return any(
        purpose.get("CodeValue") == _PROCESSED
        for source in dataset.get("SourceImageSequence") or ()
        for purpose in source.get("PurposeOfReferenceCodeSequence") or ()
    )


def name_kind(uid: str) -> str:
    """Return what a file of a SOP class is, with its article.

    Example:
        >>> name_kind("1.2.840.10008.5.1.4.1.1.104.1"), name_kind("1.2.840.10008.5.1.4.1.1.4")
        ('an encapsulated PDF', 'an MR image')
    """
    from pydicom.uid import UID

    if uid == _DIRECTORY:
        return "a DICOMDIR, the list of the files of a disc"
    name = UID(uid).name
    if name == uid:
        return f"of a kind that is not known here ({uid})"
    words = [
        word.lower() if word[1:].islower() else word
        for word in name.removesuffix(" Storage").split()
    ]
    first = words[0]
    starts = _INITIALS_WITH_AN if first.isupper() or first[1:2] in {"-", ""} else "aeiouAEIOU"
    return f"{'an' if first[0] in starts else 'a'} {' '.join(words)}"


def check_syntax(uid: str) -> None:
    """Refuse a file whose pixels are compressed in a way that is not read.

    Args:
        uid: Transfer syntax.

    Raises:
        ImageError: It is none of those that are read, and the message names it.
    """
    if uid in _READ:
        return
    from pydicom.uid import UID

    name = UID(uid).name
    if any(word in name for word in ("MPEG", "HEVC")):
        raise ImageError(
            f"The DICOM file is a video ({name}). One photograph is needed. Export the frame to be "
            "read as a JPEG."
        )
    if "JPIP" in name:
        raise ImageError(
            "The DICOM file holds no pixels, but the address of a server that does (JPIP). Export "
            "the photograph as a JPEG."
        )
    known = name if name != uid else f"an unknown transfer syntax, {uid}"
    raise ImageError(
        f"The pixels of the DICOM file are compressed in a way that is not read: {known}. JPEG, "
        "JPEG 2000, JPEG-LS, RLE or no compression is needed. Export the photograph as a JPEG."
    )

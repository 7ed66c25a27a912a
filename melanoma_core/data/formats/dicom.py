"""Check a DICOM file of a photograph, and prepare its pixels for the decoder.

What is read: VL Photographic and Dermoscopic Photography images, and secondary captures of them.
All else is refused by its name (`dicom_kinds`). The file is counted before a library parses it
(`dicom_elements`), and only the elements that are named here leave it.
"""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.declared import Declared, Opener
from melanoma_core.data.formats.dicom_elements import Content, read_content
from melanoma_core.data.formats.dicom_kinds import (
    BIG_ENDIAN,
    JPEG,
    UNCOMPRESSED,
    check_kind,
    check_syntax,
)
from melanoma_core.data.formats.dicom_pixels import (
    GREY,
    PALETTE,
    DicomImage,
    Form,
    Source,
    check_form,
    check_stream,
    find_colours,
    open_jpeg,
    refuse,
)
from melanoma_core.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_FRAMES = 100  # photographs of one lesion; more are a film

_KIND = ("SpecificCharacterSet", "SOPClassUID", "Modality", "SourceImageSequence")
_LUTS = tuple(
    f"{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for part in ("Descriptor", "Data")
)
_BURNED_IN = "BurnedInAnnotation"
_SEGMENTED = "SegmentedRedPaletteColorLookupTableData"
# What would show grey values in another way than as they are stored.
_WINDOWS = ("ModalityLUTSequence", "VOILUTSequence", "WindowCenter", "RescaleSlope")
PIXEL_KEYWORDS = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "NumberOfFrames", "PixelData"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "ICCProfile"),
    *(*_LUTS, _SEGMENTED, *_WINDOWS, "RescaleIntercept"),
)
# What pydicom raises on bad data, besides what its own `errors` name.
_BROKEN = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError),
    *(EOFError, OSError, RuntimeError, TypeError, ValueError, struct.error),
)


@contextmanager
def explain_broken() -> Iterator[None]:
    """Turn what pydicom raises on bad data into one error.

    Raises:
        ValueError: The elements cannot be parsed.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        yield
    except (BytesLengthException, InvalidDicomError, *_BROKEN) as error:
        raise ValueError("The elements cannot be parsed.") from error


def declare_dicom(data: bytes, meter: Meter) -> Declared:
    """Check a DICOM file of one photograph, and count its work.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Raises:
        ImageError: The work exceeds the budget, or the file is of a kind that is not read.
    """
    content = read_content(data, meter)
    with explain_broken():
        dataset = parse(content, (*PIXEL_KEYWORDS, _BURNED_IN))
        check_kind(dataset)
        check_syntax(content.syntax)
        number = count_frames(dataset)
        form = read_form(dataset, content.syntax)
        meter.check_size(form.columns, form.rows)
        if number > 1:
            raise ImageError(
                f"The DICOM file contains {number} photographs (frames). Exactly one is needed. "
                "Name it by its number after the file: #1 is the first."
            )
        meter.add(samples=form.columns * form.rows * form.channels)
        return Declared(
            data,
            open=_prepare(dataset, form, meter),
            has_burned_in=dataset.get(_BURNED_IN) == "YES",
        )


def parse(content: Content, keywords: tuple[str, ...]) -> "Dataset":
    """Return some elements of a DICOM file.

    Args:
        content: The file.
        keywords: Names of the elements, besides those that say its kind.
    """
    from pydicom.filereader import read_dataset
    from pydicom.tag import Tag

    _quieten()
    return read_dataset(
        BytesIO(content.elements),
        content.is_implicit,
        content.is_little_endian,
        specific_tags=[Tag(each) for each in (*_KIND, *keywords)],
    )


@cache
def _quieten() -> None:
    """Keep values of patients, which pydicom's warnings quote, out of every log."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom\.")


def count_frames(dataset: "Dataset") -> int:
    """Return how many photographs a DICOM file holds.

    Raises:
        ImageError: It holds none, or so many that it is a film.
    """
    if "PixelData" not in dataset:
        raise ImageError(
            "The DICOM file holds no pixels. A photograph is needed. Choose another file of the "
            "series."
        )
    number = int(dataset.get("NumberOfFrames") or 1)
    if number > MAX_FRAMES:
        raise ImageError(
            f"The DICOM file contains {number:,} frames, like a film. At most {MAX_FRAMES} "
            "photographs are read from one file. Export the one to be read as a JPEG."
        )
    return max(1, number)


def read_form(dataset: "Dataset", syntax: str) -> Form:
    """Return how the pixels are stored.

    Raises:
        ImageError: They are stored in a way that is not read.
    """
    form = Form(
        syntax,
        int(dataset.Rows),
        int(dataset.Columns),
        str(dataset.PhotometricInterpretation),
        int(dataset.get("SamplesPerPixel") or 1),
        int(dataset.BitsStored),
        int(dataset.BitsAllocated),
        bool(dataset.get("PlanarConfiguration") or 0),
    )
    check_form(form, int(dataset.get("PixelRepresentation") or 0))
    is_shown_else = any(name in dataset for name in _WINDOWS[:3]) or (
        float(dataset.get("RescaleSlope") or 1) != 1
        or float(dataset.get("RescaleIntercept") or 0) != 0
    )
    if form.photometric in GREY and is_shown_else:
        refuse("its grey values are meant to be shown in a window, like those of scanners")
    return form


def take_frame(dataset: "Dataset", form: Form, number: int) -> bytes:
    """Return the bytes of one frame, compressed as they are stored.

    Args:
        dataset: The file.
        form: How its pixels are stored.
        number: From 0.
    """
    from pydicom.encaps import get_frame

    stored = _order_bytes(dataset, form)
    count = count_frames(dataset)
    if form.syntax in UNCOMPRESSED:
        if count == 1:
            return stored
        return stored[number * form.frame_bytes : (number + 1) * form.frame_bytes]
    offsets = None
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        offsets = dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    return get_frame(stored, number, number_of_frames=count, extended_offsets=offsets)


def _order_bytes(dataset: "Dataset", form: Form) -> bytes:
    """Return the pixels in little-endian order, as all but one transfer syntax have them."""
    stored = bytes(dataset.PixelData)
    is_in_words = form.bits_allocated == 16 or dataset["PixelData"].VR == "OW"
    return turn_words(stored) if form.syntax == BIG_ENDIAN and is_in_words else stored


def turn_words(stored: bytes) -> bytes:
    """Return big-endian words of 16 bits as little-endian ones."""
    return np.frombuffer(stored[: len(stored) // 2 * 2], "<u2").byteswap().tobytes()


def _prepare(dataset: "Dataset", form: Form, meter: Meter) -> Opener:
    frame = take_frame(dataset, form, 0)
    stream = check_stream(form, frame, meter)
    palette, first = _read_palette(dataset, form)
    source = Source(
        form,
        frame,
        find_colours(form, stream) if form.channels > 1 else "",
        palette,
        first,
        bytes(dataset.ICCProfile) if "ICCProfile" in dataset else None,
    )
    is_jpeg = form.syntax in JPEG and form.bits == 8
    inner = open_jpeg(source, stream, meter) if is_jpeg and stream is not None else None
    return lambda _: DicomImage(source, inner)


def _read_palette(dataset: "Dataset", form: Form) -> tuple[NDArray[np.uint8] | None, int]:
    """Return the colours of PALETTE COLOR, and the value that the first is for."""
    if form.photometric != PALETTE:
        return None, 0
    if _SEGMENTED in dataset:
        refuse("its palette is in segments")
    columns, first = [], 0
    for colour in ("Red", "Green", "Blue"):
        number, first, bits = (
            int(each) for each in dataset[f"{colour}PaletteColorLookupTableDescriptor"].value
        )
        number = number or 2**16
        stored = bytes(dataset[f"{colour}PaletteColorLookupTableData"].value)
        stored = turn_words(stored) if form.syntax == BIG_ENDIAN else stored
        wide = len(stored) >= 2 * number
        values = np.frombuffer(stored, "<u2" if wide else "u1")[:number]
        if len(values) < number or bits not in {8, 16}:
            raise ValueError("The palette is incomplete.")
        columns.append((values >> 8 if bits == 16 and wide else values).astype(np.uint8))
    return np.stack(columns, axis=1), first

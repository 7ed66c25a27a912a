"""The photographs of a DICOM file with several frames: each is a file of its own.

A frame is named by its number after the file: `scan.dcm#2` is the second. It is taken out as it is
stored, without being decoded, as a DICOM file with what `dicom_facts` reads and nothing else.
"""

import os
import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.data.formats.budget import BUDGET, MAX_BYTES, Meter
from melanoma_core.data.formats.dicom import (
    PIXEL_KEYWORDS,
    count_frames,
    explain_broken,
    parse,
    read_form,
    take_frame,
    turn_words,
)
from melanoma_core.data.formats.dicom_elements import Content, read_content
from melanoma_core.data.formats.dicom_facts import FACT_KEYWORDS
from melanoma_core.data.formats.dicom_kinds import (
    BIG_ENDIAN,
    PLAIN,
    UNCOMPRESSED,
    check_kind,
    check_syntax,
)
from melanoma_core.data.formats.kinds import DICOM, recognise
from melanoma_core.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

_NUMBER = re.compile(r"(?P<file>.+)#(?P<number>[1-9]\d{0,3})", re.DOTALL)
_HEAD = 512  # bytes by which a DICOM file is recognised
_LEFT_OUT = {
    "SourceImageSequence",
    "PixelData",
    "NumberOfFrames",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
}


def count_photographs(data: bytes) -> int:
    """Return how many photographs a file holds: the frames of a DICOM file, 1 for all others.

    A file that cannot be read holds 1: reading it says what is wrong.

    Args:
        data: Content of the file.

    Example:
        >>> count_photographs(b"GIF89a")
        1
    """
    if recognise(data) != DICOM:
        return 1
    try:
        content = read_content(data, Meter(BUDGET))
        with explain_broken():
            dataset = parse(content, ("NumberOfFrames", "PixelData"))
            check_kind(dataset)
            check_syntax(content.syntax)
            return count_frames(dataset)
    except (ImageError, ValueError):
        return 1


def list_photographs(name: str, data: bytes) -> list[tuple[str, bytes]]:
    """Return the photographs of a file with their names, each as a file of one photograph.

    Args:
        name: Name of the file.
        data: Its content.

    Returns:
        The file as it is if it holds one photograph; `name#1`, `name#2` … if it holds several.
    """
    numbers = range(1, count_photographs(data) + 1)
    if len(numbers) == 1:
        return [(name, data)]
    try:
        return [(f"{name}#{number}", take_photograph(data, number)) for number in numbers]
    except ImageError:
        return [(name, data)]


def list_paths(path: Path) -> list[Path]:
    """Return the paths of the photographs of a file: itself, or its frames.

    Args:
        path: A file, which need not exist.
    """
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return [path]
        with path.open("rb") as file:
            head = file.read(_HEAD)
            data = head + file.read() if recognise(head) == DICOM else b""
    except OSError:  # reading it says what is wrong
        return [path]
    number = count_photographs(data)
    return (
        [path.with_name(f"{path.name}#{each}") for each in range(1, number + 1)]
        if number > 1
        else [path]
    )


def split_name(path: Path) -> tuple[Path, int | None]:
    """Return the file that a path means, and the number of the photograph in it.

    Args:
        path: A file, or a file with a number, such as `scan.dcm#2`.

    Returns:
        The path itself and None if it has no number, or if a file has this very name.

    Example:
        >>> split_name(Path("scans/mole.dcm#2"))[1], split_name(Path("mole.jpg"))[1]
        (2, None)
    """
    found = _NUMBER.fullmatch(path.name) if "#" in path.name else None
    if found is None or os.path.lexists(path):
        return path, None
    return path.with_name(found["file"]), int(found["number"])


def take_photograph(data: bytes, number: int) -> bytes:
    """Return one photograph of a DICOM file as a file of its own.

    Args:
        data: Content of the file.
        number: From 1.

    Raises:
        ImageError: It is no DICOM file, is damaged, or has fewer photographs.
    """
    if recognise(data) != DICOM:
        raise ImageError(
            "A number after the name of a file means a frame of a DICOM file, and this is none. "
            "Name the file without #."
        )
    content = read_content(data, Meter(BUDGET))
    try:
        with explain_broken():
            return _take(content, number)
    except ValueError as error:
        raise ImageError(
            "The DICOM file is damaged, incomplete or unusual. Copy it again from its source."
        ) from error


def _take(content: Content, number: int) -> bytes:
    dataset = parse(content, (*PIXEL_KEYWORDS, *FACT_KEYWORDS))
    count = count_frames(dataset)
    if not 1 <= number <= count:
        raise ImageError(
            f"The DICOM file contains {count} photograph{'s' if count > 1 else ''}, and number "
            f"{number} was asked for. Choose one from 1 to {count}."
        )
    return _write(dataset, content.syntax, number - 1)


def _write(dataset: "Dataset", syntax: str, place: int) -> bytes:
    """Return one frame as a file."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    form = read_form(dataset, syntax)
    frame = take_frame(dataset, form, place)
    single = Dataset()
    for element in dataset:
        if element.keyword not in _LEFT_OUT:
            single.add(element)
    if syntax == BIG_ENDIAN:
        _turn_palette(single)
    single.PixelData = frame if syntax in UNCOMPRESSED else encapsulate([frame], has_bot=False)
    single["PixelData"].VR = "OB" if form.bits_allocated == 8 else "OW"
    single["PixelData"].is_undefined_length = syntax not in UNCOMPRESSED
    single.file_meta = FileMetaDataset()
    single.file_meta.TransferSyntaxUID = UID(PLAIN if syntax in UNCOMPRESSED else syntax)
    buffer = BytesIO()
    buffer.write(bytes(128) + b"DICM")
    single.save_as(buffer, enforce_file_format=False)
    return buffer.getvalue()


def _turn_palette(single: "Dataset") -> None:
    """Turn the colours of a palette from big-endian to little-endian words."""
    for element in single:
        if element.keyword.endswith("PaletteColorLookupTableData"):
            element.value = turn_words(element.value)

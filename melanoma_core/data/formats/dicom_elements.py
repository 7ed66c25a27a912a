"""Count the data elements of a DICOM file before a library builds them, and inflate it.

DICOM nests sequences in sequences, and a deflated file can hold a thousand times its length. Here
each header is stepped over without building anything (DICOM PS3.5, chapters 7 and A).
"""

import struct
import zlib
from dataclasses import dataclass

from melanoma_core.data.formats.budget import ExcessError, Meter
from melanoma_core.errors import ImageError

PREAMBLE = 128  # bytes before "DICM"
MAX_INFLATED = 256 * 2**20  # bytes: 64 megapixels in three channels, and what is said of them
_MAX_DEPTH = 32  # of sequences in sequences; photographs have 4
_UNDEFINED = 0xFFFFFFFF
_LONG = {
    *(b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV"),
    b"UC",
    b"UN",
    b"UR",
    b"UT",
    b"UV",
}
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS = 0x7FE00010
_SYNTAX = 0x00020010
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_BIG, _DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, eq=False)
class Content:
    """The elements of a DICOM file, safe to be parsed.

    Attributes:
        elements: The data set, inflated, without preamble and file meta information.
        syntax: UID of its transfer syntax; that of the inflated elements if they were deflated.
        is_implicit: Whether elements do not say their type.
        is_little_endian: Their order of bytes.
    """

    elements: bytes
    syntax: str
    is_implicit: bool
    is_little_endian: bool


@dataclass
class _Mode:
    """How the elements at a place are written, and how deep it is."""

    is_implicit: bool
    order: str
    depth: int = 0
    implicit_at: int | None = None  # the depth at which explicit elements go on

    def enter(self, is_unknown: bool) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ImageError(
                f"The DICOM file nests more than {_MAX_DEPTH} sequences, more than any camera "
                "writes. Export the photograph as a JPEG."
            )
        if is_unknown and not self.is_implicit:  # of UN: its content is implicit (PS3.5, 6.2.2)
            self.implicit_at, self.is_implicit = self.depth, True

    def leave(self) -> None:
        if self.implicit_at == self.depth:
            self.implicit_at, self.is_implicit = None, False
        self.depth -= 1


def read_content(data: bytes, meter: Meter) -> Content:
    """Check the structure of a DICOM file, and inflate it if it is deflated.

    Args:
        data: Content of the file, with or without its preamble.
        meter: To which each element and item is added as a part.

    Returns:
        The file to be parsed.

    Raises:
        ImageError: It ends before it should, nests too deep, or has more parts than the budget.
    """
    start = PREAMBLE + 4 if data[PREAMBLE : PREAMBLE + 4] == b"DICM" else 0
    syntax, start_of_set = _read_meta(data, start)
    elements = data[start_of_set:]
    if syntax == _DEFLATED:
        elements, syntax = _inflate(elements), _EXPLICIT
    if syntax is None:
        syntax = _find_syntax(elements)
    # Some files say one type of elements and have the other: the first element shows which.
    is_implicit = not elements[4:6].isalpha()
    mode = _Mode(is_implicit, ">" if syntax == _BIG else "<")
    _count(elements, mode, meter)
    return Content(elements, syntax, is_implicit, syntax != _BIG)


def _read_meta(data: bytes, position: int) -> tuple[str | None, int]:
    """Return the transfer syntax, None where the file does not say it, and where the set begins."""
    mode, syntax = _Mode(is_implicit=False, order="<"), None
    while data[position : position + 2] == b"\x02\x00":
        tag, _, length, start = _read_header(data, position, mode)
        position = start + length
        if length == _UNDEFINED or position > len(data):
            raise _describe_end()
        if tag == _SYNTAX:
            syntax = data[start:position].rstrip(b"\0 ").decode("ascii", "replace")
    return syntax, position


def _find_syntax(elements: bytes) -> str:
    """Return the uncompressed syntax of a file that does not say it, by its first element."""
    if elements[:1] == b"\0" and elements[1:2] != b"\0":
        return _BIG
    return _EXPLICIT if elements[4:6].isalpha() else _IMPLICIT


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(data, MAX_INFLATED)
    except zlib.error:
        raise _describe_end() from None
    if inflater.unconsumed_tail:
        raise ExcessError(
            f"The DICOM file is deflated, and holds more than {MAX_INFLATED // 2**20} MiB. Export "
            "the photograph as a JPEG."
        )
    if not inflater.eof:
        raise _describe_end()
    return content


def _count(data: bytes, mode: _Mode, meter: Meter) -> None:
    """Step over all elements, into sequences and their items."""
    position, end = 0, len(data)
    while position + 8 <= end:
        tag, kind, length, start = _read_header(data, position, mode)
        meter.add(parts=1)
        if tag in {_ITEM, _ITEM_END}:
            position = start
        elif tag == _SEQUENCE_END:
            mode.leave()
            position = start
        elif tag == _PIXELS and length == _UNDEFINED:
            position = _count_fragments(data, start, mode, meter)
        elif length == _UNDEFINED:
            mode.enter(is_unknown=kind == b"UN")
            position = start
        elif kind == b"SQ":  # its items follow
            position = start
        else:
            position = start + length
            if position > end:
                raise _describe_end()
    if mode.depth > 0:
        raise _describe_end()


def _count_fragments(data: bytes, position: int, mode: _Mode, meter: Meter) -> int:
    """Step over the items that hold compressed pixels."""
    while True:
        header = data[position : position + 8]
        if len(header) < 8:
            raise _describe_end()
        group, element, length = struct.unpack(f"{mode.order}HHI", header)
        meter.add(parts=1)
        position += 8
        if (group << 16 | element) == _SEQUENCE_END:
            return position
        position += length
        if (group << 16 | element) != _ITEM or position > len(data):
            raise _describe_end()


def _read_header(data: bytes, position: int, mode: _Mode) -> tuple[int, bytes, int, int]:
    """Return tag, type, length and where the value begins."""
    try:
        group, element = struct.unpack_from(f"{mode.order}HH", data, position)
        tag = group << 16 | element
        if group == 0xFFFE or mode.is_implicit:
            (length,) = struct.unpack_from(f"{mode.order}I", data, position + 4)
            return tag, b"", length, position + 8
        kind = data[position + 4 : position + 6]
        if kind in _LONG:
            (length,) = struct.unpack_from(f"{mode.order}I", data, position + 8)
            return tag, kind, length, position + 12
        (length,) = struct.unpack_from(f"{mode.order}H", data, position + 6)
        return tag, kind, length, position + 8
    except struct.error:
        raise _describe_end() from None


def _describe_end() -> ImageError:
    return ImageError(
        "The DICOM file is damaged or incomplete: a length in it points beyond its end. Copy it "
        "again from its source."
    )

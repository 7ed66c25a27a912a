"""Walk through the boxes of an ISO media file (ISO/IEC 14496-12), without copying them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from melanoma_core.data.formats.budget import Meter
from melanoma_core.errors import ImageError

_TO_THE_END, _LONG = 0, 1  # what the length of a box says instead of a length


@dataclass(frozen=True)
class Box:
    """A box.

    Attributes:
        kind: Four letters.
        start: Position of its content.
        end: Position behind it.
    """

    kind: bytes
    start: int
    end: int


def walk_boxes(data: bytes, start: int, end: int, meter: Meter) -> Iterator[Box]:
    """Yield the boxes between two positions.

    Args:
        data: Content of the file.
        start: Where the first one begins.
        end: Where the last one ends.
        meter: To which each box is added.

    Raises:
        ImageError: A box ends behind `end`, or there are too many.
    """
    position = start
    while position + 8 <= end:
        meter.add(parts=1)
        length, kind = struct.unpack_from(">I4s", data, position)
        header = 8
        if length == _LONG and position + 16 <= end:
            (length,) = struct.unpack_from(">Q", data, position + 8)
            header = 16
        elif length == _TO_THE_END:
            length = end - position
        if length < header or position + length > end:
            raise IncompleteError
        yield Box(kind, position + header, position + length)
        position += length


class IncompleteError(ImageError):
    """A file ends before what it announces."""

    def __init__(self) -> None:
        super().__init__(
            "The file is incomplete or damaged: it ends before what it announces. Copy it again "
            "from the camera or from its source."
        )


class Reader:
    """Reads numbers one after another.

    Args:
        data: What is read.
        start: Where.
        end: Where nothing is left.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self.position, self._end = data, start, end

    def read(self, num_bytes: int) -> int:
        """Return the next unsigned number; one of 0 bytes is 0.

        Raises:
            ImageError: There are fewer bytes.
        """
        return int.from_bytes(self.read_bytes(num_bytes))

    def read_bytes(self, num_bytes: int) -> bytes:
        """Return the next bytes.

        Raises:
            ImageError: There are fewer.
        """
        end = self.position + num_bytes
        if end > self._end:
            raise IncompleteError
        content = self._data[self.position : end]
        self.position = end
        return content

    def read_version(self) -> tuple[int, int]:
        """Return the version and the flags with which many boxes begin."""
        return self.read(1), self.read(3)

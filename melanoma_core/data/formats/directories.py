"""Walk through the directories of tags in TIFF files and EXIF blocks, without copying values."""

import struct
from dataclasses import dataclass

from melanoma_core.data.formats.budget import Meter

_MAX_PAGES = 100  # counted; a hostile file has hundreds of thousands
_SUBDIRECTORIES = (34665, 34853, 40965)  # of EXIF, of the place, of interoperability
# Bytes of a value, by type.
_SIZES = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
_UNSIGNED = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_BYTES = {1, 2, 6, 7}  # types of which Pillow keeps the values as one string


@dataclass(frozen=True)
class Layout:
    """How numbers are stored.

    Attributes:
        order: "<" for little-endian, ">" for big-endian.
        is_big: Whether it is BigTIFF, with 64-bit offsets.
    """

    order: str
    is_big: bool

    @property
    def sizes(self) -> tuple[str, str, int]:
        """Formats of the number of tags and of an offset, and bytes of a tag."""
        number, offset, size = ("Q", "Q", 20) if self.is_big else ("H", "I", 12)
        return self.order + number, self.order + offset, size


@dataclass(frozen=True)
class Directory:
    """The tags of one page, or of the EXIF data of one image.

    Attributes:
        data: What offsets refer to.
        layout: How numbers are stored.
        tags: By number: type, count and the position of the values.
        next: Position of the next directory; 0 for the last.
    """

    data: bytes
    layout: Layout
    tags: dict[int, tuple[int, int, int]]
    next: int

    def read(self, tag: int) -> tuple[int, ...]:
        """Return the unsigned numbers of a tag; empty if there are none, or not all of them."""
        kind, count, position = self.tags.get(tag, (0, 0, 0))
        code = _UNSIGNED.get(kind)
        end = position + count * _SIZES.get(kind, 0)
        if code is None or end > len(self.data):
            return ()
        return struct.unpack(f"{self.layout.order}{count}{code}", self.data[position:end])

    def read_ratios(self, tag: int) -> tuple[float, ...]:
        """Return the unsigned fractions of a tag; empty as in `read`."""
        kind, count, position = self.tags.get(tag, (0, 0, 0))
        if kind != 5 or position + 8 * count > len(self.data):
            return ()
        numbers = struct.unpack_from(f"{self.layout.order}{2 * count}I", self.data, position)
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return tuple(over / under if under else 0.0 for over, under in pairs)

    def read_one(self, tag: int, default: int) -> int:
        """Return the first number of a tag, or a default if it has none."""
        return (self.read(tag) or (default,))[0]


def read_layout(data: bytes) -> tuple[Layout, int] | None:
    """Return how numbers are stored and where the first directory is; None if there is none."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return None
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    if version == 43:
        return Layout(order, is_big=True), struct.unpack_from(f"{order}Q", data, 8)[0]
    return Layout(order, is_big=False), struct.unpack_from(f"{order}I", data, 4)[0]


def read_directory(data: bytes, layout: Layout, offset: int, meter: Meter) -> Directory:
    """Read one directory, and count its tags and the bytes that they point at.

    Args:
        data: What offsets refer to.
        layout: How numbers are stored.
        offset: Its position.
        meter: To which the work is added.

    Returns:
        Its tags as far as they lie in `data`.

    Raises:
        ImageError: The work exceeds the budget.
    """
    count_format, offset_format, tag_size = layout.sizes
    start = offset + struct.calcsize(count_format)
    if offset <= 0 or start > len(data):
        return Directory(data, layout, {}, 0)
    (count,) = struct.unpack_from(count_format, data, offset)
    count = min(count, (len(data) - start) // tag_size)
    meter.add(parts=count)
    value_size = struct.calcsize(offset_format)
    tags = {}
    for place in range(start, start + count * tag_size, tag_size):
        tag, kind = struct.unpack_from(f"{layout.order}HH", data, place)
        (number,) = struct.unpack_from(offset_format, data, place + 4)
        position = place + 4 + value_size
        num_bytes = number * _SIZES.get(kind, 0)
        if num_bytes > value_size:
            (position,) = struct.unpack_from(offset_format, data, position)
            meter.add(tag_bytes=min(num_bytes, len(data)))
        tags[tag] = kind, number, position
    end = start + count * tag_size
    following = data[end : end + value_size]
    is_whole = len(following) == value_size
    return Directory(
        data, layout, tags, struct.unpack(offset_format, following)[0] if is_whole else 0
    )


def count_tags(block: bytes, meter: Meter) -> Directory | None:
    """Count the tags in the first directory of an EXIF block.

    Args:
        block: The block, beginning with the order of its bytes.
        meter: To which the work is added.

    Returns:
        The directory; None if there is none.

    Raises:
        ImageError: The work exceeds the budget.
    """
    found = read_layout(block)
    return None if found is None else read_directory(block, *found, meter)


def count_subdirectories(directory: Directory, meter: Meter, depth: int = 2) -> None:
    """Count the tags below a page, of which Pillow reads every value.

    Args:
        directory: The page.
        meter: To which the work is added.
        depth: Levels of directories below it.

    Raises:
        ImageError: The work exceeds the budget.
    """
    for tag in _SUBDIRECTORIES if depth else ():
        if offset := directory.read_one(tag, 0):
            below = read_directory(directory.data, directory.layout, offset, meter)
            counts = (count for kind, count, _ in below.tags.values() if kind not in _BYTES)
            meter.add(parts=sum(counts))
            count_subdirectories(below, meter, depth - 1)


def count_pages(directory: Directory) -> int:
    """Count the pages of a TIFF from one on, at most to 101."""
    data, layout, offset = directory.data, directory.layout, directory.next
    count_format, offset_format, tag_size = layout.sizes
    pages = 1
    while offset and pages <= _MAX_PAGES:
        pages += 1
        try:
            (count,) = struct.unpack_from(count_format, data, offset)
            end = offset + struct.calcsize(count_format) + count * tag_size
            (offset,) = struct.unpack_from(offset_format, data, end)
        except (struct.error, OverflowError):
            break
    return pages

"""Read the items of a HEIF file (ISO/IEC 23008-12): images, the tiles they are made of, metadata.

A phone stores a photograph as a grid of tiles, with a thumbnail, EXIF, a depth map and more
beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from melanoma_core.data.formats.boxes import Box, IncompleteError, Reader, walk_boxes
from melanoma_core.data.formats.budget import Meter

_IN_FILE, _IN_ITEM_DATA = 0, 1  # where the content of an item lies
_HIDDEN = 1


@dataclass(frozen=True)
class Property:
    """A property of an item.

    Attributes:
        kind: Four letters of its box, such as "ispe" for the size.
        content: Content of the box.
        is_essential: Whether who does not know it must not show the item.
    """

    kind: bytes
    content: bytes
    is_essential: bool


@dataclass(frozen=True)
class Reference:
    """What one item says of others, such as "dimg": it is made of them."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Item:
    """An item.

    Attributes:
        kind: Four letters: how it is coded, or what it is made of.
        is_hidden: Whether it is only a part of others.
        extents: Positions in the file and lengths of its content.
        properties: In the order in which they apply.
    """

    kind: bytes
    is_hidden: bool = False
    extents: tuple[tuple[int, int], ...] = ()
    properties: tuple[Property, ...] = ()

    def find(self, kind: bytes) -> bytes | None:
        """Return the content of the first property of a kind; None if there is none."""
        return next((each.content for each in self.properties if each.kind == kind), None)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as declared; (0, 0) if they are not."""
        content = self.find(b"ispe") or bytes(12)
        return int.from_bytes(content[4:8]), int.from_bytes(content[8:12])


@dataclass(frozen=True)
class Items:
    """All items of a file.

    Attributes:
        data: The file.
        primary: Id of the primary item, which is to be shown.
        by_id: The items.
        references: What they say of each other.
    """

    data: bytes = b""
    primary: int = 0
    by_id: dict[int, Item] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    def read(self, item: int) -> bytes:
        """Return the content of an item."""
        extents = self.by_id[item].extents
        return b"".join(self.data[start : start + length] for start, length in extents)

    def list_parts(self, item: int) -> tuple[int, ...]:
        """Return the items that an image is made of, in order; none for a coded one."""
        return self._parts.get(item, ())

    @cached_property
    def _parts(self) -> dict[int, tuple[int, ...]]:
        return {each.source: each.targets for each in self.references if each.kind == b"dimg"}

    def count_images(self, kinds: frozenset[bytes]) -> int:
        """Return how many images there are, without tiles, thumbnails and what describes others.

        Args:
            kinds: Kinds of items that are images.
        """
        beside = {each.source for each in self.references if each.kind in {b"thmb", b"auxl"}}
        images = {number: item for number, item in self.by_id.items() if item.kind in kinds}
        parts = {part for number in images for part in self.list_parts(number)}
        alone = images.keys() - beside - parts
        return sum(not images[number].is_hidden for number in alone)


def read_items(data: bytes, meta: Box, meter: Meter) -> Items:
    """Read the items that a "meta" box describes.

    Args:
        data: The file.
        meta: The box.
        meter: To which the work is added: boxes, items, references and properties.

    Raises:
        ImageError: The box is damaged, or the work exceeds the budget.
    """
    boxes = {box.kind: box for box in walk_boxes(data, meta.start + 4, meta.end, meter)}
    kinds = dict(_read_kinds(data, boxes.get(b"iinf"), meter))
    places = dict(_read_places(data, boxes, meter))
    properties = _read_properties(data, boxes.get(b"iprp"), meter)
    by_id = {
        number: Item(kind, hidden, places.get(number, ()), properties.get(number, ()))
        for number, (kind, hidden) in kinds.items()
    }
    references = tuple(_read_references(data, boxes.get(b"iref"), meter))
    return Items(data, _read_primary(data, boxes.get(b"pitm")), by_id, references)


def _open(data: bytes, box: Box) -> Reader:
    return Reader(data, box.start, box.end)


def _read_primary(data: bytes, box: Box | None) -> int:
    if box is None:
        return 0
    reader = _open(data, box)
    version, _ = reader.read_version()
    return reader.read(4 if version else 2)


def _read_kinds(
    data: bytes, box: Box | None, meter: Meter
) -> Iterator[tuple[int, tuple[bytes, bool]]]:
    if box is None:
        return
    reader = _open(data, box)
    version, _ = reader.read_version()
    reader.read(4 if version else 2)  # their number
    for entry in walk_boxes(data, reader.position, box.end, meter):
        inner = _open(data, entry)
        version, flags = inner.read_version()
        if entry.kind == b"infe" and version in {2, 3}:
            number = inner.read(2 if version == 2 else 4)
            inner.read(2)  # its protection
            yield number, (inner.read_bytes(4), bool(flags & _HIDDEN))


def _read_places(
    data: bytes, boxes: dict[bytes, Box], meter: Meter
) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    box, own = boxes.get(b"iloc"), boxes.get(b"idat")
    if box is None:
        return
    reader = _open(data, box)
    version, _ = reader.read_version()
    sizes, more = reader.read(1), reader.read(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    id_size = 4 if version > 1 else 2
    for _ in range(reader.read(id_size)):
        number = reader.read(id_size)
        method = reader.read(2) & 15 if version else _IN_FILE
        reader.read(2)  # the other file in which the content lies: none
        base, num_extents = reader.read(base_size), reader.read(2)
        meter.add(parts=1 + num_extents)
        if method == _IN_ITEM_DATA and own is not None:
            base += own.start
        extents = []
        for _ in range(num_extents):
            reader.read(index_size)
            start, length = base + reader.read(offset_size), reader.read(length_size)
            extents.append((start, length or len(data) - start))
        if method in {_IN_FILE, _IN_ITEM_DATA}:
            yield number, tuple(extents)


def _read_references(data: bytes, box: Box | None, meter: Meter) -> Iterator[Reference]:
    if box is None:
        return
    version, _ = _open(data, box).read_version()
    size = 4 if version else 2
    for entry in walk_boxes(data, box.start + 4, box.end, meter):
        inner = _open(data, entry)
        source, number = inner.read(size), inner.read(2)
        meter.add(parts=number)
        yield Reference(entry.kind, source, tuple(inner.read(size) for _ in range(number)))


def _read_properties(data: bytes, box: Box | None, meter: Meter) -> dict[int, tuple[Property, ...]]:
    if box is None:
        return {}
    known: list[tuple[bytes, bytes]] = []
    found: dict[int, tuple[Property, ...]] = {}
    for inner in walk_boxes(data, box.start, box.end, meter):
        if inner.kind == b"ipco":
            for each in walk_boxes(data, inner.start, inner.end, meter):
                meter.add(tag_bytes=each.end - each.start)
                known.append((each.kind, data[each.start : each.end]))
        elif inner.kind == b"ipma":
            for number, indices in _read_associations(_open(data, inner), meter):
                found[number] = tuple(
                    Property(*known[index - 1], is_essential)
                    for index, is_essential in indices
                    if 0 < index <= len(known)
                )
    return found


def _read_associations(
    reader: Reader, meter: Meter
) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    version, flags = reader.read_version()
    size = 2 if flags & 1 else 1  # bytes of an index, of which the first bit says "essential"
    essential = 1 << (8 * size - 1)
    for _ in range(reader.read(4)):
        number = reader.read(4 if version else 2)
        count = reader.read(1)
        meter.add(parts=1 + count)
        values = [reader.read(size) for _ in range(count)]
        yield number, [(value & ~essential, bool(value & essential)) for value in values]


def check_extents(items: Items, numbers: frozenset[int], meter: Meter) -> None:
    """Check that the content of items lies in the file, and count its bytes.

    Raises:
        ImageError: It does not, or there is more than the file can hold.
    """
    for number in numbers:
        for start, length in items.by_id[number].extents:
            if start + length > len(items.data):
                raise IncompleteError
            meter.add(tag_bytes=length)

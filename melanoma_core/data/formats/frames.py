"""Find the first frame of a sequence of images, which is stored like a video (ISO/IEC 14496-12)."""

import struct
from dataclasses import dataclass

from melanoma_core.data.formats.boxes import Box, IncompleteError, Reader, walk_boxes
from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.items import Item, Items, Property

_CODINGS = {b"hvc1": b"hvc1", b"hev1": b"hvc1", b"av01": b"av01"}  # of a track, as an item
_ABOUT_FRAMES = frozenset({b"hvcC", b"av1C", b"colr", b"clap"})
_ENTRY_LENGTH = 78  # bytes of a visual sample entry before its boxes
_SIZE_OFFSET = 24
_HANDLERS = (b"pict", b"vide")
_FIRST = 1
# What `tkhd` says of turning, by a, b, c, d of its matrix: quarters, counterclockwise.
_TURNS = {(1, 0, 0, 1): 0, (0, -1, 1, 0): 1, (-1, 0, 0, -1): 2, (0, 1, -1, 0): 3}


@dataclass(frozen=True)
class FirstFrame:
    """The first frame of a sequence.

    Attributes:
        items: It as the only item of a file.
        num_frames: Frames of the sequence.
    """

    items: Items
    num_frames: int


def find_first_frame(data: bytes, movie: Box, meter: Meter) -> FirstFrame | None:
    """Find the first frame of the first track that shows images.

    Args:
        data: The file.
        movie: Its "moov" box.
        meter: To which the work is added.

    Returns:
        None if no track is coded as HEVC or AV1.

    Raises:
        ImageError: The box is damaged, or there are too many.
    """
    for track in walk_boxes(data, movie.start, movie.end, meter):
        if track.kind == b"trak":
            found = _read_track(data, track, meter)
            if found is not None:
                return found
    return None


def _read_track(data: bytes, track: Box, meter: Meter) -> FirstFrame | None:
    boxes = _list_boxes(data, track, meter)
    if not {b"hdlr", b"stsd", b"stsz"} <= set(boxes):
        return None
    handler = boxes[b"hdlr"].start + 8
    if data[handler : handler + 4] not in _HANDLERS:
        return None
    described = boxes[b"stsd"]
    entry = next(walk_boxes(data, described.start + 8, described.end, meter), None)
    if entry is None or entry.kind not in _CODINGS:
        return None
    size, number = _read_sizes(data, boxes[b"stsz"])
    place = _read_place(data, boxes)
    if not number or place is None:
        return None
    properties = [*_read_properties(data, entry, meter), *_read_turn(data, boxes.get(b"tkhd"))]
    item = Item(_CODINGS[entry.kind], False, ((place, size),), tuple(properties))
    return FirstFrame(Items(data, _FIRST, {_FIRST: item}), number)


def _list_boxes(data: bytes, box: Box, meter: Meter) -> dict[bytes, Box]:
    """Return the boxes of a track by their kind."""
    found: dict[bytes, Box] = {}
    for inner in walk_boxes(data, box.start, box.end, meter):
        if inner.kind in {b"mdia", b"minf", b"stbl"}:
            found |= _list_boxes(data, inner, meter)
        else:
            found.setdefault(inner.kind, inner)
    return found


def _read_sizes(data: bytes, box: Box) -> tuple[int, int]:
    """Return the bytes of the first frame, and the number of frames."""
    reader = Reader(data, box.start, box.end)
    reader.read_version()
    size, number = reader.read(4), reader.read(4)
    return (size or reader.read(4) if number else 0), number


def _read_place(data: bytes, boxes: dict[bytes, Box]) -> int | None:
    for kind, num_bytes in ((b"stco", 4), (b"co64", 8)):
        if kind in boxes:
            reader = Reader(data, boxes[kind].start, boxes[kind].end)
            reader.read_version()
            return reader.read(num_bytes) if reader.read(4) else None
    return None


def _read_properties(data: bytes, entry: Box, meter: Meter) -> list[Property]:
    start = entry.start + _ENTRY_LENGTH
    if start > entry.end:
        raise IncompleteError
    width, height = struct.unpack_from(">HH", data, entry.start + _SIZE_OFFSET)
    found = [
        Property(each.kind, data[each.start : each.end], each.kind in {b"hvcC", b"av1C"})
        for each in walk_boxes(data, start, entry.end, meter)
        if each.kind in _ABOUT_FRAMES
    ]
    return [*found, Property(b"ispe", struct.pack(">III", 0, width, height), is_essential=False)]


def _read_turn(data: bytes, box: Box | None) -> list[Property]:
    if box is None:
        return []
    start = box.start + (52 if data[box.start] == 1 else 40)  # by its version
    if start + 20 > box.end:
        return []
    a, b, _, c, d = (value / 65536 for value in struct.unpack_from(">5i", data, start))
    turn = _TURNS.get((int(a), int(b), int(c), int(d)), 0)
    return [Property(b"irot", bytes([turn]), is_essential=True)] if turn else []

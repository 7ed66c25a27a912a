"""Write one image of a HEIF file as a file of its own, with nothing that is not needed for it.

Decoders then see neither EXIF nor thumbnails nor other images, whatever these may hold.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_core.data.formats.items import Property, Reference


@dataclass(frozen=True)
class Part:
    """An item to be written.

    Attributes:
        number: Its id.
        kind: Four letters.
        content: Its content.
        properties: In the order in which they apply.
    """

    number: int
    kind: bytes
    content: bytes
    properties: tuple[Property, ...]


def write_still(brand: bytes, parts: Sequence[Part], references: Sequence[Reference]) -> bytes:
    """Return a HEIF file.

    Args:
        brand: Four letters: "heic" or "avif".
        parts: Its items; the first is the primary one, which is shown.
        references: What they say of each other.
    """
    head = _write_box(b"ftyp", brand + bytes(4) + brand + b"mif1" + b"miaf")
    meta = _write_meta(parts, references, 0)
    start = len(head) + len(meta) + 8
    content = b"".join(part.content for part in parts)
    return head + _write_meta(parts, references, start) + _write_box(b"mdat", content)


def _write_box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _write_full_box(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _write_box(kind, struct.pack(">I", version << 24 | flags) + content)


def _write_meta(parts: Sequence[Part], references: Sequence[Reference], start: int) -> bytes:
    """Return the description of all items, whose content begins at `start`, one after another."""
    kinds, places = [], []
    for part in parts:
        named = struct.pack(">IH4sx", part.number, 0, part.kind)
        kinds.append(_write_full_box(b"infe", named, 3, int(part is not parts[0])))
        places.append(struct.pack(">IHHHII", part.number, 0, 0, 1, start, len(part.content)))
        start += len(part.content)
    said = b"".join(
        _write_box(
            each.kind,
            struct.pack(f">IH{len(each.targets)}I", each.source, len(each.targets), *each.targets),
        )
        for each in references
    )
    return _write_full_box(
        b"meta",
        _write_full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + _write_full_box(b"pitm", struct.pack(">I", parts[0].number), 1)
        + _write_full_box(b"iinf", struct.pack(">I", len(parts)) + b"".join(kinds), 1)
        + (_write_full_box(b"iref", said, 1) if said else b"")
        + _write_properties(parts)
        + _write_full_box(b"iloc", b"\x44\0" + struct.pack(">I", len(parts)) + b"".join(places), 2),
    )


def _write_properties(parts: Sequence[Part]) -> bytes:
    every = list(dict.fromkeys((p.kind, p.content) for part in parts for p in part.properties))
    positions = {one: 1 + position for position, one in enumerate(every)}
    said = []
    for part in parts:
        said.append(struct.pack(">IB", part.number, len(part.properties)))
        for each in part.properties:
            essential = 0x8000 if each.is_essential else 0
            said.append(struct.pack(">H", essential | positions[each.kind, each.content]))
    boxes = b"".join(_write_box(*one) for one in every)
    associations = _write_full_box(b"ipma", struct.pack(">I", len(parts)) + b"".join(said), 1, 1)
    return _write_box(b"iprp", _write_box(b"ipco", boxes) + associations)

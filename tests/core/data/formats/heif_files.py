"""HEIC files as phones and cameras write them: grids of tiles, bursts and sequences."""

import io
import struct

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.formats.boxes import walk_boxes
from melanoma_core.data.formats.budget import BUDGET, Meter
from melanoma_core.data.formats.items import Items, Property, Reference, read_items
from melanoma_core.data.formats.stills import Part, write_still

LOSSLESS = {"quality": -1, "chroma": 444, "matrix_coefficients": 0}


def encode(pixels: NDArray[np.uint8], mode: str | None = None, **options) -> bytes:
    """Return a HEIC file, without loss unless options say otherwise."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels) if mode is None else Image.fromarray(pixels).convert(mode)
    pillow_heif.from_pillow(image).save(buffer, **(LOSSLESS | options))
    return buffer.getvalue()


def find_items(data: bytes) -> Items:
    """Return the items of a file."""
    meter = Meter(BUDGET)
    boxes = {box.kind: box for box in walk_boxes(data, 0, len(data), meter)}
    return read_items(data, boxes[b"meta"], meter)


def take_coded(data: bytes, number: int, *others: Property) -> Part:
    """Return the image of a file as an item with another number."""
    items = find_items(data)
    item = items.by_id[items.primary]
    return Part(number, item.kind, items.read(items.primary), (*item.properties, *others))


def write_grid(tiles: list[list[bytes]], size: tuple[int, int], *properties: Property) -> bytes:
    """Return a file of tiles, each of which is a file of its own.

    Args:
        tiles: Rows of HEIC files of one size.
        size: Width and height of the photograph, which may be smaller than its tiles.
        properties: Of the photograph.
    """
    every = [tile for row in tiles for tile in row]
    parts = [take_coded(tile, 2 + index) for index, tile in enumerate(every)]
    described = struct.pack(">BBBBHH", 0, 0, len(tiles) - 1, len(tiles[0]) - 1, *size)
    declared = Property(b"ispe", struct.pack(">III", 0, *size), is_essential=False)
    grid = Part(1, b"grid", described, (declared, *properties))
    numbers = tuple(part.number for part in parts)
    return write_still(b"heic", [grid, *parts], [Reference(b"dimg", 1, numbers)])


def write_sequence(frames: list[bytes], matrix=(1, 0, 0, 1), brand: bytes = b"hevc") -> bytes:
    """Return a file that stores frames like a video, and no image beside them.

    Args:
        frames: HEIC or AVIF files of one size.
        matrix: How a player turns the frames, as a, b, c and d.
        brand: Of the file.
    """
    stills = [find_items(frame) for frame in frames]
    contents = [items.read(items.primary) for items in stills]
    item = stills[0].by_id[stills[0].primary]
    about = b"".join(
        box(each.kind, each.content)
        for each in item.properties
        if each.kind in {b"hvcC", b"av1C", b"colr"}
    )
    entry = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", *item.size) + bytes(50) + about
    head = box(b"ftyp", brand + bytes(4) + brand + b"msf1")
    turn = [round(value * 65536) for value in matrix]
    places = struct.pack(">9i", turn[0], turn[1], 0, turn[2], turn[3], 0, 0, 0, 1 << 30)
    sizes = struct.pack(f">III{len(contents)}I", 0, 0, len(contents), *map(len, contents))

    def write_movie(start: int) -> bytes:
        table = box(b"stsd", bytes(4) + struct.pack(">I", 1) + box(item.kind, entry))
        table += box(b"stsz", sizes) + box(b"stco", bytes(4) + struct.pack(">II", 1, start))
        media = box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + box(b"minf", box(b"stbl", table))
        header = box(b"tkhd", bytes(40) + places + bytes(8))
        return box(b"moov", box(b"trak", header + box(b"mdia", media)))

    start = len(head) + len(write_movie(0)) + 8
    return head + write_movie(start) + box(b"mdat", b"".join(contents))


def box(kind: bytes, content: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content

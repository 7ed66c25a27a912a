"""A picture without symmetry, and files of it that no library writes."""

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

WIDTH, HEIGHT = 100, 72
_CODES = {1: "B", 3: "H", 4: "I", 5: "II", 7: "B"}


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    """Return uint8 [72, 100, 3]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    red, green = x * 255 // WIDTH, y * 255 // HEIGHT
    return np.stack([red, green, (red + 2 * green) // 3], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def write_tiff():
    """Return a function that writes a TIFF of any form.

    Args:
        tags: Values and their type by tag. Size, positions and lengths are added.
        blocks: Contents of the strips, or of the tiles if `tags` has their width.
        order: "<" or ">".
    """

    def write(tags, blocks, order="<"):
        tags = {256: (4, [WIDTH]), 257: (4, [HEIGHT])} | tags
        starts = np.cumsum([8, *map(len, blocks)])
        positions, lengths = (324, 325) if 322 in tags else (273, 279)
        tags = {positions: (4, starts[:-1].tolist()), lengths: (4, [*map(len, blocks)])} | tags
        directory = int(starts[-1])
        behind = directory + 2 + 12 * len(tags) + 4
        entries = values = b""
        for tag, (kind, numbers) in sorted(tags.items()):
            content = struct.pack(f"{order}{len(numbers)}{_CODES[kind][0]}", *numbers)
            count = len(numbers) // len(_CODES[kind])
            entries += struct.pack(f"{order}HHI", tag, kind, count)
            if len(content) <= 4:
                entries += content.ljust(4, b"\0")
            else:
                entries += struct.pack(f"{order}I", behind + len(values))
                values += content
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", directory)
        count = struct.pack(f"{order}H", len(tags))
        return head + b"".join(blocks) + count + entries + bytes(4) + values

    return write


@pytest.fixture(scope="session")
def write_png():
    """Return a function that writes a PNG of uint8 pixels with chunks before the pixels.

    Args:
        pixels: uint8 [H, W, C]; one channel is grey, two have transparency.
        chunks: Names and contents.
    """

    def write(pixels, *chunks):
        height, width, channels = pixels.shape
        header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 2: 4, 3: 2}[channels], 0, 0, 0)
        rows = b"".join(b"\0" + row.tobytes() for row in pixels)
        every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
            for name, content in every
        )

    return write

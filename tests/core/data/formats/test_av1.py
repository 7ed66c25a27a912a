"""The size of AV1 frames is found in every form of the header of a sequence."""

import pytest

from melanoma_core.data.formats import av1
from melanoma_core.data.formats.budget import BUDGET, Budget, ExcessError, Meter
from melanoma_core.errors import ImageError

SIZE = f"10111010{4031:012b}{1511:011b}"  # bits of width and height, then both less one
STILL = "0001100111" + SIZE
PLAIN = "000000000000" + "0" * 12 + "00111" + SIZE
TIMED = (
    "000" "0" "0"
    + "1" + "0" * 64 + "1" + "00101"  # times, of which one is 2 zeros, a one and 2 bits
    + "1" + "00011" + "0" * 42  # a model of the decoder with 4 bits for each delay
    + "1" + "00001"  # display delays, and two operating points
    + "0" * 12 + "01001" + "1" + "1" + "0000" "0000" "0" + "1" + "0101"
    + "0" * 12 + "00111" + "0" + "0"
    + SIZE
)  # fmt: skip


def list_frame_sizes(stream: bytes) -> list[tuple[int, int]]:
    return list(av1.list_frame_sizes(stream, Meter(BUDGET)))


def write_header(bits: str, head: int = 0b0_0001_0_1_0) -> bytes:
    padded = bits.ljust(-(-len(bits) // 8) * 8, "0")
    content = int(padded, 2).to_bytes(len(padded) // 8)
    length = bytes([len(content)]) if head & 2 else b""
    return bytes([head]) + (b"\0" if head & 4 else b"") + length + content


@pytest.mark.parametrize("bits", [STILL, PLAIN, TIMED], ids=["still", "plain", "timed"])
@pytest.mark.parametrize("head", [0b00001010, 0b00001000, 0b00001110])
def test_a_size_is_found(bits: str, head: int):
    delimiter = b"\x12\0"
    assert list_frame_sizes(delimiter + write_header(bits, head)) == [(4032, 1512)]


def test_every_header_counts():
    stream = write_header(STILL) + b"\x32\3\1\2\3" + write_header(PLAIN)
    assert list_frame_sizes(stream) == [(4032, 1512)] * 2
    assert list_frame_sizes(b"") == []


@pytest.mark.parametrize(
    "stream", [write_header(PLAIN)[:-2], b"\x0a\x01\x00", b"\x0a" + b"\xff" * 9, b"\x0a"]
)
def test_a_part_of_a_stream_is_refused(stream: bytes):
    with pytest.raises(ImageError, match="incomplete or damaged"):
        list_frame_sizes(stream)


def test_every_unit_counts_as_a_part():
    with pytest.raises(ExcessError, match="more than 9 parts"):
        list(av1.list_frame_sizes(b"\x12\0" * 10, Meter(Budget(parts=9))))

"""Read how large the frames are that an AV1 stream can hold (AV1 specification, section 5.5).

Decoders scale what a file holds to the size that the file declares, so that alone limits nothing.
"""

from collections.abc import Iterator

from melanoma_core.data.formats.boxes import IncompleteError
from melanoma_core.data.formats.budget import Meter

_SEQUENCE_HEADER = 1  # type of an OBU, the unit of a stream
_TIERED_LEVEL = 7  # levels beyond it say a tier, too


class _Bits:
    """Reads numbers of any number of bits."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def read(self, num_bits: int) -> int:
        self._left -= num_bits
        if self._left < 0:
            raise IncompleteError
        return self._value >> self._left & ((1 << num_bits) - 1)

    def skip_if_set(self, *lengths: int) -> bool:
        """Read one bit, and skip numbers behind it if it is set."""
        is_set = bool(self.read(1))
        for length in lengths if is_set else ():
            self.read(length)
        return is_set


def list_frame_sizes(stream: bytes, meter: Meter) -> Iterator[tuple[int, int]]:
    """Yield the largest width and height of frames, by each header of a sequence.

    Args:
        stream: OBUs, one after another.
        meter: To which each is added.

    Raises:
        ImageError: The stream ends within one, or there are too many.
    """
    position = 0
    while position < len(stream):
        meter.add(parts=1)
        head = stream[position]
        position += 2 if head & 4 else 1  # with an extension
        length = len(stream) - position
        if head & 2:
            length, position = _read_length(stream, position)
        if position + length > len(stream):
            raise IncompleteError
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _read_size(_Bits(stream[position : position + min(length, 1000)]))
        position += length


def _read_length(stream: bytes, position: int) -> tuple[int, int]:
    """Return a number (leb128) and the position behind it."""
    number = 0
    for index, byte in enumerate(stream[position : position + 8]):
        number |= (byte & 127) << (7 * index)
        if byte < 128:
            return number, position + index + 1
    raise IncompleteError


def _read_size(bits: _Bits) -> tuple[int, int]:
    bits.read(4)  # profile, and whether it is a still picture
    if bits.read(1):  # with a short header
        bits.read(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    return bits.read(width_bits) + 1, bits.read(height_bits) + 1


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.skip_if_set(32, 32):  # times
        if bits.read(1):
            _skip_exponential(bits)
        if bits.read(1):  # a model of the decoder
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    has_display_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > _TIERED_LEVEL:
            bits.read(1)
        if delay_bits:
            bits.skip_if_set(delay_bits, delay_bits, 1)
        if has_display_delay:
            bits.skip_if_set(4)


def _skip_exponential(bits: _Bits) -> None:
    zeros = 0
    while not bits.read(1):
        zeros += 1
    bits.read(zeros if zeros < 32 else 0)

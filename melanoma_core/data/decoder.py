"""Decode photographs so that none takes longer than a limit.

What declares little work is decoded at once. All else is decoded in a process that can be ended:
the budget of `formats` refuses what asks for too much, but not what no count foresees, such as a
fault in a decoder.
"""

from contextlib import suppress

from melanoma_core.data.decoder_pool import LIMIT_SECONDS, decode_apart
from melanoma_core.data.formats.budget import Budget, ExcessError
from melanoma_core.data.images import MAX_SIDE, Photograph, decode_image

# What is decoded in this process, in a quarter of a second at most. A process adds 2 ms.
QUICK = Budget(pixels=8_000_000, samples=24_000_000, parts=2_000, tag_bytes=2**20)


def decode_within(
    data: bytes,
    seconds: float = LIMIT_SECONDS,
    quick: Budget = QUICK,
    max_side: int = MAX_SIDE,
) -> Photograph:
    """Decode one photograph within a time limit. Threads may call this at once.

    Args:
        data: Content of the file.
        seconds: The limit, without the time that it takes to start a process.
        quick: What is decoded in this process.
        max_side: Maximum length of the longer side in pixels, as in `images.decode_image`.

    Returns:
        The photograph, as `images.decode_image` returns it.

    Raises:
        ImageError: The photograph cannot be decoded (`images.decode_image`), not within the limit,
            or its process ended.
    """
    with suppress(ExcessError):
        return decode_image(data, max_side, quick)
    about, pixels = decode_apart(data, max_side, seconds)
    return Photograph(pixels, **about)

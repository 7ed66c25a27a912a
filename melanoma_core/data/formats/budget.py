"""Limit the work that a file may ask for, counted from what it declares before it is decoded.

A file can be small and yet take minutes to decode: its pixels may be stored in hundreds of passes,
or it may be made of millions of parts. Each kind of file has a counter, which adds to a `Meter`.
"""

from dataclasses import dataclass

from melanoma_core.errors import ImageError

MAX_BYTES = 32 * 2**20
_ADVICE = "Open it in an image program and save it as an ordinary JPEG."


class ExcessError(ImageError):
    """A file asks for more work than a budget allows."""


@dataclass(frozen=True)
class Budget:
    """Limits on the work for one file, far beyond what cameras write.

    Attributes:
        pixels: Width times height: a 64-megapixel camera; decoding takes up to 600 MB.
        samples: Values to decode, those of each pass and channel: 64 megapixels in three full
            channels, in 8 passes. A second can decode 200 million or more of them.
        parts: Segments, chunks, tags, pages, strips and tiles, each of which takes some
            microseconds.
        tag_bytes: Bytes that tags point at, which are copied: a file as large as allowed, twice.
    """

    pixels: int = 64_000_000
    samples: int = 1_500_000_000
    parts: int = 100_000
    tag_bytes: int = 2 * MAX_BYTES


BUDGET = Budget()


class Meter:
    """Adds up the work for one file.

    Args:
        budget: The limits.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._samples = self._parts = self._tag_bytes = 0

    def check_size(self, width: int, height: int) -> None:
        """Check the number of pixels.

        Args:
            width: In pixels.
            height: In pixels.

        Raises:
            ExcessError: There are more than `Budget.pixels`.
        """
        limit = self._budget.pixels
        if width * height > limit:
            number = f"{limit // 10**6} million" if limit >= 10**6 else f"{limit:,}"
            raise ExcessError(
                f"The image has more than {number} pixels, the maximum. Crop it to the lesion, or "
                "save it at a smaller size."
            )

    def add(self, *, samples: int = 0, parts: int = 0, tag_bytes: int = 0) -> None:
        """Add work.

        Args:
            samples: See `Budget`.
            parts: See `Budget`.
            tag_bytes: See `Budget`.

        Raises:
            ExcessError: The work exceeds the budget.
        """
        self._samples += samples
        self._parts += parts
        self._tag_bytes += tag_bytes
        if self._parts > self._budget.parts:
            raise ExcessError(
                f"The file is made of more than {self._budget.parts:,} parts (segments, chunks, "
                f"tags, strips or tiles), more than any camera writes. {_ADVICE}"
            )
        if self._samples > self._budget.samples:
            raise ExcessError(
                "The file stores its pixels in so many passes that decoding them would take too "
                f"long: more than {self._budget.samples:,} values. {_ADVICE}"
            )
        if self._tag_bytes > self._budget.tag_bytes:
            raise ExcessError(
                f"The tags of the file point at more than {self._budget.tag_bytes:,} bytes, more "
                f"than the file can hold. {_ADVICE}"
            )

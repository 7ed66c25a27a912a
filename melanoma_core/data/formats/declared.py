"""What an image file declares, as its decoder needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import ImageFile

from melanoma_core.data.formats.colour_space import ColourSpace

Opener = Callable[[BytesIO], ImageFile.ImageFile]


@dataclass(frozen=True)
class Declared:
    """What a file declares before its pixels.

    Attributes:
        data: The content to decode, without what has no bearing on the pixels.
        colour: The colour space of the pixels where the format has its own way to declare it and
            where it is another than sRGB; None leaves it to an embedded profile.
        open: Opens `data` with another decoder than Pillow's usual one; None for that.
        chosen: What of several images is read, as in "The primary image was read."
        num_images: Images in the file.
        has_burned_in: Whether the file says that text is part of its pixels.
    """

    data: bytes
    colour: ColourSpace | None = None
    open: Opener | None = None
    chosen: str = ""
    num_images: int = 1
    has_burned_in: bool = False

"""A photograph of a worklist: one that was read, or a file that was refused."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.errors import ImageError

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.reading import Reading, Refusal

_SHOWN_SIDE = 1280  # px; sharp on half of a wide screen
_THUMBNAIL_SIDE = 160  # px


@dataclass(frozen=True, eq=False)
class Entry:
    """A photograph that was read.

    Attributes:
        key: Unique in its worklist and never used again.
        name: Cleaned file name.
        photograph: JPEG without metadata; its longer side has at most 1280 pixels.
        thumbnail: JPEG without metadata; its longer side has at most 160 pixels.
        reading: The reading.
        card: Card of the model that read it. Other photographs may have another model.
        seen: uint8 [size, size, 3], the input of the network.
    """

    key: int
    name: str
    photograph: bytes
    thumbnail: bytes
    reading: "Reading"
    card: "ModelCard"
    seen: "NDArray[np.uint8]"

    def draw_overlay(
        self,
        class_name: str,
        opacity: float,
        strengths: "NDArray[np.float32] | None" = None,
        *,
        with_outline: bool = False,
    ) -> bytes:
        """Return the photograph with the heatmap of a diagnosis, as a JPEG.

        Args:
            class_name: Diagnosis code.
            opacity: Opacity of full strength, in [0, 1].
            strengths: float32 [h, w] in [0, 1], a heatmap of another method; by default the
                Grad-CAM heatmap of the reading.
            with_outline: Whether to draw the outline of the lesion, if the reading has one.
        """
        import numpy as np
        from PIL import Image

        from melanoma_core.data.images import encode_jpeg
        from melanoma_core.reading.explanation import enlarge
        from melanoma_core.reading.outline import place_outline
        from melanoma_core.reading.overlay import blend, draw_contour

        # Not `decode_image`, which refuses narrow photographs: this JPEG is already checked.
        pixels = np.asarray(Image.open(io.BytesIO(self.photograph)))
        reading, size = self.reading, pixels.shape[:2]
        if strengths is None:
            strengths = reading.evidence[reading.class_names.index(class_name)]
        (heatmap,) = enlarge(strengths[None], *size)
        drawn = blend(pixels, heatmap, opacity)
        if with_outline and reading.outline is not None:
            inside = place_outline(reading.outline, reading.outline_threshold, *size)
            drawn = draw_contour(drawn, inside)
        return encode_jpeg(drawn)


@dataclass(frozen=True)
class RefusedFile:
    """A file that was refused.

    Attributes:
        key: Unique in its worklist and never used again.
        name: Cleaned file name.
        refusal: The reason.
        names: Cleaned names of all files, if one refusal stands for several; else empty.
        withheld: The reading of an out-of-distribution photograph, for a person who asks for it
            against the refusal; else None.
    """

    key: int
    name: str
    refusal: "Refusal"
    names: tuple[str, ...] = ()
    withheld: Entry | None = None

    @property
    def can_be_read(self) -> bool:
        """Whether a person may have it read anyway."""
        return self.withheld is not None

    @property
    def reason(self) -> str:
        """What was found, what is needed, what to do."""
        return self.refusal.reason


def read_file(classifier: "Classifier", key: int, name: str, content: bytes) -> Entry | RefusedFile:
    """Read the content of a file.

    An out-of-distribution photograph is refused, and its reading is withheld: a person may ask for
    it later, when the file is no longer there.

    Args:
        classifier: The model.
        key: Key of the result.
        name: Cleaned file name.
        content: The file.
    """
    from melanoma_core.data.decoder import decode_within
    from melanoma_core.data.drawn.shipped import is_drawn
    from melanoma_core.data.images import encode_jpeg, resize_to_square
    from melanoma_core.reading.reading import Refusal, read_photograph, refuse_unfamiliar

    try:
        photograph = decode_within(content)
    except ImageError as error:
        return RefusedFile(key, name, Refusal(str(error)))
    drawn = is_drawn(content)
    reading = read_photograph(classifier, photograph, is_drawn=drawn, read_anyway=True)
    if isinstance(reading, Refusal):
        return RefusedFile(key, name, reading)
    entry = Entry(
        key=key,
        name=name,
        photograph=encode_jpeg(_shrink(photograph.pixels, _SHOWN_SIDE)),
        thumbnail=encode_jpeg(_shrink(photograph.pixels, _THUMBNAIL_SIDE)),
        reading=reading,
        card=classifier.card,
        seen=resize_to_square(photograph.pixels, classifier.card.image_size),
    )
    if reading.read_anyway and reading.novelty is not None and reading.novelty_limit is not None:
        refusal = refuse_unfamiliar(reading.novelty, reading.novelty_limit)
        return RefusedFile(key, name, refusal, withheld=entry)
    return entry


def _shrink(pixels: "NDArray[np.uint8]", side: int) -> "NDArray[np.uint8]":
    import numpy as np
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image)

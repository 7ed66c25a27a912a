"""A photograph of a worklist: one that was read, or a file that was refused."""

import io
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from melanoma_core.errors import ImageError
from melanoma_core.names import neutralise
from melanoma_core.reading.tally import count_result

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.data.crop import Crop
    from melanoma_core.data.images import Photograph
    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.reading import Reading, Refusal

_SHOWN_SIDE = 1280  # px; sharp on half of a wide screen
DETAIL_SIDE = 4096  # px; the own pixels of a photograph of 12 megapixels, as 2 to 5 MB of memory
MAX_DETAIL_BYTES = 256 * 2**20  # of one session; a photograph beyond keeps 1280 pixels a side
_NOT_REDUCED = 0.99  # of a side: a crop is rounded to whole pixels
_THUMBNAIL_SIDE = 160  # px
_MAX_NAME_LENGTH = 120


@dataclass(frozen=True, eq=False)
class Entry:
    """A photograph that was read.

    Attributes:
        key: Unique among all worklists and never used again.
        name: Cleaned file name.
        photograph: JPEG without metadata; its longer side has at most 1280 pixels.
        thumbnail: JPEG without metadata; its longer side has at most 160 pixels.
        reading: The reading.
        card: Card of the model that read it. Other photographs may have another model.
        seen: uint8 [size, size, 3], the input of the network.
        detail: JPEG without metadata of the photograph's own pixels, at most 4096 on its longer
            side; empty if `photograph` has them all, or if memory was short.
        size: Width and height of the photograph in its file, in pixels.
    """

    key: int
    name: str
    photograph: bytes
    thumbnail: bytes
    reading: "Reading"
    card: "ModelCard"
    seen: "NDArray[np.uint8]"
    detail: bytes = b""
    size: tuple[int, int] = (0, 0)

    @property
    def kept_size(self) -> tuple[int, int]:
        """Width and height of what is kept of the photograph for display, in pixels."""
        from PIL import Image

        return Image.open(io.BytesIO(self.detail or self.photograph)).size

    @property
    def reduction(self) -> str:
        """How far what is shown has fewer pixels than the file, and why; "" if it has all."""
        kept, original = self.kept_size, self.size
        if max(kept) >= _NOT_REDUCED * max(original):
            return ""
        limit = (
            f"{DETAIL_SIDE:,} pixels on the longer side of a photograph"
            if max(kept) == DETAIL_SIDE
            else f"{MAX_DETAIL_BYTES // 2**20} MiB of full resolution for a session"
        )
        return (
            f"Shown at {kept[0]:,} × {kept[1]:,} of its {original[0]:,} × {original[1]:,} pixels: "
            f"the server keeps at most {limit}."
        )

    @property
    def num_bytes(self) -> int:
        """Memory that its images take."""
        outline = self.reading.outline
        arrays = (self.seen, self.reading.evidence, *(() if outline is None else (outline,)))
        of_arrays = sum(int(each.nbytes) for each in arrays)
        images = (self.photograph, self.thumbnail, self.detail)
        return sum(len(each) for each in images) + of_arrays

    def draw_overlay(self, class_name: str, opacity: float) -> bytes:
        """Return the photograph with the Grad-CAM heatmap of a diagnosis, as a JPEG.

        Args:
            class_name: Diagnosis code.
            opacity: Opacity of full strength, in [0, 1].
        """
        import numpy as np
        from PIL import Image

        from melanoma_core.data.images import encode_jpeg
        from melanoma_core.reading.explanation import shape_heatmaps
        from melanoma_core.reading.overlay import blend

        # Not `decode_image`, which refuses narrow photographs: this JPEG is already checked.
        pixels = np.asarray(Image.open(io.BytesIO(self.photograph)))
        strengths = self.reading.evidence[self.reading.class_names.index(class_name)]
        (heatmap,) = shape_heatmaps(strengths[None], *pixels.shape[:2])
        return encode_jpeg(blend(pixels, heatmap, opacity))


@dataclass(frozen=True)
class RefusedFile:
    """A file that was refused.

    Attributes:
        key: Unique among all worklists and never used again.
        name: Cleaned file name.
        refusal: The reason.
        names: Cleaned names of all files, if one refusal stands for several; else empty.
        withheld: The reading of an out-of-distribution photograph, for a person who asks for it
            against the refusal; else None.
        photograph: The whole photograph as in `Entry`, from which a crop can be read; empty if no
            image was decoded.
        thumbnail: Of it, as in `Entry`.
        field_of_view: What lies inside a black ring or corners of a dermoscope; None if there are
            none.
        crop: The part that was refused; None if it was the whole photograph.
        detail: Of the whole photograph, as in `Entry`; a crop is read from it.
    """

    key: int
    name: str
    refusal: "Refusal"
    names: tuple[str, ...] = ()
    withheld: Entry | None = None
    photograph: bytes = b""
    thumbnail: bytes = b""
    field_of_view: "Crop | None" = None
    crop: "Crop | None" = None
    detail: bytes = b""

    @property
    def num_bytes(self) -> int:
        """Memory that its images take."""
        withheld = self.withheld.num_bytes if self.withheld else 0
        if self.withheld and self.withheld.detail is self.detail:  # the same bytes
            withheld -= len(self.detail)
        return len(self.photograph) + len(self.thumbnail) + len(self.detail) + withheld

    @property
    def can_be_cropped(self) -> bool:
        """Whether a part of it can be read instead."""
        return bool(self.photograph)

    @property
    def can_be_read(self) -> bool:
        """Whether a person may have it read anyway."""
        return self.withheld is not None

    @property
    def reason(self) -> str:
        """What was found, what is needed, what to do."""
        return self.refusal.reason


def clean_name(name: str) -> str:
    """Return a file name for display: one line without control or invisible characters.

    >>> clean_name("left   arm.jpg")
    'left arm.jpg'
    """
    seen = " ".join(neutralise(name).split())
    if len(seen) > _MAX_NAME_LENGTH:
        seen = f"{seen[: _MAX_NAME_LENGTH // 2]}…{seen[-_MAX_NAME_LENGTH // 2 :]}"
    return seen or "unnamed photograph"


def read_file(
    classifier: "Classifier", key: int, name: str, content: bytes, crop: "Crop | None" = None
) -> Entry | RefusedFile:
    """Read the content of a file.

    An out-of-distribution photograph is refused, and its reading is withheld: a person may ask for
    it later, when the file is no longer there.

    Args:
        classifier: The model.
        key: Key of the result.
        name: Cleaned file name.
        content: The file.
        crop: The part that is read; None for the whole photograph.
    """
    found = _read(classifier, key, name, content, crop)
    count_result(found.refusal.kind if isinstance(found, RefusedFile) else None)
    return found


def _read(
    classifier: "Classifier", key: int, name: str, content: bytes, crop: "Crop | None"
) -> Entry | RefusedFile:
    from melanoma_core.data.crop import crop_photograph
    from melanoma_core.data.decoder import decode_within
    from melanoma_core.data.drawn.shipped import is_drawn
    from melanoma_core.data.images import resize_to_square
    from melanoma_core.reading.reading import Refusal, read_photograph, refuse_unfamiliar

    try:
        whole = decode_within(content)
    except ImageError as error:
        return RefusedFile(key, name, Refusal(str(error)))
    try:
        part = crop_photograph(whole, crop) if crop else whole
        result = read_photograph(classifier, part, is_drawn=is_drawn(content), read_anyway=True)
    except ImageError as error:  # the part is too small
        return _refuse(RefusedFile(key, name, Refusal(str(error)), crop=crop), whole, content)
    if isinstance(result, Refusal):
        return _refuse(RefusedFile(key, name, result, crop=crop), whole, content)
    entry = Entry(
        key=key,
        name=name,
        photograph=_encode(part, _SHOWN_SIDE),
        thumbnail=_encode(part, _THUMBNAIL_SIDE),
        reading=replace(result, crop=crop),
        card=classifier.card,
        seen=resize_to_square(part.pixels, classifier.card.image_size),
        detail=_encode_detail(content, part, crop),
        size=(part.original_width, part.original_height),
    )
    if result.read_anyway and result.novelty is not None and result.novelty_limit is not None:
        refusal = refuse_unfamiliar(result.novelty, result.novelty_limit)
        file = RefusedFile(
            key, name, refusal, withheld=entry, crop=crop, detail=b"" if crop else entry.detail
        )
        return _refuse(file, whole, content)
    return entry


def _refuse(file: RefusedFile, whole: "Photograph", content: bytes) -> RefusedFile:
    """Return a refused file with what a person needs to crop it."""
    from melanoma_core.data.crop import find_field_of_view

    return replace(
        file,
        photograph=_encode(whole, _SHOWN_SIDE),
        thumbnail=_encode(whole, _THUMBNAIL_SIDE),
        detail=file.detail or _encode_detail(content, whole),
        field_of_view=find_field_of_view(whole.pixels),
    )


def _encode_detail(content: bytes, part: "Photograph", crop: "Crop | None" = None) -> bytes:
    """Return the own pixels of what was read as JPEG; empty if its picture has them all.

    A photograph above the resolution that the network reads is decoded once more. It is kept
    without them where that fails.

    Args:
        content: The file.
        part: What was read of it.
        crop: Which part that is; None for all.
    """
    from melanoma_core.data.crop import crop_photograph
    from melanoma_core.data.decoder import decode_within

    original = max(part.original_width, part.original_height)
    if original > max(part.pixels.shape):
        with suppress(ImageError):
            whole = decode_within(content, max_side=DETAIL_SIDE)
            return _encode(crop_photograph(whole, crop) if crop else whole, DETAIL_SIDE)
    return _encode(part, DETAIL_SIDE) if max(part.pixels.shape) > _SHOWN_SIDE else b""


def _encode(photograph: "Photograph", side: int) -> bytes:
    """Return a photograph as JPEG, whose longer side is at most `side` pixels."""
    import numpy as np
    from PIL import Image

    from melanoma_core.data.images import encode_jpeg

    image = Image.fromarray(photograph.pixels)
    image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return encode_jpeg(np.asarray(image))

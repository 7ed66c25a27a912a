"""Read what a HEIC or AVIF file declares, and leave of it what its photograph needs.

The primary image is read. Where there is none, as in a burst that is stored like a video, it is the
first frame. The orientation of such files is a property of the image (`irot`, `imir`); the one that
EXIF repeats does not count (ISO/IEC 23008-12), and EXIF is left out before anything is decoded.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO

from PIL import ImageFile
from PIL.AvifImagePlugin import AvifImageFile

from melanoma_core.data.formats.av1 import list_frame_sizes
from melanoma_core.data.formats.boxes import Box, IncompleteError, walk_boxes
from melanoma_core.data.formats.budget import Meter
from melanoma_core.data.formats.code_points import (
    UNSPECIFIED,
    VIDEO_CURVES,
    find_space,
    refuse_high_dynamic_range,
)
from melanoma_core.data.formats.colour_space import ColourSpace
from melanoma_core.data.formats.declared import Declared, Opener
from melanoma_core.data.formats.frames import find_first_frame
from melanoma_core.data.formats.items import (
    Items,
    Property,
    Reference,
    check_extents,
    read_items,
)
from melanoma_core.data.formats.stills import Part, write_still
from melanoma_core.errors import ImageError

_HEVC, _AV1 = b"hvc1", b"av01"
_MADE = frozenset({b"grid", b"iovl", b"iden"})  # of other images
_IMAGES = frozenset({_HEVC, _AV1, *_MADE})
_MAX_DEPTH = 4  # of images that are made of images; phones need 1
_GRID_CHANNELS, _ALPHA_CHANNELS = 3, 1
_ALPHA = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
# Properties that the pixels depend on. Others describe, in words or in numbers.
_KEPT = frozenset(
    {
        *(b"hvcC", b"av1C", b"ispe", b"colr", b"pixi", b"auxC"),
        *(b"irot", b"imir", b"clap", b"a1op", b"lsel"),
    }
)
_PROFILES = (b"prof", b"rICC")
_CODES = b"nclx"
_BT601 = {5, 6, 7}  # code points of primaries
_SRGB_PRIMARIES, _SRGB_CURVE = 1, 13
_SAVE = "Save the photograph as a JPEG."


def declare_heif(data: bytes, meter: Meter) -> Declared:
    """Read what a HEIC or AVIF file declares.

    Args:
        data: Content of the file.
        meter: To which the work is added.

    Returns:
        The image to be read as a file of its own, its colour space, and how many images there are.

    Raises:
        ImageError: The work exceeds the budget, the file is incomplete, or its image is of another
            kind.
    """
    boxes = _find_boxes(data, meter)
    if not {b"meta", b"moov"} & set(boxes):
        raise IncompleteError
    items = read_items(data, boxes[b"meta"], meter) if b"meta" in boxes else Items(data)
    frame = find_first_frame(data, boxes[b"moov"], meter) if b"moov" in boxes else None
    number = max(1, items.count_images(_IMAGES))
    if frame is not None:
        number = max(number, frame.num_frames)
    if items.primary in items.by_id:
        return _declare(items, meter, ("primary image", number))
    if frame is None:
        raise ImageError(f"The file names no image that is to be shown. {_SAVE}")
    return _declare(frame.items, meter, ("first frame", number))


def _find_boxes(data: bytes, meter: Meter) -> dict[bytes, Box]:
    """Return the first box of each kind; some phones append what is no box."""
    found: dict[bytes, Box] = {}
    with suppress(IncompleteError):
        for box in walk_boxes(data, 0, len(data), meter):
            found.setdefault(box.kind, box)
    return found


def _declare(items: Items, meter: Meter, chosen: tuple[str, int]) -> Declared:
    needed = _find_needed(items)
    codings = {items.by_id[each].kind for each in needed} - _MADE
    if len(codings) != 1 or not codings <= {_HEVC, _AV1}:
        named = " and ".join(sorted(repr(kind.decode("latin-1")) for kind in codings)) or "nothing"
        raise ImageError(
            f"The HEIF image is coded as {named}. HEVC (HEIC) or AV1 (AVIF) is needed. {_SAVE}"
        )
    is_hevc = codings == {_HEVC}
    if not is_hevc and items.by_id[items.primary].find(b"clap") is not None:
        # Pillow shows what was cropped away, unlike browsers.
        raise ImageError(f"The AVIF image is cropped by a property of its file. {_SAVE}")
    check_extents(items, frozenset(needed), meter)
    _count_work(items, needed, meter)
    colours = _list_colours(items, items.primary)
    still = write_still(
        b"heic" if is_hevc else b"avif",
        [_make_part(items, each, colours) for each in needed],
        list(_list_references(items, needed)),
    )
    profile = next((c[4:] for c in colours if c[:4] in _PROFILES), None)
    codes = next((c for c in colours if c[:4] == _CODES), b"")
    space = None if profile else _read_codes(codes)
    return Declared(still, space, _choose_opener(is_hevc, profile), *chosen)


def _find_needed(items: Items) -> list[int]:
    """Return the primary item, then all that it is made of, and its transparency."""
    transparency = _find_transparency(items)
    needed: dict[int, None] = {}
    pending = deque([(items.primary, 0)])
    while pending:
        number, depth = pending.popleft()
        if number in needed:
            continue
        if number not in items.by_id or depth > _MAX_DEPTH:
            raise ImageError(f"The HEIF image is made of images that are not there. {_SAVE}")
        needed[number] = None
        pending += [(part, depth + 1) for part in items.list_parts(number)]
        pending += [(alpha, depth + 1) for alpha in transparency.get(number, ())]
    return list(needed)


def _find_transparency(items: Items) -> dict[int, list[int]]:
    """Return the images that hold the transparency of others, by these."""
    found: dict[int, list[int]] = {}
    for each in items.references:
        said = items.by_id[each.source].find(b"auxC") if each.source in items.by_id else None
        if each.kind == b"auxl" and said is not None and said[4:].startswith(_ALPHA):
            for target in each.targets:
                found.setdefault(target, []).append(each.source)
    return found


def _list_references(items: Items, needed: list[int]) -> Iterator[Reference]:
    known = set(needed)
    for each in items.references:
        targets = tuple(target for target in each.targets if target in known)
        if each.source in known and targets and each.kind in {b"dimg", b"auxl", b"prem"}:
            yield Reference(each.kind, each.source, targets)


def _make_part(items: Items, number: int, colours: list[bytes]) -> Part:
    item = items.by_id[number]
    kept = tuple(each for each in item.properties if each.kind in _KEPT)
    for each in item.properties:
        if each.is_essential and each.kind not in _KEPT:
            raise ImageError(
                "The HEIF image cannot be shown without a property that is not known here "
                f"({each.kind.decode('latin-1')!r}). {_SAVE}"
            )
    if number == items.primary and item.find(b"colr") is None:
        kept += tuple(Property(b"colr", content, is_essential=False) for content in colours)
    return Part(number, item.kind, items.read(number), kept)


def _count_work(items: Items, needed: list[int], meter: Meter) -> None:
    """Count the values of all coded images, each as often as it is decoded."""
    weights: dict[int, int] = {}

    def weigh(number: int, depth: int = 0) -> int:
        if depth > _MAX_DEPTH:
            raise ImageError(f"The HEIF image is made of itself. {_SAVE}")
        if number not in weights:
            item = items.by_id[number]
            width, height = _find_size(items, number, meter)
            meter.check_size(width, height)
            alpha = item.find(b"auxC") is not None
            own = width * height * (_ALPHA_CHANNELS if alpha else _GRID_CHANNELS)
            parts = sum(weigh(part, depth + 1) for part in items.list_parts(number))
            weights[number] = own + parts
        return weights[number]

    alphas = [number for number in needed if items.by_id[number].find(b"auxC") is not None]
    meter.add(samples=weigh(items.primary) + sum(map(weigh, alphas)))


def _find_size(items: Items, number: int, meter: Meter) -> tuple[int, int]:
    """Return the declared size, or that of what it is decoded from if that is larger.

    Unlike the decoder of AV1, that of HEVC refuses what is larger than declared.
    """
    item = items.by_id[number]
    width, height = item.size
    if item.kind == _AV1:
        for frame_width, frame_height in list_frame_sizes(items.read(number), meter):
            width, height = max(width, frame_width), max(height, frame_height)
    if item.kind in {b"grid", b"iovl"} and item.extents:
        content = items.read(number)
        size = 4 if content[1:2] and content[1] & 1 else 2
        start = 4 if item.kind == b"grid" else 10
        width = max(width, int.from_bytes(content[start : start + size]))
        height = max(height, int.from_bytes(content[start + size : start + 2 * size]))
    if not width or not height:
        raise ImageError(f"The HEIF image does not say how large it is. {_SAVE}")
    return width, height


def _list_colours(items: Items, number: int) -> list[bytes]:
    """Return what an image says of its colours; a grid may leave that to its tiles."""
    item = items.by_id[number]
    found = [each.content for each in item.properties if each.kind == b"colr"]
    parts = items.list_parts(number)
    if found or not parts or item.kind not in _MADE:
        return found
    return [each.content for each in items.by_id[parts[0]].properties if each.kind == b"colr"]


def _read_codes(content: bytes) -> ColourSpace | None:
    """Return the colour space of code points; None for sRGB, and where nothing is known.

    The curve of video counts as that of sRGB, and the primaries of BT.601 with it as those of
    sRGB: so Android declares photographs whose pixels are those of its JPEG files (data space
    "JFIF").
    """
    primaries, curve = int.from_bytes(content[4:6]), int.from_bytes(content[6:8])
    if len(content) < 8 or UNSPECIFIED in {primaries, curve}:
        return None
    refuse_high_dynamic_range(curve, "The HEIF image")
    if curve in VIDEO_CURVES:
        primaries, curve = _SRGB_PRIMARIES if primaries in _BT601 else primaries, _SRGB_CURVE
    space = find_space(primaries, curve)
    if space is None:
        raise ImageError(
            f"The HEIF image declares its colours by codes that are not known here ({primaries}, "
            f"{curve}). Save it as a JPEG in sRGB."
        )
    return None if space.is_srgb else space


def _choose_opener(is_hevc: bool, profile: bytes | None) -> Opener:
    return partial(_open_hevc if is_hevc else _open_av1, profile=profile)


def _open_hevc(file: BytesIO, profile: bytes | None) -> ImageFile.ImageFile:
    from pi_heif.as_plugin import HeifImageFile  # type: ignore[import-untyped]

    image: ImageFile.ImageFile = HeifImageFile(file)
    image.info = {"icc_profile": profile} if profile else {}
    return image


def _open_av1(file: BytesIO, profile: bytes | None) -> ImageFile.ImageFile:
    image = AvifImageFile(file)
    # Pillow does not turn such an image. It says the orientation of `irot` and `imir` as EXIF does.
    image.info = {"exif": image.info["exif"]} if "exif" in image.info else {}
    if profile:
        image.info["icc_profile"] = profile
    return image

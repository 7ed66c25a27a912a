"""The photographs of a lesion's report: the main one, it with heatmap and outline, and others."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import encode_jpeg
from melanoma_core.errors import ImageError
from melanoma_core.reading.explanation import shape_heatmaps
from melanoma_core.reading.overlay import blend, draw_contour
from melanoma_core.records.ai_readings import decode_heatmap
from melanoma_core.records.case import LesionCase
from melanoma_core.records.comparing import find_outline
from melanoma_core.records.entities import Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.kept_readings import find_heatmap
from melanoma_core.records.loop import AiReading
from melanoma_core.records.outlines import fill_polygon
from melanoma_core.records.texts import tidy
from melanoma_core.records.wording import say, summarise
from melanoma_core.taxonomy import Diagnosis

ReadImage = Callable[[str], bytes]
"""Returns the content of a kept photograph by its SHA-256 (hex), as `ImageStore.read`."""

MAX_OTHERS = 5  # small photographs, so that the report stays one page
_SIDE, _SMALL_SIDE = 1000, 320  # px, the longer one
_OPACITY = 0.6
_MAX_DEVICE = 40  # characters


@dataclass(frozen=True)
class Picture:
    """A picture of a report: a JPEG file, and what it shows."""

    content: bytes
    caption: str


@dataclass(frozen=True)
class ReportPictures:
    """The pictures of a report.

    Attributes:
        large: The main photograph, and it with heatmap and outline, as far as there are any.
        small: Other photographs, the newest first.
        missing: Why photographs are not shown, a sentence each.
    """

    large: tuple[Picture, ...] = ()
    small: tuple[Picture, ...] = ()
    missing: tuple[str, ...] = ()


def draw_pictures(case: LesionCase, read: ReadImage, *, hides_ai: bool = False) -> ReportPictures:
    """Draw the pictures of a report.

    The main photograph is that to which the AI reading gives the largest probability of melanoma;
    without one, the newest. A file that is damaged is named, and the report is written without it.

    Args:
        case: The lesion.
        read: Reads a kept photograph.
        hides_ai: Whether nothing of an AI reading may be shown.
    """
    reading = None if hides_ai or not case.ai_readings else case.ai_readings[-1].value
    ordered = _order(case, reading)
    pictures = ReportPictures()
    for place, entry in enumerate(ordered[: MAX_OTHERS + 1]):
        try:
            if place == 0:
                pictures = replace(pictures, large=_draw_main(case, entry, reading, read))
            else:
                small = Picture(_draw(read, entry, _SMALL_SIDE), _describe(entry))
                pictures = replace(pictures, small=(*pictures.small, small))
        except (ImageError, RecordDamagedError) as error:
            pictures = replace(pictures, missing=(*pictures.missing, str(error)))
    unseen = len(ordered) - MAX_OTHERS - 1
    if unseen > 0:
        text = f"{unseen:,} more photographs of this lesion are in the record."
        pictures = replace(pictures, missing=(*pictures.missing, text))
    return pictures


def _order(case: LesionCase, reading: AiReading | None) -> list[Entry[Photograph]]:
    """Return the photographs: the main one first, then the newest."""
    of_lesion = [each for each in case.photographs if not each.value.shows_specimen_site]
    of_site = [each for each in case.photographs if each.value.shows_specimen_site]
    newest = [*of_lesion[::-1], *of_site[::-1]]
    if reading is None:
        return newest
    shares = {
        each.photograph_id: dict(zip(reading.class_names, each.probabilities, strict=True))
        for each in reading.photographs
        if each.probabilities
    }
    return sorted(newest, key=lambda each: -shares.get(each.id, {}).get(Diagnosis.MEL, -1.0))


def _draw_main(
    case: LesionCase, entry: Entry[Photograph], reading: AiReading | None, read: ReadImage
) -> tuple[Picture, ...]:
    """Draw the main photograph, and it with what is known of it."""
    pixels = decode_within(read(entry.value.sha256), max_side=_SIDE).pixels
    plain = Picture(encode_jpeg(pixels), _describe(entry))
    outline = find_outline(case, entry.id, hides_ai=reading is None)
    heatmap, diagnosis = find_heatmap(reading, entry.id) if reading else ("", "")
    if outline is None and not heatmap:
        return (plain,)
    height, width = pixels.shape[:2]
    drawn, captions = pixels, []
    if heatmap:
        shaped = shape_heatmaps(decode_heatmap(read(heatmap))[None], height, width)[0]
        drawn = blend(drawn, shaped, _OPACITY)
        captions.append(f"heatmap for {diagnosis}")
    if outline is not None:
        inside = fill_polygon(outline.points, height, width)
        drawn = draw_contour(np.array(drawn), inside)
        captions.append(f"outline drawn by the {outline.source}")
    caption = " and ".join(captions)
    return plain, Picture(encode_jpeg(drawn), caption[0].upper() + caption[1:])


def _draw(read: ReadImage, entry: Entry[Photograph], side: int) -> bytes:
    return encode_jpeg(decode_within(read(entry.value.sha256), max_side=side).pixels)


def _describe(entry: Entry[Photograph]) -> str:
    text = tidy(summarise(replace(entry.value, device=entry.value.device[:_MAX_DEVICE])))
    return text if entry.value.taken_on else f"{text}, kept {say(entry.at.date())}"

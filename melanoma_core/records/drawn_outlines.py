"""An outline that a person has drawn on a page: as a browser sends it, and as a record keeps it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from melanoma_core.records.entities import Outline
from melanoma_core.records.entry import Entry
from melanoma_core.records.outlines import Points
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import OutlineSource
from melanoma_core.records.writing import Change


@dataclass(frozen=True)
class DrawnOutline:
    """An outline that a person has drawn.

    Attributes:
        photograph_id: Id of the photograph.
        points: Corners, as shares of its width and height.
        version: Of the kept outline that was corrected; 0 if it was drawn without one.
    """

    photograph_id: str
    points: Points
    version: int


def read_drawn(sent: object, photograph_ids: Collection[str]) -> DrawnOutline | None:
    """Return the outline that a browser has sent; None if it is not one, since it may be anything.

    Args:
        sent: Photograph, corners and version, by name.
        photograph_ids: Ids of the photographs that are shown.

    >>> read_drawn({"photograph": "a", "corners": [[0, 1], [0.5, 0]], "version": 0}, {"a"})
    DrawnOutline(photograph_id='a', points=((0.0, 1.0), (0.5, 0.0)), version=0)
    >>> read_drawn({"photograph": "a", "corners": "none", "version": 0}, {"a"})
    """
    if not isinstance(sent, dict):
        return None
    photograph, corners, version = (sent.get(name) for name in ("photograph", "corners", "version"))
    if not isinstance(photograph, str) or photograph not in photograph_ids:
        return None
    if not isinstance(corners, list):
        return None
    if not isinstance(version, int) or not all(map(_is_corner, corners)):
        return None
    return DrawnOutline(photograph, tuple((float(x), float(y)) for x, y in corners), version)


def _is_corner(sent: object) -> bool:
    return isinstance(sent, list) and len(sent) == 2 and all(map(_is_number, sent))


def _is_number(sent: object) -> bool:
    return isinstance(sent, int | float) and not isinstance(sent, bool)


def write_outline(
    record: Record, change: Change, lesion_id: str, drawn: DrawnOutline
) -> Entry[Outline]:
    """Write an outline that a person has drawn: a new one, or the next version of a kept one.

    Args:
        record: The record.
        change: Of the record.
        lesion_id: Id of the lesion.
        drawn: The outline.

    Returns:
        Its new version.

    Raises:
        EditConflict: Another person has drawn or corrected it first.
    """
    value = Outline(
        photograph_id=drawn.photograph_id,
        lesion_id=lesion_id,
        points=drawn.points,
        source=OutlineSource.PERSON,
    )
    kept = record.find(Outline, photograph_id=drawn.photograph_id)
    by_person = [each for each in kept if each.value.source is OutlineSource.PERSON]
    if drawn.version == 0:  # the person saw none, and corrects none that came in between
        return (
            change.correct(replace(by_person[-1], version=0), value)
            if by_person
            else change.add(value)
        )
    seen = [
        version
        for each in (by_person or kept)[-1:]
        for version in record.versions(Outline, each.id)
        if version.version == drawn.version
    ]
    return change.correct(seen[-1], value) if seen else change.add(value)

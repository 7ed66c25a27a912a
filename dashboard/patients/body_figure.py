"""The body map as HTML: a person from the front and the back, drawn for this project, with points.

The figure is plain and neutral; its halves mirror each other. The core's `body_map` knows which
site each part of it is. Points are links above the drawing. All text is escaped.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.vocabulary import MapPoint

# Half of the outline, from the crown to the crotch; a view is 200 wide and 400 high.
_HALF = (
    "M99.5 6L100 6C110 6 116.5 14 116 27C115.5 39 110.5 47 106.5 51L107 60C108.5 66 121 67.5 130 70"
    "C139 72.5 143.5 79 144.5 89C145.5 105 149 121 152 136C156 152 161 168 163.5 186"
    "C167 193 170 203 169 213C168 221 163 226 160 224.5C155.5 222 153.5 212 153.5 204"
    "C153.5 198 153.5 192 152.5 187C147.5 170 142.5 155 139.5 140C136 125 133.5 112 131.5 99"
    "C131.5 115 128.5 128 126.5 142C126 151 128 160 131 170C134 178 135.5 186 135.5 196"
    "C136 218 133 245 129 270C128 277 128 283 128.5 291C130 308 127 330 121.5 354"
    "C120 361 119 366 120 371C123 378 130 384 131 390C131 394.5 125 395 117 395L109 395"
    "C105.5 394 105.5 387 106.5 380C107.5 372 107 365 106.5 358C104.5 337 105 312 105.5 291"
    "C105.5 262 103 228 101.5 209L99.5 206Z"
)
_DETAILS = {
    "front": (
        "M90 28C92 26.5 95 26.5 97 28M103 28C105 26.5 108 26.5 110 28M100 29L98.5 37L101 37.5"
        "M95.5 43C98 44.5 102 44.5 104.5 43M97 70C89 71 80 72 72 75M103 70C111 71 120 72 128 75"
        "M100 156L100 159M80 112C85 115 91 115.5 95 114M120 112C115 115 109 115.5 105 114"
        "M70 186C78 190 85 194 90 198M130 186C122 190 115 194 110 198"
        "M79 283C83 287 89 287 92 283M121 283C117 287 111 287 108 283"
    ),
    "back": (
        "M100 64L100 180M78 86C76 98 80 110 88 116M122 86C124 98 120 110 112 116"
        "M100 184L100 207M69 205C78 213 92 213 99 206M131 205C122 213 108 213 101 206"
        "M78 285C82 283 89 283 93 285M122 285C118 283 111 283 107 285"
        "M80 300C82 315 82 325 84 335M120 300C118 315 118 325 116 335"
        "M51 139L57 141M149 139L143 141M81 383L92 383M119 383L108 383"
    ),
}
_SIDES = {"front": ("right", "left"), "back": ("left", "right")}  # of the person, as seen


@dataclass(frozen=True)
class MapMark:
    """A lesion on the map.

    Attributes:
        lesion_id: Id of the lesion.
        point: Its place.
        label: Its label.
        symbol: The shape of its worst alert.
        details: The rest of what it says, in words.
        style: Class of the style sheet that repeats the alert in colour.
    """

    lesion_id: str
    point: "MapPoint"
    label: str
    symbol: str
    details: str
    style: str


@dataclass(frozen=True)
class Placing:
    """The place of the lesion that is placed, or None before; and what its marker says."""

    point: "MapPoint | None"
    text: str


def render_body_map(marks: Iterable[MapMark], placing: Placing | None = None) -> str:
    """Render both views with the lesions on them.

    Args:
        marks: The lesions that have a place.
        placing: The lesion that is placed now, whose marker moves; the others are no links then.
    """
    marks = list(marks)
    views = "".join(_render_view(view, marks, placing) for view in _DETAILS)
    return f'<div class="body-map{" placing" if placing else ""}">{views}</div>'


def _render_view(view: str, marks: list[MapMark], placing: Placing | None) -> str:
    own = [mark for mark in marks if mark.point.view.value == view]
    points = "".join(_render_mark(mark, is_link=placing is None) for mark in own)
    if placing is not None:
        is_here = placing.point.view.value == view if placing.point else view == "front"
        points += _render_marker(placing) if is_here else ""
    near, far = _SIDES[view]
    return (
        f'<figure class="body-view"><figcaption>{view.capitalize()}</figcaption>'
        f'<div class="body-plane" data-view="{view}">{_draw(view)}{points}</div>'
        f'<p class="sides"><span>{near}</span><span>{far}</span></p></figure>'
    )


@cache
def _draw(view: str) -> str:
    """Draw a view as two masks, so that the style sheet gives them the colours of the theme."""
    mirrored = f'<path transform="matrix(-1 0 0 1 200 0)" d="{_HALF}"/>'
    line = 'fill="none" stroke="#000" stroke-width="0.8" stroke-linecap="round"'
    return _draw_mask("skin", f'<path d="{_HALF}"/>{mirrored}') + _draw_mask(
        "detail", f'<path {line} d="{_DETAILS[view]}"/>'
    )


def _draw_mask(name: str, paths: str) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 400">{paths}</svg>'
    url = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return f'<div class="{name}" style="mask-image:url({url})" aria-hidden="true"></div>'


def _place(point: "MapPoint") -> str:
    return f'style="left:{100 * point.x:.2f}%;top:{100 * point.y:.2f}%"'


def _render_mark(mark: MapMark, *, is_link: bool) -> str:
    name = f"{mark.symbol} {mark.label}"
    if not is_link:
        return f'<span class="map-point other" {_place(mark.point)}>{escape(mark.label)}</span>'
    return (
        f'<a class="map-point {mark.style}" {_place(mark.point)} data-lesion="{mark.lesion_id}" '
        f'href="lesion?lesion={mark.lesion_id}" target="_self" '
        f'aria-label="Lesion {escape(mark.label)}: {escape(mark.details)}">'
        f'<span aria-hidden="true">{escape(name)}</span>'
        f'<span class="tip" aria-hidden="true">{escape(mark.details)}</span></a>'
    )


def _render_marker(placing: Placing) -> str:
    from melanoma_core.records.vocabulary import BodyView, MapPoint

    point = placing.point or MapPoint(BodyView.FRONT, 0.5, 0.25)
    unplaced = "" if placing.point else " unplaced"
    return (
        f'<button type="button" class="map-marker{unplaced}" {_place(point)} '
        f'data-x="{point.x}" data-y="{point.y}" aria-label="Place of the lesion: '
        f'{escape(placing.text)}. Arrow keys move it, the space bar changes front and back.">'
        '<span aria-hidden="true">✛</span></button>'
    )

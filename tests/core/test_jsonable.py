import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from melanoma_core.jsonable import dump_json, from_jsonable, to_jsonable


class Colour(StrEnum):
    BROWN = "brown"


@dataclass(frozen=True)
class Point:
    x: float
    note: str | None = None


@dataclass(frozen=True)
class Shape:
    points: tuple[Point, ...]
    rows: tuple[tuple[int, ...], ...]
    by_name: Mapping[str, dict[Colour, Point]]
    folder: Path
    limit: float | None
    first: Point | None
    other: dict[str, Any]


SHAPE = Shape(
    points=(Point(math.nan), Point(1.5, "a")),
    rows=((1, 2), (3,)),
    by_name={"one": {Colour.BROWN: Point(2.0)}},
    folder=Path("some") / "where",
    limit=None,
    first=None,
    other={"k": [1, None]},
)


def test_a_dataclass_survives_the_way_through_json_with_its_types():
    text = dump_json(SHAPE)

    # NaN differs from itself, so that the two are compared as text.
    assert repr(from_jsonable(Shape, json.loads(text))) == repr(SHAPE)


def test_an_undefined_number_is_null_at_any_depth():
    assert to_jsonable(SHAPE)["points"][0] == {"x": None, "note": None}
    assert to_jsonable({"a": (math.nan, [math.nan, 1.0])}) == {"a": [None, [None, 1.0]]}


def test_null_stays_none_where_a_number_is_optional():
    assert from_jsonable(Shape, to_jsonable(SHAPE)).limit is None


def test_an_infinite_number_is_refused():
    with pytest.raises(ValueError, match="Out of range float"):
        dump_json({"a": math.inf})


@pytest.mark.parametrize(
    "raw",
    [{}, {"x": 1.0, "mood": "good"}, None, [1.0], "x"],
    ids=["a field is missing", "a field is unknown", "null", "a list", "text"],
)
def test_json_of_another_structure_is_refused(raw: object):
    with pytest.raises(TypeError):
        from_jsonable(Point, raw)


def test_nested_json_of_another_structure_is_refused():
    raw = to_jsonable(SHAPE)
    for field, wrong in (("points", {}), ("by_name", []), ("first", "x")):
        with pytest.raises(TypeError):
            from_jsonable(Shape, raw | {field: wrong})

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from melanoma_core.jsonable import dump_json, from_jsonable, load_json, to_jsonable


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


class Facts(TypedDict, total=False):
    count: int
    names: list[str]


class Row(TypedDict):
    epoch: int


@dataclass(frozen=True)
class Typed:
    text: str = ""
    count: int = 0
    share: float = 0.0
    is_on: bool = False
    colour: Colour = Colour.BROWN
    folder: Path = Path()
    choice: str | dict[str, str | None] = ""
    rows: tuple[Row, ...] = ()
    facts: Annotated[dict[str, Any], Facts] | None = None
    other: Any = None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"text": 3}, "text is a whole number; it must be text"),
        ({"text": None}, "text is null; it must be text"),
        ({"count": 2.0}, "count is a number; it must be a whole number"),
        ({"count": True}, "count is true or false; it must be a whole number"),
        ({"count": 2**63}, "count is out of range"),
        ({"share": "0.5"}, "share is text; it must be a number"),
        ({"share": True}, "share is true or false; it must be a number"),
        ({"share": math.inf}, "share is out of range"),
        ({"share": 10**400}, "share is out of range"),
        ({"is_on": 1}, "is_on is a whole number; it must be true or false"),
        ({"folder": 3}, "folder is a whole number; it must be text"),
        ({"colour": ["brown"]}, "colour is a list; it must be text"),
        ({"choice": 3}, "choice is a whole number; it must be an object"),
        ({"choice": {"file": 3}}, "choice.file is a whole number; it must be text"),
        ({"rows": [{"epoch": 1}, {}]}, r"rows[1].epoch is missing"),
        ({"rows": [{"epoch": "1"}]}, r"rows[0].epoch is text; it must be a whole number"),
        ({"facts": {"names": ["a", 2]}}, r"facts.names[1] is a whole number; it must be text"),
        ({"facts": []}, "facts is a list; it must be an object"),
        ({"other": {"a": [math.inf]}}, "other is out of range"),
        ({"mood": 1}, "mood is unknown"),
        ([], "it is a list; it must be an object"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(raw: object, message: str):
    with pytest.raises(TypeError) as caught:
        from_jsonable(Typed, raw)

    assert str(caught.value) == message


def test_a_whole_number_is_a_number_and_a_typed_dictionary_keeps_further_keys():
    facts = {"count": 3, "names": ["a"], "more": {"deep": [1, None]}}

    assert from_jsonable(Typed, {"share": 1, "facts": facts}) == Typed(share=1.0, facts=facts)
    assert from_jsonable(Typed, {"choice": {"file": None}}).choice == {"file": None}


def test_values_of_any_type_may_not_be_nested_without_end():
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]

    with pytest.raises(TypeError, match="other is nested too deeply"):
        from_jsonable(Typed, {"other": deep})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
        (b"{", "Expecting property name"),
        (b"\xff\xfe", "can't decode"),
        (b'{"a": "\\ud800"}', "can't encode"),
    ],
)
def test_a_file_that_cannot_be_read_as_json_is_one_kind_of_error(content: bytes, message: str):
    with pytest.raises(ValueError, match=message):
        load_json(content)

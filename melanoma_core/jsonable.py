"""Convert dataclasses to JSON and back; undefined numbers (NaN) are null in JSON.

The way back is strict: the annotations of the dataclasses say which types a file may have.
"""

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

T = TypeVar("T")
_MOST_LEVELS = 32  # of values without a declared type; the files of this project have three
_LARGEST = 2**63  # tables and networks cannot hold larger whole numbers
_NAMES = {
    types.NoneType: "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def to_jsonable(value: object) -> Any:
    """Return a value as dictionaries, lists and plain values, with None for NaN and text for paths.

    Args:
        value: A dataclass, mapping, sequence or plain value, nested to any depth.

    Example:
        >>> from melanoma_core.evaluation.figure import Figure
        >>> to_jsonable(Figure(0.5, float("nan"), float("nan"), 1, 2, 2))["low"] is None
        True
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: to_jsonable(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {key: to_jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def dump_json(value: object, *, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Return a value as JSON text; see `to_jsonable`.

    Raises:
        ValueError: A number is infinite.

    Example:
        >>> dump_json({"auc": float("nan")})
        '{"auc": null}'
    """
    return json.dumps(to_jsonable(value), indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)


def load_json(content: bytes) -> Any:
    """Return the value of a JSON file that others may have written.

    Raises:
        ValueError: The content is not UTF-8, not JSON, nested too deeply, or has text that no
            terminal and no page can show (half of a surrogate pair).

    Example:
        >>> load_json(b"[" * 100_000)
        Traceback (most recent call last):
        ValueError: it is nested too deeply
    """
    try:
        value = json.loads(content.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def from_jsonable(kind: type[T], raw: object) -> T:
    """Return the value that `to_jsonable` was given, exactly.

    Null becomes NaN where the dataclass has a plain `float`; lists become tuples where it has
    tuples. Every value must have the type that is declared for it. A dictionary of any values may
    name the types of some keys: `Annotated[dict[str, Any], SomeTypedDict]`. Only where `Any` is
    declared, any JSON is accepted.

    Args:
        kind: The dataclass or other type to build.
        raw: What `json.loads` returned.

    Raises:
        TypeError: A field is missing or unknown, or a value has another type. The message names it.
        ValueError: A value is not one of an enumeration.

    Example:
        >>> from melanoma_core.evaluation.figure import Figure
        >>> raw = {"value": 0.5, "low": None, "high": None, "count": 1, "total": 2}
        >>> from_jsonable(Figure, raw | {"num_lesions": 2})
        Figure(value=0.5, low=nan, high=nan, count=1, total=2, num_lesions=2)
        >>> from_jsonable(Figure, raw | {"num_lesions": "two"})
        Traceback (most recent call last):
        TypeError: num_lesions is text; it must be a whole number
    """
    built: T = _build(kind, raw, "")
    return built


def _build(kind: Any, raw: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        return _build_fields(kind, raw, place)
    if origin is Annotated:
        return _build(arguments[1], raw, place)
    if origin in {Union, types.UnionType}:
        return _build_union(arguments, raw, place)
    if origin in {tuple, list}:
        _check(list, raw, place)
        items = (_build(arguments[0], each, f"{place}[{n}]") for n, each in enumerate(raw))
        return origin(items)
    if origin in {dict, Mapping}:
        _check(dict, raw, place)
        keys, values = arguments
        return {
            _build(keys, key, place): _build(values, each, _join(place, key))
            for key, each in raw.items()
        }
    return _build_plain(kind, raw, place)


def _build_plain(kind: Any, raw: Any, place: str) -> Any:
    if kind is Any:
        _check_levels(raw, place, _MOST_LEVELS)
    elif kind is float:
        return math.nan if raw is None else _build_float(raw, place)
    elif isinstance(kind, type) and issubclass(kind, Enum | Path):
        _check(str, raw, place)
        return kind(raw)
    else:
        _check(kind, raw, place)
    return raw


def _build_fields(kind: Any, raw: Any, place: str) -> Any:
    """Build a dataclass, or a typed dictionary, whose further keys stay as they are."""
    _check(dict, raw, place)
    hints = _get_hints(kind)
    is_open = is_typeddict(kind)
    unknown = [] if is_open else sorted(map(str, raw.keys() - hints.keys()))
    missing = sorted(_list_required(kind) - raw.keys())
    for names, problem in ((missing, "is missing"), (unknown, "is unknown")):
        if names:
            raise TypeError(f"{_join(place, names[0])} {problem}")
    built = {
        name: _build(hints.get(name, Any), each, _join(place, name)) for name, each in raw.items()
    }
    return built if is_open else kind(**built)


def _build_union(kinds: tuple[Any, ...], raw: Any, place: str) -> Any:
    if raw is None and types.NoneType in kinds:
        return None
    *others, last = (each for each in kinds if each is not types.NoneType)
    for kind in others:
        try:
            return _build(kind, raw, place)
        except (TypeError, ValueError):
            continue
    return _build(last, raw, place)


def _build_float(raw: Any, place: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _explain(raw, place, "a number")
    _check_range(raw, place)
    return float(raw)


def _check(kind: type, raw: object, place: str) -> None:
    if not isinstance(raw, kind) or (isinstance(raw, bool) and kind is not bool):
        raise _explain(raw, place, _NAMES.get(kind, kind.__name__))
    if isinstance(raw, int):
        _check_range(raw, place)


def _check_range(raw: float, place: str) -> None:
    is_inside = -_LARGEST <= raw < _LARGEST if isinstance(raw, int) else not math.isinf(raw)
    if not is_inside:
        raise TypeError(f"{place or 'it'} is out of range")


def _check_levels(raw: object, place: str, levels: int) -> None:
    """Refuse what `dump_json` could not write, or what is nested too deeply to be shown."""
    if levels == 0:
        raise TypeError(f"{place or 'it'} is nested too deeply")
    if isinstance(raw, Mapping | list):
        for each in raw.values() if isinstance(raw, Mapping) else raw:
            _check_levels(each, place, levels - 1)
    elif isinstance(raw, int | float):
        _check_range(raw, place)


def _explain(raw: object, place: str, needed: str) -> TypeError:
    found = _NAMES.get(type(raw), type(raw).__name__)
    return TypeError(f"{place or 'it'} is {found}; it must be {needed}")


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _list_required(kind: Any) -> frozenset[str]:
    if is_typeddict(kind):
        required: frozenset[str] = kind.__required_keys__
        return required
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )


@cache
def _get_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)

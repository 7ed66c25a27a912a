"""Convert dataclasses to JSON and back; undefined numbers (NaN) are null in JSON."""

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


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


def from_jsonable(kind: type[T], raw: object) -> T:
    """Return the value that `to_jsonable` was given, exactly.

    Null becomes NaN where the dataclass has a plain `float`; lists become tuples where it has
    tuples. Types of plain values are not checked.

    Args:
        kind: The dataclass or other type to build.
        raw: What `json.loads` returned.

    Raises:
        TypeError: A field is missing or unknown, or a value has another structure.
        ValueError: A value is not one of an enumeration.

    Example:
        >>> from melanoma_core.evaluation.figure import Figure
        >>> raw = {"value": 0.5, "low": None, "high": None, "count": 1, "total": 2}
        >>> from_jsonable(Figure, raw | {"num_lesions": 2})
        Figure(value=0.5, low=nan, high=nan, count=1, total=2, num_lesions=2)
    """
    built: T = _build(kind, raw)
    return built


def _build(kind: Any, raw: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        value = _build_dataclass(kind, raw)
    elif kind is float:
        value = math.nan if raw is None else raw
    elif isinstance(kind, type) and issubclass(kind, Enum | Path):
        value = kind(raw)
    elif origin in {Union, types.UnionType}:
        value = _build_optional(arguments, raw)
    elif origin in {tuple, list}:
        _check(kind, raw, list)
        value = origin(_build(arguments[0], each) for each in raw)
    elif origin in {dict, Mapping}:
        _check(kind, raw, dict)
        value = {_build(arguments[0], key): _build(arguments[1], raw[key]) for key in raw}
    else:
        value = raw
    return value


def _build_dataclass(kind: Any, raw: Any) -> Any:
    _check(kind, raw, dict)
    hints = _get_hints(kind)
    # The constructor refuses fields that it does not have.
    return kind(**{name: _build(hints.get(name, Any), value) for name, value in raw.items()})


def _build_optional(kinds: tuple[Any, ...], raw: Any) -> Any:
    if raw is None and types.NoneType in kinds:
        return None
    (kind,) = (each for each in kinds if each is not types.NoneType)
    return _build(kind, raw)


def _check(kind: Any, raw: object, expected: type) -> None:
    if not isinstance(raw, expected):
        raise TypeError(f"Found {type(raw).__name__} where {kind} is needed.")


@cache
def _get_hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)

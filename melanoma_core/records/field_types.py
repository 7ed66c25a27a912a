"""Whether a field holds what its type says: a number and not a text, a word of its vocabulary."""

import dataclasses
import math
import types
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from melanoma_core.records.surroundings import FieldError


def find_type_errors(value: Any) -> Iterator[FieldError]:
    """Yield the fields of an entry that hold another type than they should.

    Numbers are finite; a day is no time; a word is one of its vocabulary.

    >>> from melanoma_core.records.entities import Patient
    >>> [error.field for error in find_type_errors(Patient(pseudonym="7", birth_year="1960"))]
    ['birth_year']
    """
    hints = _list_hints(type(value))  # type: ignore[arg-type]  # mypy takes no type for hashable
    for name, hint in hints.items():
        content = getattr(value, name)
        if not _fits(content, hint):
            yield FieldError(name, _explain(content, hint))


def _explain(content: Any, hint: Any) -> str:
    if content is None:
        return "This is empty: it is required."
    return f"Found {_shorten(content)}; needed is {_name(hint)}."


@cache
def _list_hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(content: Any, hint: Any) -> bool:
    """Return whether a value fits a type."""
    origin = get_origin(hint)
    if origin in (types.UnionType, Union):
        return any(_fits(content, each) for each in get_args(hint))
    if origin is tuple:
        return isinstance(content, tuple) and _fits_tuple(content, get_args(hint))
    if hint is float:
        is_number = isinstance(content, int | float) and not isinstance(content, bool)
        return is_number and math.isfinite(content)
    if hint is int:
        return isinstance(content, int) and not isinstance(content, bool)
    if hint is date:
        return isinstance(content, date) and not isinstance(content, datetime)
    return isinstance(content, hint) and _has_right_fields(content)


def _fits_tuple(contents: tuple[Any, ...], hints: tuple[Any, ...]) -> bool:
    if hints[-1] is Ellipsis:
        return all(_fits(each, hints[0]) for each in contents)
    return len(contents) == len(hints) and all(map(_fits, contents, hints))


def _has_right_fields(content: Any) -> bool:
    """Return whether a nested dataclass has no errors either."""
    is_nested = dataclasses.is_dataclass(content) and not isinstance(content, type)
    return not is_nested or next(find_type_errors(content), None) is None


def _name(hint: Any) -> str:
    """Return what a type asks for, as words."""
    parts = get_args(hint) if get_origin(hint) in (types.UnionType, Union) else (hint,)
    return " or ".join(_name_one(part) for part in parts)


def _name_one(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(each.value for each in hint)
    plain = {int: "a whole number", float: "a finite number", str: "a text", date: "a day"}
    plain |= {bool: "yes or no", types.NoneType: "nothing"}
    return plain.get(hint, "a list of its parts" if get_origin(hint) else "what belongs here")


def _shorten(content: Any) -> str:
    text = repr(content)
    return text if len(text) <= 60 else f"{text[:59]}…"

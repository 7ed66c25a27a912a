"""`key=value` strings to the fields of a frozen dataclass, wherever a person may change one."""

from collections.abc import Sequence
from dataclasses import fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from melanoma_core.errors import RecipeError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Fields = TypeVar("_Fields", bound="DataclassInstance")


def change_fields(start: _Fields, changes: Sequence[str], what: str) -> _Fields:
    """Return a dataclass with fields changed, each parsed as the kind that it has in `start`.

    Args:
        start: Its fields are of the kinds bool, int, float, str or a StrEnum.
        changes: `key=value`; of a key that comes twice, the last one counts.
        what: What a field is called, as "recipe field".

    Raises:
        RecipeError: A key does not exist, or a value does not parse or is not allowed.
    """
    names = [field.name for field in fields(start)]
    parsed: dict[str, Any] = {}
    for change in changes:
        key, _, text = change.partition("=")
        if key not in names:
            raise RecipeError(f'Found no {what} "{key}". There are: {", ".join(names)}.')
        kind = type(getattr(start, key))
        try:
            parsed[key] = _parse_bool(text) if kind is bool else kind(text)
        except ValueError:
            raise RecipeError(
                f'Found {key}="{text}". It must be {_describe_kind(kind)}, as '
                f"{getattr(start, key)}."
            ) from None
    return replace(start, **parsed)


def _parse_bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _describe_kind(kind: type) -> str:
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    # Text takes any value, so that it is never refused.
    return {bool: "true or false", int: "a whole number", float: "a number"}[kind]

"""Parse `key=value` strings into the fields of a frozen dataclass."""

from collections.abc import Sequence
from dataclasses import fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from melanoma_core.errors import RecipeError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Fields = TypeVar("_Fields", bound="DataclassInstance")


def change_fields(start: _Fields, changes: Sequence[str], what: str) -> _Fields:
    """Return a copy of a dataclass with changed fields.

    Args:
        start: The dataclass. Its fields have the types bool, int, float, str or a StrEnum; each
            value is parsed as the type of the current one.
        changes: `key=value` strings; if a key repeats, the last value counts.
        what: What a field is called in error messages, such as "recipe field".

    Raises:
        RecipeError: A key does not exist, or a value is not valid.

    Examples:
        >>> from melanoma_core.data.augmentation import Augmentation
        >>> change_fields(Augmentation(), ["rotation=30", "flip=false"], "operation").rotation
        30
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
                f'Found {key}="{text}". It must be {_describe_type(kind)}, such as '
                f"{getattr(start, key)}."
            ) from None
    return replace(start, **parsed)


def _parse_bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _describe_type(kind: type) -> str:
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    # A text field accepts any value.
    return {bool: "true or false", int: "a whole number", float: "a number"}[kind]

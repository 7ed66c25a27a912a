from dataclasses import dataclass
from enum import StrEnum

import pytest

from melanoma_core.changes import change_fields
from melanoma_core.errors import RecipeError


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Wall:
    name: str = "north"
    colour: Colour = Colour.RED
    is_wet: bool = False
    num_windows: int = 2
    height: float = 2.5


def change(*changes: str) -> Wall:
    return change_fields(Wall(), changes, "field of a wall")


def test_without_changes_the_dataclass_is_unchanged():
    assert change() == Wall()


def test_each_value_is_parsed_as_the_type_of_its_field():
    changed = change("name=a=b", "colour=green", "is_wet=True", "num_windows=3", "height=1e1")

    assert changed == Wall("a=b", Colour.GREEN, True, 3, 10.0)
    assert type(changed.colour) is Colour


def test_the_last_value_of_a_repeated_field_counts():
    assert change("num_windows=3", "num_windows=4").num_windows == 4


def test_an_unknown_field_raises_an_error_with_the_known_fields():
    with pytest.raises(RecipeError, match=r'no field of a wall "door"\. There are: name, colour'):
        change("door=1")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour=blue", 'Found colour="blue". It must be one of red, green, such as red.'),
        ("is_wet=1", 'Found is_wet="1". It must be true or false, such as False.'),
        ("num_windows=1.5", 'Found num_windows="1.5". It must be a whole number, such as 2.'),
        ("num_windows", 'Found num_windows="". It must be a whole number, such as 2.'),
        ("height=tall", 'Found height="tall". It must be a number, such as 2.5.'),
    ],
)
def test_a_value_of_the_wrong_type_raises_an_error_with_the_right_type(text: str, sentence: str):
    with pytest.raises(RecipeError) as raised:
        change(text)

    assert str(raised.value) == sentence

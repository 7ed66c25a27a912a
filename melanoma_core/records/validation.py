"""What may be kept in each field of a record: the one way in for every entry."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from isic_metadata.anatom_site_hierarchical import AnatomSiteEnum

from melanoma_core.errors import RecordError
from melanoma_core.records import entities, entity_rules, loop, loop_rules
from melanoma_core.records.entry import Value
from melanoma_core.records.field_types import find_type_errors
from melanoma_core.records.staging import explain_disagreement
from melanoma_core.records.surroundings import FieldError, Surroundings
from melanoma_core.records.texts import clean, find_text_errors
from melanoma_core.records.vocabulary import Laterality
from melanoma_core.records.word_search import find_names

__all__ = [
    "FieldError",
    "InvalidEntryError",
    "Surroundings",
    "check",
    "clean",
    "find_errors",
    "find_sites",
    "find_warnings",
    "list_sites",
]

_Rule = Callable[[Any, Surroundings], Iterator[FieldError]]

_RULES: dict[type, _Rule] = {
    entities.Patient: entity_rules.check_patient,
    entities.Lesion: entity_rules.check_lesion,
    entities.Visit: entity_rules.check_visit,
    entities.Photograph: entity_rules.check_photograph,
    entities.Outline: entity_rules.check_outline,
    loop.FirstRead: loop_rules.check_first_read,
    loop.AiReading: loop_rules.check_ai_reading,
    loop.Decision: loop_rules.check_decision,
    loop.Specimen: loop_rules.check_specimen,
    loop.Histology: loop_rules.check_histology,
    loop.Information: loop_rules.check_information,
    loop.Recall: loop_rules.check_recall,
}


class InvalidEntryError(RecordError):
    """An entry holds what a record does not keep.

    Attributes:
        errors: What is wrong with each field.
    """

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__(" ".join(f"{error.field}: {error.text}" for error in errors))
        self.errors = errors


def find_errors(value: Value, around: Surroundings) -> tuple[FieldError, ...]:
    """Return what is wrong with a clean entry; empty if nothing is.

    Args:
        value: The entry.
        around: What it is checked against.

    >>> find_errors(entities.Patient(pseudonym="7", birth_year=1960), Surroundings())
    ()
    """
    errors = tuple(find_type_errors(value))
    if errors:
        return errors  # the rules compare what has the right type
    errors = tuple(find_text_errors(value))
    rule = _RULES.get(type(value))  # an acknowledgement holds two ids and no more
    if rule is not None:
        errors += tuple(rule(value, around))
    return errors


def find_warnings(value: Value) -> tuple[FieldError, ...]:
    """Return what is unlikely in an entry without errors, although it is kept."""
    if not isinstance(value, loop.Histology):
        return ()
    text = explain_disagreement(value)
    return (FieldError("pt", text),) if text else ()


def check(value: Value, around: Surroundings) -> Value:
    r"""Return an entry, cleaned.

    Args:
        value: The entry as it was typed.
        around: What it is checked against.

    Raises:
        InvalidEntryError: A field holds what it may not; `errors` lists all of them.

    >>> check(entities.Patient(pseudonym=" 7\n"), Surroundings()).pseudonym
    '7'
    """
    cleaned = clean(value)
    errors = find_errors(cleaned, around)
    if errors:
        raise InvalidEntryError(errors)
    return cleaned


@cache
def list_sites() -> tuple[str, ...]:
    """Return all anatomic sites that a lesion may have, in the order of the hierarchy."""
    return tuple(sorted((each.value for each in AnatomSiteEnum), key=lambda each: each.split(":")))


def find_sites(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return the anatomic sites whose names hold all words of a text, the best fit first.

    A side of the body is no part of a site: "left cheek" finds the cheek.

    Args:
        text: Words or their beginnings, as a person types them.
        limit: The most that are returned.

    >>> find_sites("upper back")[0]
    'Trunk:Posterior trunk:Upper back'
    """
    words = (word for word in text.split() if word.casefold() not in set(Laterality))
    return find_names(" ".join(words), list_sites(), limit)

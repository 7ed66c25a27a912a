"""Tidy the texts of an entry, and find those that are too long or missing.

What a spreadsheet would take for a formula, and markup, are kept as they were typed: a
page, a CSV and a PDF escape them where they are written.
"""

import dataclasses
import unicodedata
from collections.abc import Iterator
from enum import Enum
from typing import Any

from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.entry import Value
from melanoma_core.records.loop import AiReading, Histology, PhotographReading, Specimen
from melanoma_core.records.surroundings import FieldError

LONGEST_LINE = 200
"""Most characters of a text of one line, unless `LONGEST` says otherwise."""

LONGEST = {
    (Patient, "pseudonym"): 64,
    (Lesion, "label"): 40,
    (Lesion, "note"): 4_000,
    (Specimen, "number"): 64,
    (Histology, "text"): 50_000,
    (Histology, "diagnosis"): 400,
    (AiReading, "statement"): 4_000,
    (PhotographReading, "refusal"): 4_000,
    (PhotographReading, "findings"): 1_000,
}

# Texts of several lines. In all others a line feed is a space.
_PARAGRAPHS = {
    (Lesion, "note"),
    (Histology, "text"),
    (AiReading, "statement"),
    (PhotographReading, "refusal"),
    (PhotographReading, "findings"),
}

# Texts without which an entry says nothing, besides the ids of the entries that it belongs to.
_REQUIRED = {
    (Patient, "pseudonym"),
    (Lesion, "label"),
    (Photograph, "sha256"),
    (Specimen, "number"),
    (Histology, "diagnosis"),
    (AiReading, "model_id"),
    (AiReading, "app_version"),
}
_IDS = {"patient_id", "lesion_id", "visit_id", "photograph_id", "specimen_id", "histology_id"}

_JOINERS = "\u200c\u200d"  # Persian and Indian scripts are spelt with them


def tidy(text: str, *, has_paragraphs: bool = False) -> str:
    r"""Return a text without control characters and without white space around.

    Characters that are not seen go too, such as those that turn the direction of writing. Letters
    with accents are written as one character (NFC).

    Args:
        text: As it was typed.
        has_paragraphs: Whether line feeds are kept.

    >>> tidy(" a\tb\x00\u202ec ")
    'a bc'
    """
    lines = unicodedata.normalize("NFC", text).splitlines()
    tidied = [" ".join("".join(map(_tidy_character, line)).split()) for line in lines]
    return ("\n" if has_paragraphs else " ").join(tidied).strip()


def _tidy_character(character: str) -> str:
    if character.isspace():
        return " "
    is_unseen = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}
    return "" if is_unseen and character not in _JOINERS else character


def clean(value: Value) -> Value:
    """Return an entry with tidy texts: no control characters, no white space around."""
    cleaned: Value = _clean_fields(value)
    return cleaned


def _clean_fields(value: Any) -> Any:
    """Return a dataclass with tidy texts, those of nested ones too."""
    kind = type(value)
    changes = {
        field.name: _clean_content(getattr(value, field.name), (kind, field.name) in _PARAGRAPHS)
        for field in dataclasses.fields(value)
    }
    return dataclasses.replace(value, **changes)


def _clean_content(content: Any, has_paragraphs: bool) -> Any:
    """Return what a field holds, tidied if it is a text or holds texts."""
    if isinstance(content, Enum):
        return content
    if isinstance(content, str):
        return tidy(content, has_paragraphs=has_paragraphs)
    if isinstance(content, tuple):
        return tuple(_clean_content(each, has_paragraphs) for each in content)
    return _clean_fields(content) if dataclasses.is_dataclass(content) else content


def find_text_errors(value: Any) -> Iterator[FieldError]:
    """Yield the texts of an entry that are too long or missing."""
    kind = type(value)
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        key = (kind, field.name)
        texts = content if isinstance(content, tuple) else (content,)
        limit = LONGEST.get(key, LONGEST_LINE)
        for text in texts:
            if dataclasses.is_dataclass(text):
                yield from (FieldError(field.name, error.text) for error in find_text_errors(text))
            elif isinstance(text, str) and len(text) > limit:
                yield FieldError(
                    field.name, f"The text has {len(text):,} characters; at most {limit:,} fit."
                )
        if content == "" and (key in _REQUIRED or field.name in _IDS):
            yield FieldError(field.name, "This is empty: it is required.")

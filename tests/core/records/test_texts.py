import pytest

from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.loop import PhotographReading
from melanoma_core.records.texts import clean, find_text_errors, tidy
from tests.core.records.made_cases import make_reading


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("", ""),
        (" \t\r\n ", ""),
        ("\x00\x07\x1b", ""),
        ("a\x00b", "ab"),
        ("a\nb\r\nc", "a b c"),
        ("a\u202eb\u2066c\u200bd\ufeff", "abcd"),
        ("e\u0301", "é"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800x", "x"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("<b>&amp;", "<b>&amp;"),
    ],
)
def test_a_text_loses_what_cannot_be_seen_and_nothing_else(text: str, tidied: str):
    assert tidy(text) == tidied


def test_only_texts_of_several_lines_keep_their_line_feeds():
    assert tidy("a \n\n b\x0b", has_paragraphs=True) == "a\n\nb"
    lesion = clean(Lesion(patient_id="p", label="1\n2", note="one\ntwo"))
    assert (lesion.label, lesion.note) == ("1 2", "one\ntwo")


def test_texts_inside_an_entry_are_cleaned_too():
    photograph = PhotographReading(photograph_id="f", refusal="no\x00t", findings=(" blur ",))
    reading = make_reading("v", "f")
    cleaned = clean(type(reading)(**vars(reading) | {"photographs": (photograph,)}))
    assert (cleaned.photographs[0].refusal, cleaned.photographs[0].findings) == ("not", ("blur",))
    assert cleaned.class_names == reading.class_names


def test_a_text_that_is_too_long_says_how_long_it_may_be():
    (error,) = find_text_errors(Patient(pseudonym="x" * 65))
    assert (error.field, error.text) == (
        "pseudonym",
        "The text has 65 characters; at most 64 fit.",
    )
    assert list(find_text_errors(Patient(pseudonym="x" * 64))) == []


def test_what_names_an_entry_is_required():
    assert [error.field for error in find_text_errors(Lesion(patient_id="", label=""))] == [
        "patient_id",
        "label",
    ]

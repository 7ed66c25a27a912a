import pytest

from melanoma_core.records.word_search import find_names, fold

NAMES = (
    "Benign",
    "Benign:Nevus",
    "Benign:Nevus:Blue nevus",
    "Benign:Epidermal nevus",
    "Malignant:Melanoma (nevus-like)",
)


def test_an_empty_text_finds_the_first_names():
    assert find_names("  ", NAMES, 2) == ("Benign", "Benign:Nevus")


def test_a_text_of_punctuation_alone_finds_the_first_names():
    assert find_names("(:", NAMES, 1) == ("Benign",)


def test_words_that_no_name_holds_find_nothing():
    assert find_names("nevus verruca", NAMES, 9) == ()


def test_a_word_is_found_by_its_beginning_alone():
    assert find_names("ev", NAMES, 9) == ()
    assert find_names("NEV", NAMES, 1) == ("Benign:Nevus",)


def test_the_name_that_is_the_text_comes_first_then_names_that_begin_with_it():
    assert find_names("nevus", NAMES, 9) == (
        "Benign:Nevus",
        "Benign:Epidermal nevus",
        "Malignant:Melanoma (nevus-like)",
        "Benign:Nevus:Blue nevus",
    )


def test_words_of_the_levels_above_are_found_too():
    assert find_names("benign blue", NAMES, 9) == ("Benign:Nevus:Blue nevus",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Naevi", ("nevi",)),
        ("haemangioma", ("hemangioma",)),
        ("seborrhoeic", ("seborrheic",)),
        ("TUMOUR", ("tumor",)),
        ("Sézary", ("sezary",)),
        ("\x00\u202e", ()),
    ],
)
def test_spellings_and_accents_are_folded(text: str, words: tuple[str, ...]):
    assert fold(text) == words
